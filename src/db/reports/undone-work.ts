import { workKind, workKinds } from '../../domain/slice-returns.ts';
import type { StageDelay } from '../../domain/stages.ts';
import { logLevels } from '../../lib/logger.ts';
import { sliceMessageId } from '../../messages/identity.ts';
import type { Evidence, GoneFiles, UnansweredFiles, UnfitSlices } from '../../monitoring/evidence.ts';
import { delayOf } from '../../monitoring/facts.ts';
import { unansweredSeconds } from '../../monitoring/findings/agents.ts';
import type { ProgressRecord } from '../../monitoring/progress.ts';
import { lostFiles, newestPlace } from '../execution/file-places.ts';
import type { ExecutionRow } from '../execution/find-execution.ts';
import { readMessage } from '../execution/log-reader.ts';
import { unreadyStfs, unsampledStfs } from '../execution/unanswered.ts';
import { countMessages } from '../lists/message-counts.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { heardWorkers, isSameKind, livingTypes, troubledAgents, warningOf } from '../presence/agent-registry.ts';
import { type LivenessTest, momentOfTest } from '../presence/leases.ts';
import { kept } from '../sqlite/kept-answers.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Maximum number of slices to count. */
const maxCounted = 10_000;

/**
 * Counts the slices that were in hand when their execution was stopped or failed. Such a slice is queued again,
 * as an attempt that has already been started.
 */
export const givenUpSlices = (sql: Prepare, executionId: string) =>
  sql<number>(
    `SELECT count(*) FROM (
         SELECT 1 FROM tf_slices INDEXED BY tf_slices_open
         WHERE execution_id = ? AND status = 'queued' AND ${indexPredicates.openSlice} AND starts > 0 LIMIT ${maxCounted})`,
  ).value(executionId) ?? 0;

/**
 * Counts repeated starts of attempts: every start is a message, but only the first start of an attempt has a
 * delay.
 */
export function begunAgain(sql: Prepare, executionId: string, delays: readonly StageDelay[]) {
  const first = delayOf(delays, 'slice → slice_started')?.items ?? 0;
  return Math.max(0, (countMessages(sql, executionId).get('slice_started') ?? 0) - first);
}

/**
 * Waiting slices that no live worker can process; the reason may differ from worker to worker, and one worker's
 * reason is reported. A broker does not deliver such slices, so they may never have been returned.
 */
export function unfitSlices(sql: Prepare, execution: ExecutionRow, isAlive: LivenessTest) {
  const { execution_id, namespace, slices_queued } = execution;
  const workers = slices_queued === 0 ? [] : heardWorkers(sql, namespace, isAlive);
  const [worker] = workers;
  // If any worker can do everything, it can process every slice.
  if (worker === undefined || workers.some(({ off_duty }) => off_duty.length === 0)) return [];
  const payload = payloadKind(sql, execution_id);
  const found = new Map<string, UnfitSlices>();
  for (const { slices, kinds: ofFile } of kept(sql, waitingFiles)(execution_id)) {
    const kinds = payload === undefined ? ofFile : [...ofFile, { reason: 'NO_PAYLOAD', name: payload }];
    const why = workers.map(({ off_duty }) => off_duty.find((kind) => kinds.some((one) => isSameKind(one, kind))));
    const [first] = why;
    if (first === undefined || why.includes(undefined)) continue;
    const { reason, name, detail = warningOf(sql, worker.agent, first) } = first;
    const known = found.get(`${reason} ${name}`)?.slices ?? 0;
    const { agent, hostname } = worker;
    const unfit = { reason, kind: name, agent, hostname, others: workers.length - 1, detail };
    found.set(`${reason} ${name}`, { ...unfit, slices: known + slices });
  }
  return [...found.values()].toSorted((a, b) => b.slices - a.slices);
}

/** Live agents that cannot do part of an execution's work, and workers whose work does not count. */
export function agentTroubles(
  sql: Prepare,
  { execution_id, namespace }: ExecutionRow,
  isAlive: LivenessTest,
): Pick<Evidence, 'off_duty' | 'useless'> {
  const troubled = troubledAgents(sql, namespace, isAlive);
  const payload = troubled.length === 0 ? undefined : payloadOf(sql, execution_id);
  const isOfExecution = (agent_type: string, kind: { reason: string; name: string }) =>
    agent_type !== 'worker' ||
    (kind.reason === 'FAILING'
      ? kind.name === execution_id
      : kind.reason === 'NO_PAYLOAD'
        ? kind.name === payload
        : concerns(sql, execution_id, kind));
  return {
    off_duty: troubled.flatMap(({ agent, agent_type, hostname, slots, off_duty }) =>
      off_duty
        .filter((kind) => isOfExecution(agent_type, kind))
        .map(({ reason, name, since, detail }) => {
          const why = detail ?? warningOf(sql, agent, { reason, name }) ?? undefined;
          return { agent, agent_type, hostname, slots, reason, kind: name, since, detail: why };
        }),
    ),
    useless: troubled
      .filter(({ isRefused, unheard_since }) => isRefused || unheard_since !== null)
      .map(({ agent, hostname, isRefused, unheard_since }) => ({
        agent,
        hostname,
        unheard_since: isRefused ? undefined : (unheard_since ?? undefined),
      })),
  };
}

function concerns(sql: Prepare, executionId: string, { reason, name }: { reason: string; name: string }) {
  const [condition = '', value = ''] =
    reason === 'WRONG_FILE'
      ? ['f.tf_filename = ?', name.split(' ')[0]]
      : ['instr(coalesce(m.file_url, f.file_url), ?) = 1', `${name}/`];
  return sql<unknown>(
    `SELECT 1 FROM fastmon_files AS f LEFT JOIN moved_files AS m USING (tf_filename) WHERE f.execution_id = ? AND ${condition} LIMIT 1`,
  ).has(executionId, value);
}

/**
 * The payload that the waiting slices of an execution need, which is the same for all. Undefined if no slice
 * waits.
 */
export const payloadKind = (sql: Prepare, executionId: string) =>
  payloadOf(sql, executionId, `AND status = 'queued' AND ${indexPredicates.openSlice}`);

function payloadOf(sql: Prepare, executionId: string, condition = '') {
  const one = sql<{ slice_filename: string; attempt: number }>(
    `SELECT slice_filename, attempt FROM tf_slices WHERE execution_id = ? ${condition} LIMIT 1`,
  ).get(executionId);
  if (one === undefined) return undefined;
  const message = readMessage(sql, sliceMessageId(executionId, one));
  return message?.msg_type === 'slice' ? workKind(message, 'NO_PAYLOAD') : undefined;
}

/**
 * The TF files with waiting slices, each with the number of these slices and the kinds of work that they
 * involve, except the payload.
 */
const waitingFiles = (sql: Prepare, executionId: string) =>
  sql<{ tf_filename: string; slices: number }>(
    `SELECT tf_filename, count(*) AS slices FROM tf_slices INDEXED BY tf_slices_open
     WHERE execution_id = ? AND status = 'queued' AND ${indexPredicates.openSlice} GROUP BY tf_filename`,
  )
    .all(executionId)
    .map(({ tf_filename, slices }) => {
      const kinds = workKinds({ tf_filename, file_url: newestPlace(sql, tf_filename) });
      return { slices, kinds: kinds.filter(({ reason }) => reason !== 'NO_PAYLOAD') };
    });

/** TF files that are no longer available, grouped by the host that created them. */
export function goneHosts(sql: Prepare, executionId: string, now: number) {
  const hosts = new Map<string, GoneFiles>();
  for (const { tf_filename, hostname, since } of lostFiles(sql, executionId, now)) {
    if (since === undefined) continue;
    const known = hosts.get(hostname);
    hosts.set(hostname, { hostname, since, first: known?.first ?? tf_filename, files: (known?.files ?? 0) + 1 });
  }
  return [...hosts.values()];
}

/** Files for which a live agent in another process still owes an answer. */
export function unansweredFiles(
  sql: Prepare,
  { execution_id, namespace, stf_count, tf_files_received }: ExecutionRow,
  { stfs_ready, samples_expected, params }: Pick<ProgressRecord, 'stfs_ready' | 'samples_expected' | 'params'>,
  isAlive: LivenessTest,
): UnansweredFiles[] {
  const before = new Date(momentOfTest(isAlive) - unansweredSeconds * 1000).toISOString();
  const isSampled = samples_expected === tf_files_received;
  if (stf_count === stfs_ready && isSampled) return [];
  const living = livingTypes(sql, namespace, isAlive);
  const unready = living.has('data') ? unreadyStfs(sql, execution_id, before) : [];
  const unsampled = living.has('fastmon') && !isSampled ? unsampledStfs(sql, execution_id, before, params) : [];
  const unanswered = [
    ['data', unready],
    ['fastmon', unsampled],
  ] as const;
  return unanswered.flatMap(([role, messages]) => {
    const [first] = messages;
    if (first === undefined) return [];
    const off_duty = offDutyOf(sql, namespace, role);
    return [{ role, files: messages.length, first: first.filename, since: first.timestamp ?? '', off_duty }];
  });
}

/** Maximum length of a warning to report, in characters. */
const shownWarning = 400;

/**
 * The agent in this role that was heard from most recently, with its last warning; undefined unless this agent
 * reports that it is off duty.
 */
function offDutyOf(sql: Prepare, namespace: string, role: UnansweredFiles['role']) {
  const row = sql<Record<'agent' | 'hostname', string> & Record<'off_duty' | 'warning', string | null>>(
    `SELECT agent_name AS agent, hostname, off_duty, (SELECT message FROM app_logs WHERE agent = agent_name AND level >= ${logLevels.WARNING} ORDER BY log_id DESC LIMIT 1) AS warning
     FROM system_agents JOIN processes USING (process_id)
     WHERE namespace = ? AND agent_type = ? AND state <> 'EXITED' AND heard_on IS NULL ORDER BY last_heartbeat DESC LIMIT 1`,
  ).get(namespace, role);
  if (row === undefined || row.off_duty === null) return undefined;
  const { agent, hostname, warning, off_duty } = row;
  return { agent, hostname, detail: (warning ?? off_duty).slice(0, shownWarning) };
}
