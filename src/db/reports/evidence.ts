import { payloadSpecOf } from '../../domain/params.ts';
import { agentTypes } from '../../domain/states.ts';
import type { Evidence, LostStart } from '../../monitoring/evidence.ts';
import { hasSlowSlice } from '../../monitoring/findings/slices.ts';
import type { OwnExecution } from '../execution/find-execution.ts';
import { fruitlessTakeUps } from '../execution/take-ups.ts';
import { listAgents } from '../lists/agents.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { agentStatus, livingTypes } from '../presence/agent-registry.ts';
import { lastSignOf } from '../presence/last-sign.ts';
import {
  isProcessAlive,
  isRemote,
  isSilent,
  type LivenessTest,
  momentOfTest,
  type Owner,
  ownerOf,
} from '../presence/leases.ts';
import { kept } from '../sqlite/kept-answers.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { pausedBy, pendingStop } from './commands.ts';
import { driversOf } from './drivers.ts';
import { type ExecutionDetail, executionDetail } from './execution-detail.ts';
import { failureCauses, failuresByPlace, firstError, firstFailure, noPlaces, slowestSlice } from './failures.ts';
import { someMessages } from './landmarks.ts';
import { PartReader } from './part-reader.ts';
import { readersBehind } from './readers-behind.ts';
import { serviceFindings } from './service-times.ts';
import { exhaustedSlices } from './slices-in-hand.ts';
import { stageDelays } from './stage-delays.ts';
import { agentTroubles, begunAgain, givenUpSlices, goneHosts, unansweredFiles, unfitSlices } from './undone-work.ts';

/** How many rows a finding names, and how many agents are read. */
const named = 5;
const agentsLookedAt = 50;
const lostStartsLookedAt = 100;

/** The agent types that an execution needs beside its driver. The driver plays the other two, and has findings of its own. */
const neededTypes = agentTypes.filter((type) => type !== 'daq_simulator' && type !== 'fast_processing');

/** The evidence that findings name. Damage in one table does not hide the rest. */
export function evidenceOf(
  sql: Prepare,
  execution: OwnExecution,
  { detail, isAlive, data_as_of }: { detail: ExecutionDetail; isAlive: LivenessTest; data_as_of: string | undefined },
): Evidence {
  const { execution_id, status_reason, namespace, status } = execution;
  const parts = new PartReader();
  const owner = ownerOf(sql, execution_id);
  const isRunning = status === 'running';
  const isOverBroker = isRunning && detail.over_broker === 1;
  const now = momentOfTest(isAlive);
  const { unreadable, ...recorded } = kept(sql, recordedEvidence)(execution);
  return {
    execution_id,
    status_reason,
    driver: owner === undefined || !isRunning ? undefined : driverOf(sql, owner, isAlive),
    drivers: parts.read('drivers', () => driversOf(sql, execution_id, isAlive), []),
    agents: parts.read('agents', () => agentsOf(sql, execution_id, isAlive), []),
    lost_starts: parts.read('slices', () => lostStarts(sql, execution_id), [], isRunning && detail.lost_starts > 0),
    missing: isOverBroker ? missingTypes(sql, namespace, isAlive) : [],
    take_ups: isOverBroker ? fruitlessTakeUps(sql, execution_id, now) : 0,
    unfit: parts.read('returned slices', () => unfitSlices(sql, execution, isAlive), [], isRunning),
    ...parts.read('agents', () => agentTroubles(sql, execution, isAlive), { off_duty: [], useless: [] }, isRunning),
    unanswered: parts.read('files', () => unansweredFiles(sql, execution, detail.params, isAlive), [], isOverBroker),
    gone: parts.read('files', () => goneHosts(sql, execution_id, now), [], isOverBroker),
    ...recorded,
    data_as_of,
    unreadable: [...parts.unreadable, ...unreadable],
  };
}

const noServices: ReturnType<typeof serviceFindings> = { slow_slots: undefined, slower: undefined };

/** The evidence that follows from the store alone. */
function recordedEvidence(sql: Prepare, execution: OwnExecution) {
  const { execution_id, status, slices_failed } = execution;
  const { slices_exhausted, slice_retries, lost_starts, slices_retried, over_broker, params } = executionDetail(
    sql,
    execution,
  );
  // The placeholder takes as long as it is told to.
  const hasPayload = payloadSpecOf(params).kind !== 'placeholder' && execution.slices_completed > 0;
  const parts = new PartReader();
  const isRunning = status === 'running';
  const hasEndedEarly = !isRunning && status !== 'completed';
  const isResumed = (ownerOf(sql, execution_id)?.epoch ?? 1) > 1;
  const isAnyFailed = slices_exhausted + slices_failed !== 0;
  const failures = slices_exhausted + slice_retries - lost_starts;
  const delays = stageDelays(sql, execution_id);
  const isSlow = hasSlowSlice(delays.find(({ stage }) => stage === 'slice_started → slice_result'));
  const none = { count: 0, ids: [] };
  const { troubled, awaiting } = indexPredicates;
  return {
    behind: parts.read('cursors', () => readersBehind(sql, execution_id, over_broker === 1), [], isRunning),
    first_error: parts.read('logs', () => firstError(sql, execution_id), undefined),
    first_failure: parts.read('attempts', () => firstFailure(sql, execution_id), undefined, failures > 0),
    ...parts.read('attempts', () => failuresByPlace(sql, execution_id), noPlaces, failures > 0),
    slowest: parts.read('slices', () => slowestSlice(sql, execution_id), undefined, isSlow),
    ...parts.read('slices', () => serviceFindings(sql, execution_id), noServices, hasPayload),
    pending_stop: parts.read('commands', () => pendingStop(sql, execution), undefined),
    exhausted: parts.read('failed slices', () => exhaustedSlices(sql, execution_id, named), [], isAnyFailed),
    exhausted_count: slices_exhausted,
    given_up: parts.read('slices', () => givenUpSlices(sql, execution_id), 0, hasEndedEarly),
    begun_again: parts.read('messages', () => begunAgain(sql, execution_id, delays), 0, isResumed),
    slices_retried,
    causes: parts.read('attempts', () => failureCauses(sql, execution_id), [], failures !== 0),
    paused_by: parts.read('commands', () => pausedBy(sql, execution), undefined),
    refused: parts.read('refused messages', () => someMessages(sql, execution_id, troubled, named), none),
    waiting: parts.read('waiting messages', () => someMessages(sql, execution_id, awaiting, named), none),
    unreadable: parts.unreadable,
  };
}

function driverOf(sql: Prepare, owner: Owner, isAlive: LivenessTest): NonNullable<Evidence['driver']> {
  const { pid, hostname, last_beat } = owner;
  const alive = isProcessAlive(owner, isAlive);
  const last_sign = alive ? last_beat : lastSignOf(sql, owner).at;
  return { pid, hostname, alive, silent: isSilent(owner, isAlive), last_sign };
}

function agentsOf(sql: Prepare, execution_id: string, isAlive: LivenessTest): Evidence['agents'] {
  const filter = { execution_id, include_exited: true };
  const { rows } = kept(sql, listAgents)(filter, { order: 'newest', limit: agentsLookedAt, uncounted: true });
  return rows.map((row) => ({ ...row, status: agentStatus(row, isAlive), isRemote: isRemote(row) }));
}

const lostStarts = (sql: Prepare, executionId: string): LostStart[] =>
  sql<[string], LostStart>(
    `SELECT slice_filename, worker_id AS worker, status, assigned_worker AS worker_now
     FROM lost_starts JOIN tf_slices USING (slice_filename, execution_id)
     WHERE execution_id = ? AND worker_id IS NOT NULL ORDER BY followed_at DESC LIMIT ${lostStartsLookedAt}`,
  ).all(executionId);

/** Over a broker agents may be in any process of the namespace. */
function missingTypes(sql: Prepare, namespace: string, isAlive: LivenessTest): string[] {
  const living = livingTypes(sql, namespace, isAlive);
  return neededTypes.filter((type) => !living.has(type));
}
