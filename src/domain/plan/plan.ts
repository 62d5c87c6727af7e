/**
 * The rules that decide what happens to the data: which STFs are sampled, which frames a sample contains, and
 * how a sample is cut. Agents, projection, progress and audit share one plan. Frame indices count within the
 * STF, from 0, and ranges are inclusive.
 *
 * An execution keeps the version of the plan with which it began (`plan_version` of its `run_workflow`), so a
 * new version never invalidates an old log. To change these rules, add a file next to `v1.ts` and a line in
 * `versions.ts`.
 */
export interface Plan {
  /** Number of samples from an STF of `tf_count` frames. */
  sampleCount(stf: { sequence: number; tf_count: number }): number;
  samples(stf: { run: number; sequence: number; tf_count: number }): PlannedSample[];
  /** Number of slices into which a sample of `tf_count` frames is cut. */
  sliceCount(tf_count: number): number;
  /** The slices of a sample, in the order of their ids. */
  slices(sample: SampleToCut): PlannedSlice[];
  /** The slice with this id; undefined if the sample has no such slice. */
  slice(sample: SampleToCut, slice_id: number): PlannedSlice | undefined;
  /**
   * Number of samples and slices in a run of `stfCount` STFs; undefined if a number is too large to be exact.
   */
  counts(stfCount: number): { samples: number | undefined; slices: number | undefined };
}

interface FrameRange {
  tf_first: number;
  tf_last: number;
  tf_count: number;
}

export interface PlannedSample extends FrameRange {
  /** The number of the sample in its STF, from 1. */
  sample: number;
  tf_filename: string;
}

export interface PlannedSlice extends FrameRange {
  slice_id: number;
  slice_filename: string;
}

/** The properties of a sample that determine its slices. */
export interface SampleToCut {
  stf_filename: string;
  tf_filename: string;
  tf_first: number;
  tf_count: number;
}
