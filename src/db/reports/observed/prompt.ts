import { isPrompt, promptProcessing } from '../../../domain/workflows.ts';
import { asObject, objectIn } from '../../../lib/read-json.ts';
import type { Some } from '../../../monitoring/evidence.ts';
import type { PromptFacts, SiteWork } from '../../../monitoring/prompt-facts.ts';
import type { ExecutionRow } from '../../execution/find-execution.ts';
import { isFailedStf } from '../../migrations/documented-views.ts';
import { milliseconds as asMilliseconds } from '../../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../../migrations/names.ts';
import type { Prepare } from '../../sqlite/statements.ts';
import { count, someOf } from './samples.ts';

/** As SQL: the STF files of an execution by a condition. */
const files = (condition: string): string => `FROM stf_files WHERE execution_id = $id AND ${condition}`;

/** As SQL: the file waits for PanDA: it is registered, and a site has it. */
export const isOpenFile = `status IN ('registered', 'processing') AND EXISTS (
  SELECT 1 FROM stf_sites AS s WHERE s.execution_id = stf_files.execution_id AND s.stf_filename = stf_files.stf_filename)`;

/** How many reasons to name. */
const namedReasons = 3;

/**
 * How prompt processing of a run stands.
 * @param before files announced before this time (ISO 8601) are expected to be registered
 */
export function promptFacts(sql: Prepare, execution: ExecutionRow, before: string): PromptFacts {
  const { execution_id: id, processing_unheard } = execution;
  const settings = promptSettings(sql, id);
  const { state, ended, first, report } =
    sql<[object], RunRow>(
      `SELECT dataset_state AS state, r.end_time AS ended, (SELECT min(created_at) FROM stf_files WHERE execution_id = $id) AS first,
       (SELECT max(sent_ms) FROM message_rows INDEXED BY message_rows_type
        WHERE execution_no = ${numberOf('$id')} AND type_no IN ${typeNumbers(['stf_registered', 'stf_status'])}
          AND destination NOT LIKE 'GET %') AS report
     FROM runs AS r WHERE execution_id = $id`,
    ).get({ id }) ?? {};
  const some = (condition: string): Some => someOf(sql, 'stf_filename', files(condition), { id, before });
  return {
    policy: policyOf(sql, id) ?? settings.policy,
    poll_seconds: settings.poll_seconds,
    sites: sitesOf(sql, id, settings.sites),
    isTold: processing_unheard === 0,
    isHandedOver: count(sql, 'FROM handed_over WHERE execution_id = ?', id) > 0 || isClaimed(sql, id),
    first_stf: milliseconds(first),
    last_report: report ?? undefined,
    agent_silent: agentSilence(sql, execution),
    unregistered: some(`status = 'announced' AND created_at < $before`),
    open: some(isOpenFile),
    failed: some(isFailedStf('stf_files')),
    reasons: reasonsOf(sql, id),
    data_run: state === 'final' ? 'closed' : (state ?? undefined),
    ended_at: milliseconds(ended),
    waits_for: state === null ? unclosedBefore(sql, execution) : undefined,
  };
}

/**
 * How long no processing agent of the namespace had given a sign of life when all that the monitor has of the
 * run was last read. Seconds.
 */
function agentSilence(sql: Prepare, { execution_id, namespace }: ExecutionRow): number | undefined {
  const seconds = sql<[object], number | null>(
    `SELECT (read_ms - (SELECT max(${asMilliseconds('last_heartbeat')}) FROM system_agents WHERE agent_type = 'processing' AND namespace = $namespace)) / 1000.0
     FROM observed_runs WHERE execution_id = $id`,
  ).value({ id: execution_id, namespace });
  return seconds === null || seconds === undefined ? undefined : Math.max(0, seconds);
}

interface RunRow {
  state?: 'open' | 'final' | null;
  ended?: string | null;
  first?: string | null;
  report?: number | null;
}

const milliseconds = (time: string | null | undefined): number | undefined =>
  time === null || time === undefined ? undefined : Date.parse(time);

/** Why files failed, without repetitions. */
const reasonsOf = (sql: Prepare, id: string): string[] =>
  sql<[string], string>(
    `SELECT DISTINCT reason FROM stf_sites WHERE execution_id = ? AND status = 'failed' AND reason IS NOT NULL ORDER BY 1 LIMIT ${namedReasons}`,
  ).values(id);

const isClaimed = (sql: Prepare, id: string): boolean =>
  sql<[string]>(`SELECT 1 FROM stf_sites WHERE execution_id = ? AND status <> 'registered' LIMIT 1`).has(id);

/** What the runner of a run reported of prompt processing. */
function promptSettings(sql: Prepare, id: string) {
  const params = objectIn(
    sql<[string], string>('SELECT params FROM workflow_executions WHERE execution_id = ?').value(id),
  );
  const { decision_box_enabled, decision_box_policy, decision_box_sites, panda_poll_interval_seconds } =
    asObject(params[promptProcessing]) ?? {};
  const isDecided = decision_box_enabled === true;
  const sites = isDecided && Array.isArray(decision_box_sites) ? decision_box_sites : [];
  return {
    policy: isDecided && typeof decision_box_policy === 'string' ? decision_box_policy : undefined,
    sites: sites.filter((site) => typeof site === 'string'),
    poll_seconds: typeof panda_poll_interval_seconds === 'number' ? panda_poll_interval_seconds : undefined,
  };
}

type SiteRow = { [K in keyof SiteWork]-?: Exclude<SiteWork[K], undefined> | null };

/** The sites that a run was handed over to, that have files of it, or that its configuration names. */
function sitesOf(sql: Prepare, id: string, configured: readonly string[]): SiteWork[] {
  const rows = sql<[object], SiteRow>(
    `SELECT nullif(site, '') AS site, coalesce(max(h.input_dataset), max(s.input_dataset)) AS input_dataset, max(output_dataset) AS output_dataset,
       max(task_id) AS task_id, max(at_ms) AS handed_over_at, count(stf_filename) AS registered, count(*) FILTER (WHERE status = 'processing') AS processing,
       count(*) FILTER (WHERE status = 'processed') AS processed, count(*) FILTER (WHERE status = 'failed') AS failed
     FROM (SELECT site FROM stf_sites WHERE execution_id = $id UNION SELECT site FROM handed_over WHERE execution_id = $id
           UNION SELECT value FROM json_each($configured))
       LEFT JOIN (SELECT * FROM stf_sites WHERE execution_id = $id) AS s USING (site)
       LEFT JOIN (SELECT * FROM handed_over WHERE execution_id = $id) AS h USING (site)
     GROUP BY site ORDER BY site`,
  ).all({ id, configured: JSON.stringify(configured) });
  return rows.map(
    (row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as unknown as SiteWork,
  );
}

/**
 * The run of an earlier execution of the namespace whose data taking has ended, and whose data agent has not
 * closed it.
 */
const unclosedBefore = (sql: Prepare, { execution_id, namespace }: ExecutionRow): string | undefined =>
  sql<[object], string>(
    `SELECT run_id FROM observed_runs AS o JOIN runs AS r USING (execution_id) JOIN run_states USING (execution_id) JOIN workflow_executions AS e USING (execution_id)
     WHERE e.namespace = $namespace AND workflow_name = '${promptProcessing}' AND dataset_state = 'open' AND (phase = 'completed' OR status <> 'running')
       AND o.first_ms < (SELECT first_ms FROM observed_runs WHERE execution_id = $id) ORDER BY o.first_ms DESC LIMIT 1`,
  ).value({ id: execution_id, namespace });

/** The agents of the other workflow that took part in a run. */
export function strangersIn(sql: Prepare, execution: ExecutionRow): string[] {
  const subjects = isPrompt(execution) ? ['stf_ready', 'tf_file_registered', 'slice'] : ['handed_over'];
  return sql<[object], string>(
    `SELECT DISTINCT n.name FROM message_subjects AS p CROSS JOIN message_rows AS m USING (seq) JOIN names AS n ON n.name_no = m.sender_no
     WHERE p.execution_id = $id AND p.subject IN (SELECT value FROM json_each($subjects)) ORDER BY 1 LIMIT 5`,
  ).values({ id: execution.execution_id, subjects: JSON.stringify(subjects) });
}

/** The policy and the sites of an execution of prompt processing; undefined for any other. */
export function promptSites(sql: Prepare, execution: ExecutionRow) {
  if (!isPrompt(execution)) return undefined;
  const { execution_id } = execution;
  const settings = promptSettings(sql, execution_id);
  return { policy: policyOf(sql, execution_id) ?? settings.policy, sites: sitesOf(sql, execution_id, settings.sites) };
}

const policyOf = (sql: Prepare, id: string): string | undefined =>
  sql<[string], string | null>('SELECT policy FROM observed_runs WHERE execution_id = ?').value(id) ?? undefined;
