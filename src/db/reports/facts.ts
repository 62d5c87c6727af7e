import { secondsAhead, strangerSeconds } from '../../domain/liveness.ts';
import type { ExecutionParams } from '../../domain/params.ts';
import { planOf } from '../../domain/plan/versions.ts';
import { mergedSpans } from '../../lib/merged-spans.ts';
import { type Facts, driverGaps, secondsBetween } from '../../monitoring/facts.ts';
import { type Progress, progressOf } from '../../monitoring/progress.ts';
import type { OwnExecution } from '../execution/find-execution.ts';
import { isHeld } from '../log/commands.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { workerSlots } from '../presence/agent-registry.ts';
import { type LivenessTest, type Moment, type Owner, isProcessAlive, isSilent, ownerOf } from '../presence/leases.ts';
import { brokerAwaySince } from '../presence/recorders.ts';
import { kept, keptAtRest } from '../sqlite/kept-answers.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { driversOf, speedsOf } from './drivers.ts';
import { type ExecutionDetail, executionDetail } from './execution-detail.ts';
import { failuresInARow } from './failures.ts';
import { newestRow } from './life.ts';
import { slicesInHand } from './slices-in-hand.ts';
import { countedDelays } from './stage-delays.ts';
import { payloadKind } from './undone-work.ts';
import { standbysOf, waitingSince } from './waiting.ts';

/** Number of slices that workers on the broker are processing for other executions in the namespace. */
function othersInHand(sql: Prepare, { execution_id, namespace }: OwnExecution, { isAlive, now }: Moment) {
  const others = sql<string>(
    `SELECT execution_id FROM workflow_executions JOIN run_states USING (execution_id)
     WHERE status = 'running' AND over_broker AND namespace = ? AND execution_id <> ? AND slices_processing > 0`,
  ).values(namespace, execution_id);
  return others
    .flatMap((id) => slicesInHand(sql, id, isAlive))
    .filter(({ isLost, since }) => !isLost && secondsBetween(since, now) < strangerSeconds).length;
}

/**
 * The figures of an execution. All are stored, not counted here, so a long run takes no longer than a short
 * one.
 */
export function factsOf(
  sql: Prepare,
  execution: OwnExecution,
  moment: Moment,
): { facts: Facts; detail: ExecutionDetail; progress: Progress } {
  const { isAlive, now } = moment;
  const { execution_id, status, phase, start_time, end_time } = execution;
  const { detail, progress, speeds, newest_ms, ...recorded } = keptAtRest(sql, recordedFacts)(execution);
  const owner = ownerOf(sql, execution_id);
  const isOverBroker = detail.over_broker === 1;
  const speed = speeds.current ?? detail.params.speed;
  const inHand = execution.slices_processing === 0 ? [] : slicesInHand(sql, execution_id, isAlive);
  const { params } = detail;
  const configured = params.fast_processing.target_worker_count;
  const broker_away_since =
    isOverBroker && status === 'running' ? brokerAwaySince(sql, execution.namespace) : undefined;
  const facts: Facts = {
    now,
    until: end_time === null ? now : Date.parse(end_time),
    ahead_seconds: secondsAhead(newest_ms, now),
    status,
    phase,
    start_time,
    end_time,
    phase_changed_at: detail.phase_changed_at,
    params: speed === params.speed ? params : { ...params, speed },
    hasChangedSpeed: speeds.hasChanged,
    isOverBroker,
    broker_away_since,
    slots: isOverBroker
      ? slotsHeard(sql, execution, owner, { slots: configured, isAlive, broker_away_since })
      : configured,
    counts: execution,
    stfs_ready: detail.stfs_ready,
    samples_expected: detail.samples_expected,
    slices_expected: detail.slices_expected,
    stf_planned: progress.stf_planned,
    slices_planned: progress.slices_planned,
    slices_final: progress.slices_final,
    slice_retries: (detail.slice_retries ?? 0) - detail.lost_starts,
    ...recorded,
    others_in_hand: isOverBroker && status === 'running' ? othersInHand(sql, execution, moment) : 0,
    in_hand: inHand.filter(({ isLost }) => !isLost),
    lost: inHand.filter(({ isLost }) => isLost),
    driver: owner && {
      // Not needed once the execution has ended.
      alive: status === 'running' && isProcessAlive(owner, isAlive),
      silent: isSilent(owner, isAlive),
      since: owner.taken_at,
    },
  };
  return { facts, detail, progress };
}

/**
 * Number of worker slots in all processes. Unknown after the execution's end, when workers may be gone or
 * working for other executions, and while the broker is unreachable.
 */
function slotsHeard(
  sql: Prepare,
  { status, namespace, execution_id, slices_queued }: OwnExecution,
  owner: Owner | undefined,
  {
    slots,
    isAlive,
    broker_away_since,
  }: { slots: number; isAlive: LivenessTest; broker_away_since: string | undefined },
) {
  if (status !== 'running' || broker_away_since !== undefined) return undefined;
  const recorder = { process_id: owner?.process_id ?? 0, slots };
  // While no slice is waiting, it does not matter which workers could process one.
  const payload = slices_queued === 0 ? undefined : kept(sql, payloadKind)(execution_id);
  return workerSlots(sql, { namespace, recorder, payload }, isAlive);
}

/** The facts that depend only on the store. */
function recordedFacts(sql: Prepare, execution: OwnExecution) {
  const { execution_id, status } = execution;
  const detail = executionDetail(sql, execution);
  const isRunning = status === 'running';
  return {
    detail,
    progress: progressOf(execution, detail),
    speeds: speedsOf(sql, execution_id),
    isHeld: isRunning && isHeld(sql, execution_id),
    samples_of_unready: samplesOfUnready(sql, execution_id, detail.params),
    delays: countedDelays(sql, execution_id),
    ...endsOf(sql, execution_id),
    waiting_since: isRunning ? waitingSince(sql, execution_id, execution, detail) : {},
    standbys: isRunning ? standbysOf(sql, execution_id) : [],
    failing: failuresInARow(sql, execution_id),
    idle: isRunning ? [] : idleTimes(sql, execution_id),
  };
}

/**
 * The periods of an ended execution in which it could not progress: pauses, standby, and times without a
 * driver.
 */
function idleTimes(sql: Prepare, executionId: string): Facts['idle'] {
  const isResumed = (ownerOf(sql, executionId)?.epoch ?? 1) !== 1;
  const gaps = isResumed ? driverGaps(driversOf(sql, executionId, () => false)) : [];
  return mergedSpans([
    ...standbysOf(sql, executionId).flatMap(({ start, end }) => (end === undefined ? [] : { from: start, until: end })),
    ...gaps.map(({ from, to }) => ({ from: Date.parse(from), until: Date.parse(to) })),
  ]);
}

const madeAt = (table: 'stf_files' | 'tf_slices', end: 'ASC' | 'DESC') =>
  `(SELECT created_at FROM ${table} WHERE execution_id = $id ORDER BY seq ${end} LIMIT 1)`;

const ends = `SELECT ${madeAt('stf_files', 'ASC')} AS first_stf_at, ${madeAt('stf_files', 'DESC')} AS last_stf_at,
  ${madeAt('tf_slices', 'ASC')} AS first_slice_at, (${newestRow}) AS newest_ms`;

/**
 * When the first and the last STF were announced, when the first slice was created, and when the newest row
 * of the execution was recorded, in milliseconds since 1970.
 */
function endsOf(sql: Prepare, id: string) {
  const { first_stf_at, last_stf_at, first_slice_at, newest_ms }: Partial<Ends> = sql<Ends>(ends).get({ id }) ?? {};
  return {
    first_stf_at: first_stf_at ?? undefined,
    last_stf_at: last_stf_at ?? undefined,
    first_slice_at: first_slice_at ?? undefined,
    newest_ms: newest_ms ?? 0,
  };
}

type Ends = Record<'first_stf_at' | 'last_stf_at' | 'first_slice_at', string | null> & { newest_ms: number | null };

function samplesOfUnready(sql: Prepare, executionId: string, params: ExecutionParams) {
  const plan = planOf(params);
  return sql<{ sequence: number; tf_count: number }>(
    `SELECT sequence, tf_count FROM stf_files WHERE execution_id = ? AND ${indexPredicates.registeredStf}`,
  )
    .all(executionId)
    .reduce((sum, stf) => sum + plan.sampleCount(stf), 0);
}
