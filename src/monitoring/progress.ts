import type { Counts } from '../domain/counts.ts';
import { plannedStfCount } from '../domain/daq-schedule.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { planOf } from '../domain/plan/versions.ts';
import { percentDone } from '../lib/rounded.ts';

/** The part of an execution's record that, with its counts, determines its progress. */
export interface ProgressRecord {
  params: ExecutionParams;
  stfs_ready: number;
  samples_expected: number;
  slices_expected: number;
  slices_exhausted: number;
  last_tick: number | null;
}

/** Progress of an execution against its plan. A run that goes on until stopped has no planned counts. */
export function progressOf(counts: Counts, recorded: ProgressRecord) {
  const { params } = recorded;
  const stf_planned = plannedStfCount(params);
  const slices_final = counts.slices_completed + recorded.slices_exhausted;
  const planned = stf_planned === undefined ? undefined : planOf(params).counts(stf_planned);
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
      slices_planned === undefined || slices_planned === 0 ? undefined : percentDone(slices_final, slices_planned),
    simulation_tick: recorded.last_tick,
  };
}

export type Progress = ReturnType<typeof progressOf>;
