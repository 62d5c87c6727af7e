import { capacityOf, deadlineOf, forecastOf } from '../../monitoring/capacity.ts';
import { timeLeft } from '../../monitoring/estimate.ts';
import { type Facts, downSeconds, driverGaps } from '../../monitoring/facts.ts';
import { findingsOf } from '../../monitoring/findings/index.ts';
import { withKnown } from '../../monitoring/findings/known.ts';
import { healthOf, heardHealth } from '../../monitoring/health.ts';
import { whyUncounted } from '../../monitoring/heard-facts.ts';
import { oldestInHand, overdueSlices, paceOf } from '../../monitoring/pace.ts';
import { progressSoFar } from '../../monitoring/progress.ts';
import { stageStates } from '../../monitoring/stage-states.ts';
import { type ExecutionRow, withPlan } from '../execution/find-execution.ts';
import { knownOf } from '../log/store-identity.ts';
import type { Moment } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { evidenceOf } from './evidence.ts';
import { executionRecord } from './execution-detail.ts';
import { factsOf } from './facts.ts';
import { secondsOfLife } from './life.ts';
import { heardFacts } from './observed/facts.ts';

/** What follows from its plan and its driver. */
export type Driving = ReturnType<typeof judge>;

/** The slices that are being worked on. */
export type InHand = Driving['in_hand'];

/** An assessment with findings and their evidence. */
export type FullAssessment = ReturnType<typeof assessWithFindings>;

/** The state of an execution at one moment: what is known, and what follows from it. */
export const assess = (sql: Prepare, execution: ExecutionRow, moment: Moment) =>
  stateOf(sql, execution, gather(sql, execution, moment), moment);

export function assessWithFindings(
  sql: Prepare,
  execution: ExecutionRow,
  { data_as_of, ...moment }: Moment & { data_as_of: string | undefined },
) {
  const gathered = gather(sql, execution, moment);
  const { driven, heard } = gathered;
  // No spread here: if it comes first, V8 creates a hidden class for each property of each object, which
  // filled the heap.
  const evidence =
    driven &&
    Object.assign(
      evidenceOf(sql, driven.execution, { detail: driven.detail, isAlive: moment.isAlive, data_as_of }),
      driven.judged,
      driven.facts,
    );
  return Object.assign(stateOf(sql, execution, gathered, moment), {
    findings:
      heard === undefined
        ? findingsOf({ driving: evidence })
        : withKnown(heard.execution_id, findingsOf({ heard }), knownOf(sql)),
    causes: (heard ?? evidence)?.causes ?? [],
    /** If this store drives it. */
    evidence,
    /** Wall time without a driver, between two of them. */
    down_seconds: downSeconds(driverGaps(evidence?.drivers ?? [])),
  });
}

/**
 * The facts about an execution: its plan and its driver, if this store has them, or else what messages of
 * other programs show.
 */
function gather(sql: Prepare, execution: ExecutionRow, moment: Moment) {
  const planned = withPlan(execution);
  if (planned === undefined) return { heard: heardFacts(sql, execution, moment) };
  const known = factsOf(sql, planned, moment);
  return { driven: { execution: planned, ...known, judged: judge(known.facts) } };
}

function stateOf(sql: Prepare, execution: ExecutionRow, { driven, heard }: ReturnType<typeof gather>, moment: Moment) {
  const detail = driven?.detail ?? executionRecord(sql, execution);
  return {
    detail,
    progress: driven?.progress ?? progressSoFar(execution, detail),
    /**
     * Undefined while it is unknown: for an execution of other programs without an observer, or while the
     * local clock is behind.
     */
    health: heard === undefined ? driven?.judged.health : heardHealth(heard),
    /** Why its counts of slices say nothing; undefined if they do say something. */
    why_uncounted: heard && whyUncounted(heard),
    delays: (driven?.facts ?? heard)?.delays ?? [],
    /**
     * Wall time; up to now while it runs, or up to when it was last heard from if its driver or its observer
     * is gone; undefined while the local clock is behind.
     */
    duration_seconds: secondsOfLife(sql, execution, moment),
    driving: driven?.judged,
    /** What the messages of other programs show, if it is known from them. */
    heard,
  };
}

function judge(facts: Facts) {
  const isTimed = facts.status !== 'running' || facts.ahead_seconds === 0;
  const stages = isTimed ? stageStates(facts) : [];
  const health = healthOf(facts, stages);
  const pace = paceOf(facts);
  const left = health && timeLeft(facts, health);
  const oldest = isTimed ? oldestInHand(facts) : undefined;
  return {
    health,
    stages,
    pace,
    in_hand: {
      /** Of live workers. */
      count: facts.in_hand.length,
      /** Of workers that are gone. */
      lost: facts.lost.length,
      /** Slices that live workers have held for too long; undefined while no age is known. */
      overdue: isTimed ? overdueSlices(facts, pace).length : undefined,
      /** Of live workers; undefined if there is none, or while no age is known. */
      oldest,
      /** For the oldest slice, if its payload has a time limit. ISO 8601. */
      ends: oldest && deadlineOf(oldest, facts),
    },
    /** Worker slots; undefined while or once it cannot be known. */
    slots: facts.slots,
    /** The current speed. */
    speed: facts.params.speed,
    isHeld: facts.isHeld,
    left,
    forecast: forecastOf(facts, left?.seconds_left),
    capacity: capacityOf(facts),
  };
}
