import type { Counts } from '../domain/counts.ts';
import { plannedStfCount } from '../domain/daq-schedule.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { planOf } from '../domain/plan/versions.ts';
import { percentDone } from '../lib/rounded.ts';

/** The part of an execution's record that, together with its counts, determines its progress. */
export interface ProgressRecord {
  params: ExecutionParams;
  stfs_ready: number;
  samples_expected: number;
  slices_expected: number;
  slices_exhausted: number;
  last_tick: number | null;
}

type Recorded = Omit<ProgressRecord, 'params'>;

/** Progress of an execution without a known plan. */
export const progressSoFar = (counts: Counts, recorded: Recorded) => ({
  stf_planned: undefined as number | undefined,
  stf_ready: recorded.stfs_ready,
  tf_files_expected: recorded.samples_expected,
  tf_files_planned: undefined as number | undefined,
  slices_expected: recorded.slices_expected,
  slices_final: counts.slices_completed + recorded.slices_exhausted,
  slices_planned: undefined as number | undefined,
  percent: undefined as number | undefined,
  simulation_tick: recorded.last_tick,
});

export type Progress = ReturnType<typeof progressSoFar>;

/** The planned number of TF slices in a whole run; undefined if it continues until it is stopped. */
export function plannedSlices(params: ExecutionParams) {
  const stfs = plannedStfCount(params);
  return stfs === undefined ? undefined : planOf(params).counts(stfs).slices;
}

/**
 * The progress of an execution against its plan. A run that continues until it is stopped has no planned
 * counts.
 */
export function progressOf(counts: Counts, recorded: ProgressRecord) {
  const soFar = progressSoFar(counts, recorded);
  const stf_planned = plannedStfCount(recorded.params);
  if (stf_planned === undefined) return soFar;
  const { samples, slices } = planOf(recorded.params).counts(stf_planned);
  const percent = slices === undefined || slices === 0 ? undefined : percentDone(soFar.slices_final, slices);
  return { ...soFar, stf_planned, tf_files_planned: samples, slices_planned: slices, percent };
}
