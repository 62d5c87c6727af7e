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

/** Conclusions from the plan and the driver of an execution. */
export type Driving = ReturnType<typeof judge>;

export type InHand = Driving['in_hand'];

export type FullAssessment = ReturnType<typeof assessWithFindings>;

/** The state of an execution at one moment: the known facts, and what follows from them. */
export const assess = (sql: Prepare, execution: ExecutionRow, moment: Moment) =>
  stateOf(sql, execution, gather(sql, execution, moment), moment);

export function assessWithFindings(
  sql: Prepare,
  execution: ExecutionRow,
  { data_as_of, ...moment }: Moment & { data_as_of: string | undefined },
) {
  const gathered = gather(sql, execution, moment);
  const { driven, heard } = gathered;
  // Do not spread here: an object that begins with a spread gets a hidden class for each of its properties, and
  // such classes filled V8's heap.
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
    /** The evidence, if the execution's plan and driver are in this store. */
    evidence,
    /** The wall time without a driver, between two drivers. */
    down_seconds: downSeconds(driverGaps(evidence?.drivers ?? [])),
  });
}

/**
 * The facts about an execution: from its plan and its driver if this store has them, otherwise from the
 * messages of other programs.
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
     * Undefined while unknown: for an execution of other programs without an observer, or while the clock of
     * this host is behind.
     */
    health: heard === undefined ? driven?.judged.health : heardHealth(heard),
    /** Why the execution's slice counts are meaningless; undefined if they are meaningful. */
    why_uncounted: heard && whyUncounted(heard),
    delays: (driven?.facts ?? heard)?.delays ?? [],
    /**
     * The execution's wall time: up to now while it runs, or until it was last heard from if its driver or
     * observer is gone; undefined while the clock of this host is behind.
     */
    duration_seconds: secondsOfLife(sql, execution, moment),
    driving: driven?.judged,
    /** The facts that messages from other programs show, for an execution known only from such messages. */
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
      /** Number of slices that live workers have in hand. */
      count: facts.in_hand.length,
      /** Number of slices whose workers are gone. */
      lost: facts.lost.length,
      /** Number of slices that live workers have held for too long; undefined while ages are unknown. */
      overdue: isTimed ? overdueSlices(facts, pace).length : undefined,
      /**
       * The slice that a live worker has held longest; undefined if there is none, or while ages are unknown.
       */
      oldest,
      /** When the payload of the oldest slice must end, if it has a time limit. ISO 8601. */
      ends: oldest && deadlineOf(oldest, facts),
    },
    /** Number of worker slots; undefined if it is unknown, or can no longer be known. */
    slots: facts.slots,
    speed: facts.params.speed,
    isHeld: facts.isHeld,
    left,
    forecast: forecastOf(facts, left?.seconds_left),
    capacity: capacityOf(facts),
  };
}
