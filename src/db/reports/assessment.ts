import type { Speed } from '../../domain/params.ts';
import type { StageDelay } from '../../domain/stages.ts';
import type { Health } from '../../domain/states.ts';
import { type Capacity, capacityOf } from '../../monitoring/capacity.ts';
import { downSeconds, driverGaps } from '../../monitoring/driver-gaps.ts';
import { type TimeLeft, timeLeft } from '../../monitoring/estimate.ts';
import type { Evidence } from '../../monitoring/evidence.ts';
import type { Facts } from '../../monitoring/facts.ts';
import { findingsOf } from '../../monitoring/findings/index.ts';
import type { Finding } from '../../monitoring/findings/rule.ts';
import { deadlineOf, type Forecast, forecastOf } from '../../monitoring/forecast.ts';
import { healthOf } from '../../monitoring/health.ts';
import { type AgedSlice, oldestInHand, overdueSlices, type Pace, paceOf } from '../../monitoring/pace.ts';
import type { Progress } from '../../monitoring/progress.ts';
import { type StageState, stageStates } from '../../monitoring/stage-states.ts';
import type { OwnExecution } from '../execution/find-execution.ts';
import type { Moment } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { evidenceOf } from './evidence.ts';
import type { ExecutionRecord } from './execution-detail.ts';
import { factsOf } from './facts.ts';
import { endOfLife, secondsOfLife } from './life.ts';
import type { ObservedPart } from './observed/facts.ts';

/** The state of an execution at one moment: what is known, and what follows from it. */
export interface Assessment {
  detail: ExecutionRecord;
  progress: Progress;
  /** Undefined for an observed execution of unknown status. */
  health: Health | undefined;
  isHeld: boolean;
  stages: StageState[];
  delays: StageDelay[];
  left: TimeLeft | undefined;
  /** Only for own executions. */
  forecast?: Forecast;
  capacity: Capacity | undefined;
  pace: Pace;
  in_hand: InHand;
  /** Wall time; while it runs, so far, or until the last sign of life if its driver is gone. */
  duration_seconds: number;
  /** The current speed; undefined for an observed execution, whose speed is unknown. */
  speed: Speed | undefined;
  /** Only for observed executions. */
  observed?: ObservedPart;
}

/** The slices that are being worked on. */
export interface InHand {
  /** Of living workers. */
  count: number;
  /** Of workers that are gone. */
  lost: number;
  /** Slices that take too long: of living workers, and of all where nobody drives the execution. */
  overdue: number;
  oldest: AgedSlice | undefined;
  /** For the oldest slice, if its payload has a time limit. ISO 8601. */
  deadline?: string;
  worst_end?: string;
}

/** An assessment with findings and their evidence. */
export interface FullAssessment
  extends Assessment, Pick<Evidence, 'drivers' | 'causes' | 'paused_by' | 'pending_stop' | 'unreadable'> {
  findings: Finding[];
  /** Wall time without a driver, between two of `drivers`. */
  down_seconds: number;
}

export function assess(sql: Prepare, execution: OwnExecution, moment: Moment): Assessment {
  const { facts, ...rest } = factsOf(sql, execution, moment);
  const duration_seconds = secondsOfLife(sql, execution, endOfLife(sql, execution, moment));
  return { ...rest, ...judge(facts), duration_seconds };
}

export function assessWithFindings(
  sql: Prepare,
  execution: OwnExecution,
  { data_as_of, ...moment }: Moment & { data_as_of: string | undefined },
): FullAssessment {
  const { facts, detail, progress } = factsOf(sql, execution, moment);
  const judged = judge(facts);
  const evidence = evidenceOf(sql, execution, { detail, isAlive: moment.isAlive, data_as_of });
  const findings = findingsOf({ facts, evidence, judged });
  const { drivers, causes, paused_by, pending_stop, unreadable } = evidence;
  const duration_seconds = secondsOfLife(sql, execution, endOfLife(sql, execution, moment));
  const down_seconds = downSeconds(driverGaps(drivers));
  const parts = { findings, drivers, down_seconds, causes, paused_by, pending_stop, unreadable };
  return { detail, progress, ...judged, ...parts, duration_seconds };
}

function judge(facts: Facts) {
  const stages = stageStates(facts);
  const health = healthOf(facts, stages);
  const pace = paceOf(facts);
  const left = timeLeft(facts, health);
  const oldest = oldestInHand(facts);
  return {
    stages,
    health,
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
    delays: [...facts.delays],
    left,
    forecast: forecastOf(facts, left?.seconds_left),
    capacity: capacityOf(facts),
  };
}
