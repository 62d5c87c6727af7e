import type { ExecutionParams } from '../../domain/params.ts';
import { logLevels } from '../../lib/logger.ts';
import type { GoneFiles, UnansweredFiles, UnfitSlices } from '../../monitoring/evidence.ts';
import { unansweredSeconds } from '../../monitoring/findings/unanswered.ts';
import { lostFiles } from '../execution/file-places.ts';
import { unreadyStfs, unsampledStfs } from '../execution/unanswered.ts';
import type { ExecutionRow } from '../lists/executions.ts';
import { livingTypes, workersOnDuty } from '../presence/agent-registry.ts';
import type { LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Kinds that are looked at. */
const mostKinds = 20;

/** Slices that wait, of kinds that no worker that is heard can do. */
export function unfitSlices(sql: Prepare, execution: ExecutionRow, isAlive: LivenessTest): UnfitSlices[] {
  const kinds = sql<[string], UnfitSlices>(
    `SELECT r.reason, r.kind, count(DISTINCT r.slice_filename) AS slices, max(r.hostname) AS hostname, max(r.detail) AS detail
     FROM returned_slices AS r JOIN tf_slices AS s USING (slice_filename, attempt) LEFT JOIN moved_files AS m ON m.tf_filename = s.tf_filename
     WHERE r.execution_id = ? AND s.status = 'queued' AND (moved_at IS NULL OR returned_at > moved_at) GROUP BY r.reason, r.kind ORDER BY slices DESC LIMIT ${mostKinds}`,
  ).all(execution.execution_id);
  return kinds.filter(({ reason, kind }) => !workersOnDuty(sql, execution.namespace, { reason, name: kind }, isAlive));
}

/** TF files that nobody can have any more, by the host that made them. */
export function goneHosts(sql: Prepare, executionId: string): GoneFiles[] {
  const hosts = new Map<string, GoneFiles>();
  for (const { tf_filename, hostname, since } of lostFiles(sql, executionId)) {
    if (since === undefined) continue;
    const known = hosts.get(hostname);
    hosts.set(hostname, { hostname, since, first: known?.first ?? tf_filename, files: (known?.files ?? 0) + 1 });
  }
  return [...hosts.values()];
}

/** Files that an agent of another process has not answered, though it is heard. */
export function unansweredFiles(
  sql: Prepare,
  { execution_id, namespace, run_number }: ExecutionRow,
  params: ExecutionParams,
  isAlive: LivenessTest,
): UnansweredFiles[] {
  const before = new Date(Date.now() - unansweredSeconds * 1000).toISOString();
  const counts = sql<[number], { stfs: number; ready: number; expected: number; samples: number }>(
    `SELECT stfs_announced AS stfs, stfs_ready AS ready, samples_expected AS expected, tf_files_received AS samples
     FROM run_states WHERE run_number = ?`,
  ).get(run_number);
  if (counts === undefined || (counts.stfs === counts.ready && counts.expected === counts.samples)) return [];
  const living = livingTypes(sql, namespace, isAlive);
  const unready = living.has('data') ? unreadyStfs(sql, execution_id, before) : [];
  const unsampled =
    living.has('fastmon') && counts.expected > counts.samples ? unsampledStfs(sql, execution_id, before, params) : [];
  return [told('data', unready), told('fastmon', unsampled)]
    .flat()
    .map((files) => ({ ...files, off_duty: offDutyOf(sql, namespace, files.role) }));
}

function told(
  role: UnansweredFiles['role'],
  messages: ReturnType<typeof unreadyStfs>,
): Omit<UnansweredFiles, 'off_duty'>[] {
  const [first] = messages;
  return first === undefined
    ? []
    : [{ role, files: messages.length, first: first.filename, since: first.timestamp ?? '' }];
}

/** As much of a warning as is told. */
const shownWarning = 400;

/** The agent of a role that was heard last, where it says that it is off duty, with what it warned of last. */
function offDutyOf(sql: Prepare, namespace: string, role: UnansweredFiles['role']): UnansweredFiles['off_duty'] {
  const row = sql<
    [string, string],
    { agent: string; hostname: string; off_duty: string | null; warning: string | null }
  >(
    `SELECT agent_name AS agent, hostname, off_duty, (SELECT message FROM app_logs WHERE agent = agent_name AND level >= ${logLevels.WARNING} ORDER BY log_id DESC LIMIT 1) AS warning
     FROM system_agents JOIN processes USING (process_id)
     WHERE namespace = ? AND agent_type = ? AND state <> 'EXITED' ORDER BY last_heartbeat DESC LIMIT 1`,
  ).get(namespace, role);
  if (row === undefined || row.off_duty === null) return undefined;
  const { agent, hostname, warning, off_duty } = row;
  return { agent, hostname, detail: (warning ?? off_duty).slice(0, shownWarning) };
}
