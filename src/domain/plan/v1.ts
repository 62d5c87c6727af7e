import { sampleNumber, sliceFilename, stfFilename, tfFilename } from '../file-names.ts';
import { evenPart, exactOrUndefined, floorOfProduct } from '../fractions.ts';
import type { WorkflowParams } from '../params.ts';
import { random } from '../random.ts';
import type { Plan, PlannedSample, PlannedSlice, SampleToCut } from './plan.ts';

/** Version 1 of the plan. */
export function planV1(params: WorkflowParams): Plan {
  const { slices_per_sample } = params.fast_processing;
  return {
    sampleCount: (stf) => sampleCount(stf, params),
    samples: (stf) => planSamples(stf, params),
    sliceCount: (tf_count) => sliceCount(tf_count, slices_per_sample),
    slices: (sample) =>
      Array.from({ length: sliceCount(sample.tf_count, slices_per_sample) }, (_, k) =>
        cutSlice(sample, slices_per_sample, k),
      ),
    slice: (sample, slice_id) => planSlice(sample, slices_per_sample, slice_id),
    counts: (stfCount) => planCounts(stfCount, params),
  };
}

/** STF number `sequence` (from 1) is sampled exactly if ⌊n·rate⌋ > ⌊(n−1)·rate⌋. */
export function isSampled(sequence: number, rate: number): boolean {
  if (rate >= 1) return true;
  return floorOfProduct(sequence, rate) > floorOfProduct(sequence - 1, rate);
}

function sampleCount({ sequence, tf_count }: { sequence: number; tf_count: number }, params: WorkflowParams): number {
  if (tf_count < 1 || !isSampled(sequence, params.fast_processing.stf_sampling_rate)) return 0;
  return Math.min(params.fastmon.tf_samples_per_stf, tf_count);
}

/**
 * The samples of one STF: none if it is not sampled; else `tf_samples_per_stf` ranges, one in each of as many equal parts of the
 * STF, which together hold `tf_fraction` of its frames (at least one frame each).
 */
function planSamples(stf: Parameters<Plan['samples']>[0], params: WorkflowParams): PlannedSample[] {
  const { run, sequence, tf_count } = stf;
  const samples = sampleCount(stf, params);
  return sampleSizes(tf_count, samples, params).map((size, index) => {
    const part = evenPart(tf_count, samples, index);
    const spare = part.size - size;
    const tf_first = part.start + Math.floor(random(run, sequence, `sample ${index + 1}`) * (spare + 1));
    return {
      sample: index + 1,
      tf_filename: tfFilename(stfFilename(run, sequence), index + 1),
      tf_first,
      tf_last: tf_first + size - 1,
      tf_count: size,
    };
  });
}

/** The frames of each of the samples of one STF. */
function sampleSizes(tf_count: number, samples: number, { fastmon }: WorkflowParams): number[] {
  const wanted = Math.max(samples, floorOfProduct(tf_count, fastmon.tf_fraction));
  return Array.from({ length: samples }, (_, index) =>
    Math.min(evenPart(wanted, samples, index).size, evenPart(tf_count, samples, index).size),
  );
}

/** A sample with fewer frames than `slicesPerSample` gives one slice per frame. */
const sliceCount = (tf_count: number, slicesPerSample: number) => Math.min(slicesPerSample, tf_count);

function planSlice(sample: SampleToCut, slicesPerSample: number, slice_id: number): PlannedSlice | undefined {
  const k = slice_id - firstSliceId(sample.tf_filename, slicesPerSample);
  const isPlanned = k >= 0 && k < sliceCount(sample.tf_count, slicesPerSample);
  return isPlanned ? cutSlice(sample, slicesPerSample, k) : undefined;
}

/** `slice_id` counts through the STF from 0. */
const firstSliceId = (tfFile: string, slicesPerSample: number) => ((sampleNumber(tfFile) ?? 1) - 1) * slicesPerSample;

/** Slice `k` (from 0) of a sample: contiguous, without gap or overlap, sizes differing by at most one frame. */
function cutSlice(sample: SampleToCut, slicesPerSample: number, k: number): PlannedSlice {
  const slice_id = firstSliceId(sample.tf_filename, slicesPerSample) + k;
  const { start, size } = evenPart(sample.tf_count, sliceCount(sample.tf_count, slicesPerSample), k);
  const tf_first = sample.tf_first + start;
  return {
    slice_id,
    slice_filename: sliceFilename(sample.stf_filename, slice_id),
    tf_first,
    tf_last: tf_first + size - 1,
    tf_count: size,
  };
}

function planCounts(stfCount: number, params: WorkflowParams): ReturnType<Plan['counts']> {
  const { stf_sampling_rate, slices_per_sample } = params.fast_processing;
  const stfs = stf_sampling_rate >= 1 ? stfCount : floorOfProduct(stfCount, stf_sampling_rate);
  // Every sampled STF gives the same number: only the places of its samples are random.
  const everySampled = { ...params, fast_processing: { ...params.fast_processing, stf_sampling_rate: 1 } };
  const tf_count = params.daq_state_machine.tf_per_stf;
  const samples = sampleSizes(tf_count, sampleCount({ sequence: 1, tf_count }, everySampled), params);
  const slicesPerStf = samples.reduce((sum, size) => sum + sliceCount(size, slices_per_sample), 0);
  return { samples: exactOrUndefined(stfs * samples.length), slices: exactOrUndefined(stfs * slicesPerStf) };
}
