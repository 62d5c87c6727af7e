import { isPrompt, promptProcessing } from '../../../domain/workflows.ts';
import { present } from '../../../lib/present.ts';
import { asObject, objectIn } from '../../../lib/read-json.ts';
import { millisecondsOf } from '../../../lib/time.ts';
import type { PromptFacts, SiteWork } from '../../../monitoring/prompt-facts.ts';
import type { ExecutionRow } from '../../execution/find-execution.ts';
import { isFailedStf } from '../../migrations/documented-views.ts';
import { numberOf, typeNumbers } from '../../migrations/names.ts';
import { openFiles } from '../../observed/prompt.ts';
import type { Prepare } from '../../sqlite/statements.ts';
import { someOf, stfFiles } from './samples.ts';

const namedReasons = 3;

interface RunRow {
  state: 'open' | 'final' | null;
  ended: string | null;
  first: string | null;
  report: number | null;
  is_handed_over: number;
}

/**
 * The state of prompt processing in a run.
 * @param before files announced before this time (ISO 8601) are expected to be registered
 */
export function promptFacts(sql: Prepare, execution: ExecutionRow, before: string): PromptFacts {
  const { execution_id: id, processing_unheard } = execution;
  const { state, ended, first, report, is_handed_over }: Partial<RunRow> =
    sql<RunRow>(
      `SELECT dataset_state AS state, r.end_time AS ended, (SELECT min(created_at) ${stfFiles}) AS first,
       (SELECT max(sent_ms) FROM message_rows INDEXED BY message_rows_type
        WHERE execution_no = ${numberOf('$id')} AND type_no IN ${typeNumbers(['stf_registered', 'stf_status'])}
          AND destination NOT LIKE 'GET %') AS report,
       EXISTS (SELECT 1 FROM handed_over WHERE execution_id = $id)
         OR EXISTS (SELECT 1 FROM stf_sites WHERE execution_id = $id AND status <> 'registered') AS is_handed_over
     FROM runs AS r WHERE execution_id = $id`,
    ).get({ id }) ?? {};
  const some = (from: string) => someOf(sql, 'stf_filename', from, { id, before });
  return {
    ...promptSettings(sql, id),
    isTold: processing_unheard === 0,
    isHandedOver: is_handed_over === 1,
    first_stf: millisecondsOf(first),
    last_report: report ?? undefined,
    unregistered: some(`${stfFiles} AND status = 'announced' AND created_at < $before`),
    open: some(openFiles('$id')),
    failed: some(`${stfFiles} AND ${isFailedStf('stf_files')}`),
    reasons: reasonsOf(sql, id),
    data_run: state === 'final' ? 'closed' : (state ?? undefined),
    ended_at: millisecondsOf(ended),
    waits_for: state === null ? unclosedBefore(sql, execution) : undefined,
  };
}

/** Why files failed, each reason once. */
const reasonsOf = (sql: Prepare, id: string) =>
  sql<string>(
    `SELECT DISTINCT reason FROM stf_sites WHERE execution_id = ? AND status = 'failed' AND reason IS NOT NULL ORDER BY 1 LIMIT ${namedReasons}`,
  ).values(id);

/** The policy, sites and polling interval of prompt processing, as reported in messages or by the runner. */
function promptSettings(sql: Prepare, id: string): Pick<PromptFacts, 'policy' | 'poll_seconds' | 'sites'> {
  const known = sql<Record<'params' | 'policy', string | null>>(
    'SELECT params, policy FROM workflow_executions LEFT JOIN observed_runs USING (execution_id) WHERE execution_id = ?',
  ).get(id);
  const { decision_box_enabled, decision_box_policy, decision_box_sites, panda_poll_interval_seconds } =
    asObject(objectIn(known?.params ?? undefined)[promptProcessing]) ?? {};
  const isDecided = decision_box_enabled === true;
  const sites = isDecided && Array.isArray(decision_box_sites) ? decision_box_sites : [];
  const policy = isDecided && typeof decision_box_policy === 'string' ? decision_box_policy : undefined;
  return {
    policy: known?.policy ?? policy,
    sites: sitesOf(
      sql,
      id,
      sites.filter((site) => typeof site === 'string'),
    ),
    poll_seconds: typeof panda_poll_interval_seconds === 'number' ? panda_poll_interval_seconds : undefined,
  };
}

/** The sites that a run was handed over to, that have files of the run, or that its configuration names. */
const sitesOf = (sql: Prepare, id: string, configured: readonly string[]) =>
  sql<SiteWork & Record<string, unknown>>(
    `SELECT nullif(site, '') AS site, coalesce(max(h.input_dataset), max(s.input_dataset)) AS input_dataset, max(output_dataset) AS output_dataset,
       max(task_id) AS task_id, max(at_ms) AS handed_over_at, count(stf_filename) AS registered, count(*) FILTER (WHERE status = 'processing') AS processing,
       count(*) FILTER (WHERE status = 'processed') AS processed, count(*) FILTER (WHERE status = 'failed') AS failed
     FROM (SELECT site FROM stf_sites WHERE execution_id = $id UNION SELECT site FROM handed_over WHERE execution_id = $id
           UNION SELECT value FROM json_each($configured))
       LEFT JOIN (SELECT * FROM stf_sites WHERE execution_id = $id) AS s USING (site)
       LEFT JOIN (SELECT * FROM handed_over WHERE execution_id = $id) AS h USING (site)
     GROUP BY site ORDER BY site`,
  )
    .all({ id, configured: JSON.stringify(configured) })
    .map(present);

/** An earlier run in the namespace, not closed by its data agent although data taking has ended. */
const unclosedBefore = (sql: Prepare, { execution_id, namespace }: ExecutionRow) =>
  sql<string>(
    `SELECT run_id FROM observed_runs AS o JOIN runs AS r USING (execution_id) JOIN run_states USING (execution_id) JOIN workflow_executions AS e USING (execution_id)
     WHERE e.namespace = $namespace AND workflow_name = '${promptProcessing}' AND dataset_state = 'open' AND (phase = 'completed' OR status <> 'running')
       AND o.first_ms < (SELECT first_ms FROM observed_runs WHERE execution_id = $id) ORDER BY o.first_ms DESC LIMIT 1`,
  ).value({ id: execution_id, namespace });

/** The agents that took part in a run but belong to the other workflow. */
export function strangersIn(sql: Prepare, execution: ExecutionRow) {
  const subjects = isPrompt(execution) ? ['stf_ready', 'tf_file_registered', 'slice'] : ['handed_over'];
  return sql<string>(
    `SELECT DISTINCT n.name FROM message_subjects AS p CROSS JOIN message_rows AS m USING (seq) JOIN names AS n ON n.name_no = m.sender_no
     WHERE p.execution_id = $id AND p.subject IN (SELECT value FROM json_each($subjects)) ORDER BY 1 LIMIT 5`,
  ).values({ id: execution.execution_id, subjects: JSON.stringify(subjects) });
}

/** The policy and the sites of a prompt-processing execution; undefined for any other execution. */
export const promptSites = (sql: Prepare, execution: ExecutionRow) =>
  isPrompt(execution) ? promptSettings(sql, execution.execution_id) : undefined;
