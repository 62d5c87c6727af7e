import type { Speed } from '../../domain/params.ts';
import type { StageDelay } from '../../domain/stages.ts';
import type { Health } from '../../domain/states.ts';
import { type Capacity, type Forecast, capacityOf, deadlineOf, forecastOf } from '../../monitoring/capacity.ts';
import { type TimeLeft, timeLeft } from '../../monitoring/estimate.ts';
import type { Evidence } from '../../monitoring/evidence.ts';
import { type Facts, downSeconds, driverGaps } from '../../monitoring/facts.ts';
import { findingsOf } from '../../monitoring/findings/index.ts';
import type { Finding } from '../../monitoring/findings/rule.ts';
import { healthOf, heardHealth } from '../../monitoring/health.ts';
import { type AgedSlice, type Pace, oldestInHand, overdueSlices, paceOf } from '../../monitoring/pace.ts';
import { type Progress, progressSoFar } from '../../monitoring/progress.ts';
import type { SliceFacts } from '../../monitoring/slice-facts.ts';
import { type StageState, stageStates } from '../../monitoring/stage-states.ts';
import { type ExecutionRow, type OwnExecution, withPlan } from '../execution/find-execution.ts';
import type { Moment } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { evidenceOf } from './evidence.ts';
import { type ExecutionRecord, executionRecord } from './execution-detail.ts';
import { factsOf } from './facts.ts';
import { endOfLife, secondsOfLife } from './life.ts';
import { type HeardPart, heardFacts } from './observed/facts.ts';

/** The state of an execution at one moment: what is known, and what follows from it. */
export interface Assessment {
  detail: ExecutionRecord;
  progress: Progress;
  /** Undefined while it is unknown: of an execution of other programs that nobody listens to, or while the clock here is behind. */
  health: Health | undefined;
  delays: readonly StageDelay[];
  /** Wall time; while it runs, so far, or until the last sign of life if its driver or its listener is gone. */
  duration_seconds: number;
  /** What follows from its plan and its driver, where this store has them. */
  driving?: Driving;
  /** What the messages of other programs show, where it is known from them. */
  heard?: HeardPart;
}

export interface Driving {
  isHeld: boolean;
  stages: readonly StageState[];
  left: TimeLeft | undefined;
  forecast: Forecast;
  capacity: Capacity | undefined;
  pace: Pace;
  in_hand: InHand;
  /** The current speed. */
  speed: Speed;
}

/** The slices that are being worked on. */
export interface InHand {
  /** Of living workers. */
  count: number;
  /** Of workers that are gone. */
  lost: number;
  /** Slices that take too long: of living workers, and of all where nobody drives the execution. */
  overdue: number;
  /** Undefined without one, and while no age is known. */
  oldest: AgedSlice | undefined;
  /** For the oldest slice, if its payload has a time limit. ISO 8601. */
  deadline?: string;
  worst_end?: string;
}

/** An assessment with findings and their evidence. */
export interface FullAssessment extends Assessment, Pick<SliceFacts, 'causes'> {
  findings: Finding[];
  /** Where this store drives it. */
  evidence: Pick<Evidence, 'drivers' | 'paused_by' | 'pending_stop' | 'unreadable'> | undefined;
  /** Wall time without a driver, between two of them. */
  down_seconds: number;
}

export function assess(sql: Prepare, execution: ExecutionRow, moment: Moment): Assessment {
  const planned = withPlan(execution);
  return planned === undefined ? assessHeard(sql, execution, moment) : assessDriven(sql, planned, moment).assessed;
}

export function assessWithFindings(
  sql: Prepare,
  execution: ExecutionRow,
  { data_as_of, ...moment }: Moment & { data_as_of: string | undefined },
): FullAssessment {
  const planned = withPlan(execution);
  if (planned === undefined) {
    const assessed = assessHeard(sql, execution, moment);
    const { facts } = assessed.heard;
    const findings = findingsOf({ heard: facts });
    return { ...assessed, findings, causes: facts.causes, evidence: undefined, down_seconds: 0 };
  }
  const { facts, detail, assessed } = assessDriven(sql, planned, moment);
  const evidence = evidenceOf(sql, planned, { detail, isAlive: moment.isAlive, data_as_of });
  return {
    ...assessed,
    findings: findingsOf({ driving: { ...assessed.driving, ...evidence, ...facts } }),
    causes: evidence.causes,
    evidence,
    down_seconds: downSeconds(driverGaps(evidence.drivers)),
  };
}

function assessDriven(sql: Prepare, execution: OwnExecution, moment: Moment) {
  const { facts, detail, progress } = factsOf(sql, execution, moment);
  const duration_seconds = secondsOfLife(execution, endOfLife(sql, execution, moment));
  return { facts, detail, assessed: { detail, progress, ...judge(facts), duration_seconds } };
}

function assessHeard(sql: Prepare, execution: ExecutionRow, moment: Moment) {
  const heard = heardFacts(sql, execution, moment);
  const { facts } = heard;
  const detail = executionRecord(sql, execution);
  const end = execution.end_time === null ? facts.now : Date.parse(execution.end_time);
  return {
    detail,
    progress: progressSoFar(execution, detail),
    health: heardHealth(facts),
    delays: facts.delays,
    duration_seconds: Math.max(0, end - Date.parse(execution.start_time)) / 1000,
    heard,
  };
}

function judge(facts: Facts): Pick<Assessment, 'health' | 'delays'> & { driving: Driving } {
  const isTimed = facts.status !== 'running' || facts.ahead_seconds === 0;
  const stages = isTimed ? stageStates(facts) : [];
  const health = healthOf(facts, stages);
  const pace = paceOf(facts);
  const left = health && timeLeft(facts, health);
  const oldest = isTimed ? oldestInHand(facts) : undefined;
  return {
    health,
    delays: facts.delays,
    driving: {
      stages,
      pace,
      in_hand: {
        count: facts.in_hand.length,
        lost: facts.lost.length,
        overdue: overdueSlices(facts, pace).length,
        oldest,
        // Nobody ends a payload whose worker is gone.
        ...(oldest && !oldest.isLost && deadlineOf(oldest, facts)),
      },
      speed: facts.params.speed,
      isHeld: facts.isHeld,
      left,
      forecast: forecastOf(facts, left?.seconds_left),
      capacity: capacityOf(facts),
    },
  };
}
