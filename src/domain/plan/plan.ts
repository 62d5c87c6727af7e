/**
 * The rules that decide what happens to the data: which STFs are sampled, which frames a sample holds, how a
 * sample is cut. Agents, projection, progress and audit share one plan. Frame indices are those of the STF,
 * from 0, and inclusive.
 *
 * An execution keeps the version of the plan that it began with (`plan_version` of its `run_workflow`), so a
 * new version never makes an old log wrong. To change these rules, add a file beside `v1.ts` and a line in
 * `versions.ts`.
 */
export interface Plan {
  /** How many samples an STF of `tf_count` frames gives. */
  sampleCount(stf: { sequence: number; tf_count: number }): number;
  samples(stf: { run: number; sequence: number; tf_count: number }): PlannedSample[];
  /** How many slices a sample of `tf_count` frames is cut into. */
  sliceCount(tf_count: number): number;
  /** The slices of a sample, in the order of their ids. */
  slices(sample: SampleToCut): PlannedSlice[];
  /** The slice with this id; undefined if the sample has no such slice. */
  slice(sample: SampleToCut, slice_id: number): PlannedSlice | undefined;
  /**
   * How many samples and slices a run of `stfCount` STFs makes; undefined for a number too large to be exact.
   */
  counts(stfCount: number): { samples: number | undefined; slices: number | undefined };
}

interface FrameRange {
  tf_first: number;
  tf_last: number;
  tf_count: number;
}

export interface PlannedSample extends FrameRange {
  /** From 1. */
  sample: number;
  tf_filename: string;
}

export interface PlannedSlice extends FrameRange {
  slice_id: number;
  slice_filename: string;
}

/** The parts of a sample that determine its slices. */
export interface SampleToCut {
  stf_filename: string;
  tf_filename: string;
  tf_first: number;
  tf_count: number;
}
