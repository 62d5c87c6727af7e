import type { Counts } from '../agents/ports.ts';
import { plannedStfCount } from '../domain/daq-schedule.ts';
import { workflowParamsSchema } from '../domain/params.ts';
import { plannedCounts } from '../domain/plan.ts';

/** What the store knows of an execution beside its counts. */
export interface Recorded {
  params: unknown;
  stfs_ready: number;
  samples_expected: number;
  slices_expected: number;
  slices_exhausted: number;
  last_tick: number | null;
}

/** How far an execution is against its plan. What has no planned end (a run until it is stopped) has no planned counts. */
export function progressOf(counts: Counts, recorded: Recorded) {
  const params = workflowParamsSchema.parse(recorded.params);
  const stf_planned = plannedStfCount(params);
  const slices_final = counts.slices_completed + recorded.slices_exhausted;
  const planned = stf_planned === undefined ? undefined : plannedCounts(stf_planned, params);
  const slices_planned = planned?.slices;
  return {
    stf_planned,
    stf_ready: recorded.stfs_ready,
    tf_files_expected: recorded.samples_expected,
    tf_files_planned: planned?.samples,
    slices_expected: recorded.slices_expected,
    slices_final,
    slices_planned,
    percent:
      slices_planned === undefined || slices_planned === 0
        ? undefined
        : Math.round((1000 * slices_final) / slices_planned) / 10,
    simulation_tick: recorded.last_tick,
  };
}
