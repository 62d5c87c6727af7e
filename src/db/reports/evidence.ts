import { payloadSpecOf } from '../../domain/params.ts';
import { stages } from '../../domain/stages.ts';
import { agentTypes } from '../../domain/states.ts';
import { hasCode } from '../../lib/errors.ts';
import type { Evidence, LostStart } from '../../monitoring/evidence.ts';
import type { OwnExecution } from '../execution/find-execution.ts';
import { fruitlessTakeUps } from '../execution/start-message.ts';
import { listAgents } from '../lists/agents.ts';
import { payloadChange } from '../lists/tf-slices.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import { agentStatus, livingTypes } from '../presence/agent-registry.ts';
import {
  type LivenessTest,
  type Owner,
  isProcessAlive,
  isRemote,
  isSilent,
  lastSignOf,
  momentOfTest,
  ownerOf,
} from '../presence/leases.ts';
import { kept, keptAtRest } from '../sqlite/kept-answers.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { driversOf } from './drivers.ts';
import { type ExecutionDetail, executionDetail } from './execution-detail.ts';
import {
  failureCauses,
  failuresByPlace,
  firstError,
  firstFailure,
  noPlaces,
  serviceFindings,
  slowestSlice,
} from './failures.ts';
import { pausedBy, pendingStop, someMessages, stoppedBy } from './landmarks.ts';
import { exhaustedSlices } from './slices-in-hand.ts';
import { countedDelays } from './stage-delays.ts';
import { agentTroubles, begunAgain, givenUpSlices, goneHosts, unansweredFiles, unfitSlices } from './undone-work.ts';

/** Maximum numbers of agents and of lost starts to read. */
const agentsLookedAt = 50;
const lostStartsLookedAt = 100;

/**
 * The agent types that an execution needs besides its driver. The driver plays the two other roles, and there
 * are separate findings about it.
 */
const neededTypes = agentTypes.filter((type) => type !== 'daq_simulator' && type !== 'fast_processing');

/** The evidence that findings name. If one table is damaged, the rest is still returned. */
export function evidenceOf(
  sql: Prepare,
  execution: OwnExecution,
  { detail, isAlive, data_as_of }: { detail: ExecutionDetail; isAlive: LivenessTest; data_as_of: string | undefined },
): Evidence {
  const { execution_id, status_reason, namespace, status } = execution;
  const { read, unreadable } = partReader();
  const owner = ownerOf(sql, execution_id);
  const isRunning = status === 'running';
  const isOverBroker = isRunning && detail.over_broker === 1;
  const now = momentOfTest(isAlive);
  const recorded = keptAtRest(sql, recordedEvidence)(execution);
  return {
    execution_id,
    status_reason,
    process: owner === undefined || !isRunning ? undefined : driverOf(sql, owner, isAlive),
    drivers: read('drivers', () => driversOf(sql, execution_id, isAlive), []),
    agents: read('agents', () => agentsOf(sql, execution_id, isAlive), []),
    lost_starts: read('slices', () => lostStarts(sql, execution_id), [], isRunning && detail.lost_starts > 0),
    missing: isOverBroker ? missingTypes(sql, namespace, isAlive) : [],
    take_ups: isOverBroker ? fruitlessTakeUps(sql, execution_id, now) : 0,
    unfit: read('returned slices', () => unfitSlices(sql, execution, isAlive), [], isRunning),
    ...read('agents', () => agentTroubles(sql, execution, isAlive), { off_duty: [], useless: [] }, isRunning),
    unanswered: read('files', () => unansweredFiles(sql, execution, detail, isAlive), [], isOverBroker),
    gone: read('files', () => goneHosts(sql, execution_id, now), [], isOverBroker),
    ...recorded,
    data_as_of,
    unreadable: [...unreadable, ...recorded.unreadable],
  };
}

const noServices: ReturnType<typeof serviceFindings> = { slow_slots: undefined, slower: undefined };

/** The evidence that depends only on the store. */
function recordedEvidence(sql: Prepare, execution: OwnExecution) {
  const { execution_id, status, slices_failed } = execution;
  const { slices_exhausted, slice_retries, lost_starts, slices_retried, over_broker, params } = executionDetail(
    sql,
    execution,
  );
  // The placeholder's times say nothing about the workers: it takes as long as configured.
  const hasPayload = payloadSpecOf(params).kind !== 'placeholder';
  const { read, unreadable } = partReader();
  const isRunning = status === 'running';
  const hasEndedEarly = !isRunning && status !== 'completed';
  const isResumed = (ownerOf(sql, execution_id)?.epoch ?? 1) > 1;
  const isAnyFailed = slices_exhausted + slices_failed !== 0;
  const failures = slices_exhausted + (slice_retries ?? 0) - lost_starts;
  const delays = countedDelays(sql, execution_id);
  const none = { count: 0, ids: [] };
  return {
    behind: read('cursors', () => readersBehind(sql, execution_id, over_broker === 1), [], isRunning),
    first_error: read('logs', () => firstError(sql, execution_id), undefined),
    first_failure: read('attempts', () => firstFailure(sql, execution_id), undefined, failures > 0),
    ...read('attempts', () => failuresByPlace(sql, execution_id), noPlaces, failures > 0),
    slowest: read('slices', () => slowestSlice(sql, execution_id, delays), undefined),
    ...read(
      'slices',
      () => serviceFindings(sql, execution_id),
      noServices,
      hasPayload && execution.slices_completed > 0,
    ),
    pending_stop: read('commands', () => pendingStop(sql, execution), undefined),
    stopped_by: read('commands', () => stoppedBy(sql, execution), undefined, hasEndedEarly),
    failed: {
      // After the end, no slice is retried, even if it had attempts left.
      count: isRunning ? slices_exhausted : slices_failed,
      ids: read('failed slices', () => exhaustedSlices(sql, execution_id), [], isAnyFailed),
      isFinal: true,
    },
    given_up: read('slices', () => givenUpSlices(sql, execution_id), 0, hasEndedEarly),
    begun_again: read('messages', () => begunAgain(sql, execution_id, delays), 0, isResumed),
    payload_change: read('logs', () => payloadChange(sql, execution_id), undefined, isResumed && hasPayload),
    slices_retried,
    causes: read('attempts', () => failureCauses(sql, execution_id), [], failures !== 0),
    paused_by: read('commands', () => pausedBy(sql, execution), undefined),
    refused: read('refused messages', () => someMessages(sql, execution_id, indexPredicates.troubled), none),
    waiting: read('waiting messages', () => someMessages(sql, execution_id, indexPredicates.awaiting), none),
    unreadable,
  };
}

function driverOf(sql: Prepare, owner: Owner, isAlive: LivenessTest): NonNullable<Evidence['process']> {
  const alive = isProcessAlive(owner, isAlive);
  const last_sign = alive ? owner.last_beat : lastSignOf(sql, owner).at;
  return { pid: owner.pid, hostname: owner.hostname, alive, silent: isSilent(owner, isAlive), last_sign };
}

function agentsOf(sql: Prepare, execution_id: string, isAlive: LivenessTest): Evidence['agents'] {
  const filter = { execution_id, include_exited: true };
  const { rows } = kept(sql, listAgents)(filter, { order: 'newest', limit: agentsLookedAt, uncounted: true });
  return rows.map((row) => ({ ...row, status: agentStatus(row, isAlive), isRemote: isRemote(row) }));
}

const lostStarts = (sql: Prepare, executionId: string) =>
  sql<LostStart>(
    `SELECT slice_filename, worker_id AS worker, status, assigned_worker AS worker_now
     FROM lost_starts JOIN tf_slices USING (slice_filename, execution_id)
     WHERE execution_id = ? AND worker_id IS NOT NULL ORDER BY followed_at DESC LIMIT ${lostStartsLookedAt}`,
  ).all(executionId);

/** Over a broker, agents may be in any process of the namespace. */
function missingTypes(sql: Prepare, namespace: string, isAlive: LivenessTest) {
  const living = livingTypes(sql, namespace, isAlive);
  return neededTypes.filter((type) => !living.has(type));
}

/** A role with fewer unread rows than this is not reported. */
const farBehind = 1000;

/** The roles that read the log, each with the message that begins its stage. Workers have a queue instead. */
const readers = stages.flatMap(({ stage, agent }) =>
  agent === 'worker' ? [] : [{ role: agent, reads: stage.split(' → ')[0] ?? '' }],
);

/** The roles that are at least 1,000 rows behind in the log of an execution. */
const readersBehind = (sql: Prepare, executionId: string, isOverBroker: boolean) =>
  readers.flatMap(({ role, reads }) => {
    const cursors = sql<number>('SELECT seq FROM cursors WHERE execution_id = ? AND role = ?');
    const cursor = cursors.value(executionId, role);
    // Over a broker, a role may be played by agents without a cursor in this store.
    if (cursor === undefined && isOverBroker) return [];
    const { rows, since } = sql<{ rows: number; since: string | null }>(
      `SELECT count(*) AS rows, ${isoTime('min(recorded_ms)')} AS since FROM (
         SELECT recorded_ms FROM message_rows INDEXED BY message_rows_type
         WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf(`'${reads}'`)} AND seq > ? ORDER BY seq LIMIT ?)`,
    ).get(executionId, cursor ?? 0, farBehind) ?? { rows: 0, since: null };
    return rows < farBehind || since === null ? [] : [{ role, rows, since }];
  });

/** Reads parts of a store one by one, so that damage in one table does not hide the others. */
export function partReader() {
  const unreadable: string[] = [];
  /** Returns the value of `ask`, or `instead` if `part` of the store is damaged or need not be read. */
  function read<T>(part: string, ask: () => T, instead: T, isNeeded = true) {
    if (!isNeeded) return instead;
    try {
      return ask();
    } catch (error) {
      if (!hasCode(error, 'STORE_CORRUPT')) throw error;
      unreadable.push(part);
      return instead;
    }
  }
  return { read, unreadable };
}
