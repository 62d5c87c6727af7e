import * as z from 'zod';

import { type WorkflowParams, workflowParamsSchema } from '../../domain/params.ts';
import { plannedSampleCount } from '../../domain/plan.ts';
import type { StageDelay } from '../../domain/stages.ts';
import type { Health } from '../../domain/states.ts';
import { SwfError } from '../../lib/errors.ts';
import { type Capacity, capacityOf, type TimeLeft, timeLeft } from '../../monitoring/estimate.ts';
import type { Evidence, Finding } from '../../monitoring/evidence.ts';
import { findingsOf } from '../../monitoring/findings.ts';
import { progressOf } from '../../monitoring/progress.ts';
import { type Facts, healthOf, type StageState, stageStates } from '../../monitoring/stage-states.ts';
import { type ExecutionDetail, executionDetail, type ExecutionRow } from '../lists/executions.ts';
import { firstError } from '../lists/logs.ts';
import { isHeld, refusedMessages, waitingMessages } from '../lists/messages.ts';
import { exhaustedSlices, lostSlices, secondsInHand } from '../lists/tf-slices.ts';
import { agentStatus, listAgents, livingTypes } from '../presence/agent-registry.ts';
import { isProcessAlive, isSilent, type LivenessTest, ownerOf } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { stageDelays } from './stage-delays.ts';

/** An execution as it does at one moment: what is known, and what follows from it. */
export interface Assessment {
  detail: ExecutionDetail;
  progress: ReturnType<typeof progressOf>;
  health: Health;
  isHeld: boolean;
  stages: StageState[];
  delays: StageDelay[];
  left: TimeLeft | undefined;
  capacity: Capacity | undefined;
}

/** The figures of an execution, all of them kept, none counted: as fast for a long run as for a short one. */
function factsOf(
  sql: Prepare,
  execution: ExecutionRow,
  isAlive: LivenessTest,
  now: number,
): { facts: Facts; detail: ExecutionDetail; progress: Assessment['progress'] } {
  const { execution_id, run_number } = execution;
  const detail = executionDetail(sql, execution);
  const progress = progressOf(execution, detail);
  const owner = ownerOf(sql, execution_id);
  const lastStf = sql<[string], { created_at: string }>(
    'SELECT created_at FROM stf_files WHERE execution_id = ? ORDER BY seq DESC LIMIT 1',
  ).get(execution_id);
  const params = workflowParamsSchema.parse(detail.params);
  const facts: Facts = {
    now,
    status: execution.status,
    phase: execution.phase,
    start_time: execution.start_time,
    phase_changed_at: detail.phase_changed_at,
    isHeld: execution.status === 'running' && isHeld(sql, execution_id),
    params,
    counts: execution,
    stfs_ready: detail.stfs_ready,
    samples_expected: detail.samples_expected,
    samples_of_unready: samplesOfUnready(sql, execution_id, params),
    slices_expected: detail.slices_expected,
    stf_planned: progress.stf_planned,
    slices_planned: progress.slices_planned,
    slices_final: progress.slices_final,
    slice_retries: detail.slice_retries,
    delays: stageDelays(sql, run_number),
    last_stf_at: lastStf?.created_at,
    payload_timeout: payloadTimeout(detail.params),
    in_hand_seconds: secondsInHand(sql, execution_id, now),
    driver: owner === undefined ? undefined : { alive: isProcessAlive(owner, isAlive), silent: isSilent(owner) },
  };
  return { facts, detail, progress };
}

function samplesOfUnready(sql: Prepare, executionId: string, params: WorkflowParams): number {
  return sql<[string], { sequence: number; tf_count: number }>(
    `SELECT sequence, tf_count FROM stf_files WHERE execution_id = ? AND status = 'registered'`,
  )
    .all(executionId)
    .reduce((sum, { sequence, tf_count }) => sum + plannedSampleCount(sequence, tf_count, params), 0);
}

const payloadSchema = z.object({ worker: z.object({ payload: z.array(z.string()), timeout_seconds: z.number() }) });

/** How long a payload command of the recorded configuration may take; undefined where there is none. */
function payloadTimeout(params: unknown): number | undefined {
  return payloadSchema.safeParse(params).data?.worker.timeout_seconds;
}

/** How an execution does. @param now in milliseconds since 1970 */
export function assess(sql: Prepare, execution: ExecutionRow, isAlive: LivenessTest, now: number): Assessment {
  const { facts, ...rest } = factsOf(sql, execution, isAlive, now);
  return { ...rest, ...judge(facts) };
}

function judge(facts: Facts) {
  const stages = stageStates(facts);
  const health = healthOf(facts, stages);
  return {
    stages,
    health,
    isHeld: facts.isHeld,
    delays: [...facts.delays],
    left: timeLeft(facts, health),
    capacity: capacityOf(facts),
  };
}

/** Over a broker agents may be in any process of the namespace. */
function missingTypes(sql: Prepare, namespace: string, isAlive: LivenessTest): string[] {
  const living = livingTypes(sql, namespace, isAlive);
  return ['data', 'fastmon', 'fast_processing', 'worker'].filter((type) => !living.has(type));
}

/** Rows that a finding names, and rows that are counted at most. */
const named = 5;
const agentsLookedAt = 50;

/** How an execution does, with everything that is worth saying of it. */
export function assessWithFindings(
  sql: Prepare,
  execution: ExecutionRow,
  { isAlive, now, data_as_of }: { isAlive: LivenessTest; now: number; data_as_of: string | undefined },
): Assessment & { findings: Finding[]; unreadable: string[] } {
  const { facts, detail, progress } = factsOf(sql, execution, isAlive, now);
  const judged = judge(facts);
  const { execution_id } = execution;
  const unreadable: string[] = [];
  /** Damage in one table must not hide what others hold. */
  const readable = <T>(name: string, ask: () => T, instead: T): T => {
    try {
      return ask();
    } catch (error) {
      if (!(error instanceof SwfError) || error.code !== 'STORE_CORRUPT') throw error;
      unreadable.push(name);
      return instead;
    }
  };
  const owner = ownerOf(sql, execution_id);
  const agents = readable(
    'agents',
    () =>
      listAgents(
        sql,
        { execution_id, include_exited: true },
        { order: 'newest', limit: agentsLookedAt, uncounted: true },
      ).rows.map((row) => ({ ...row, status: agentStatus(row, isAlive) })),
    [],
  );
  const isRunning = execution.status === 'running';
  const evidence: Evidence = {
    execution_id,
    status_reason: execution.status_reason,
    driver:
      owner === undefined ? undefined : { ...owner, alive: isProcessAlive(owner, isAlive), silent: isSilent(owner) },
    agents,
    missing: isRunning && detail.over_broker === 1 ? missingTypes(sql, execution.namespace, isAlive) : [],
    lost: isRunning ? readable('slices in work', () => lostSlices(sql, execution_id, isAlive), []) : [],
    first_error: readable('logs', () => firstError(sql, execution_id), undefined),
    exhausted:
      detail.slices_exhausted === 0
        ? []
        : readable('failed slices', () => exhaustedSlices(sql, execution_id, named), []),
    exhausted_count: detail.slices_exhausted,
    refused: readable('refused messages', () => refusedMessages(sql, execution_id, named), { count: 0, ids: [] }),
    waiting: readable('waiting messages', () => waitingMessages(sql, execution_id, named), { count: 0, ids: [] }),
    data_as_of,
    unreadable,
  };
  return { detail, progress, ...judged, findings: findingsOf(facts, evidence, judged), unreadable };
}
