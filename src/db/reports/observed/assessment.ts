import { usualProcessing } from '../../../monitoring/observed/facts.ts';
import { observedFindings } from '../../../monitoring/observed/findings/index.ts';
import { observedHealth } from '../../../monitoring/observed/health.ts';
import type { ObservedExecution } from '../../execution/find-execution.ts';
import type { Moment } from '../../presence/leases.ts';
import type { Prepare } from '../../sqlite/statements.ts';
import type { Assessment, FullAssessment } from '../assessment.ts';
import { executionRecord } from '../execution-detail.ts';
import { observedFacts, type ObservedPart } from './facts.ts';

/** Assesses an observed execution, whose plan, driver and workers in hand are unknown. */
export function assessObserved(sql: Prepare, execution: ObservedExecution, moment: Moment): Assessment {
  const { facts, record } = observedFacts(sql, execution, moment);
  const detail = executionRecord(sql, execution);
  const { slices_completed, slices_failed, tf_files_received, slices_created, start_time, end_time } = execution;
  const usual_seconds = usualProcessing(facts.delays) || undefined;
  const end = end_time === null ? facts.now : Date.parse(end_time);
  return {
    detail,
    progress: {
      stf_planned: undefined,
      stf_ready: detail.stfs_ready,
      tf_files_expected: tf_files_received,
      tf_files_planned: undefined,
      slices_expected: slices_created,
      slices_final: slices_completed + slices_failed,
      slices_planned: undefined,
      percent: undefined,
      simulation_tick: detail.last_tick,
    },
    health: observedHealth(facts),
    isHeld: false,
    stages: [],
    delays: [...facts.delays],
    left: undefined,
    capacity: undefined,
    pace: { usual_seconds, slow_seconds: Infinity, stalled_seconds: undefined },
    in_hand: { count: 0, lost: 0, overdue: 0, oldest: undefined },
    duration_seconds: Math.max(0, end - Date.parse(start_time)) / 1000,
    speed: undefined,
    observed: { facts, record },
  };
}

export function assessObservedWithFindings(sql: Prepare, execution: ObservedExecution, moment: Moment): FullAssessment {
  const assessed = assessObserved(sql, execution, moment);
  const { facts } = assessed.observed as ObservedPart;
  return {
    ...assessed,
    findings: observedFindings(facts),
    drivers: [],
    down_seconds: 0,
    causes: facts.causes,
    paused_by: undefined,
    pending_stop: undefined,
    unreadable: [],
  };
}
