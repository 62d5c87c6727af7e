import { sha256 } from '../../lib/sha256.ts';
import { sampleNumber, sliceFilename, stfFilename, tfFilename } from '../file-names.ts';
import { evenPart, exactOrUndefined, floorOfProduct } from '../fractions.ts';
import type { WorkflowParams } from '../params.ts';
import type { Plan, PlannedSample, PlannedSlice, SampleToCut } from './plan.ts';

/** STF number `sequence` (from 1) is sampled exactly if ⌊n·rate⌋ > ⌊(n−1)·rate⌋. */
export function isSampled(sequence: number, rate: number): boolean {
  if (rate >= 1) return true;
  return floorOfProduct(sequence, rate) > floorOfProduct(sequence - 1, rate);
}

/**
 * A number in [0, 1) that depends on its arguments alone, so that an interruption changes nothing.
 * @param purpose what the number is for; two purposes give independent numbers
 */
export function random(run: number, sequence: number, purpose: string): number {
  const digest = sha256().update(`${run}/${sequence}/${purpose}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/** Version 1 of the plan. */
export function planV1({ fast_processing, fastmon, daq_state_machine }: WorkflowParams): Plan {
  const { slices_per_sample, stf_sampling_rate: rate } = fast_processing;
  const { tf_samples_per_stf, tf_fraction } = fastmon;
  const { tf_per_stf } = daq_state_machine;
  const sampleCount: Plan['sampleCount'] = ({ sequence, tf_count }) =>
    tf_count < 1 || !isSampled(sequence, rate) ? 0 : Math.min(tf_samples_per_stf, tf_count);

  /**
   * The frames of each of the samples of one STF: `tf_fraction` of its frames together, and at least one
   * each.
   */
  const sampleSizes = (tf_count: number, samples: number) => {
    const wanted = Math.max(samples, floorOfProduct(tf_count, tf_fraction));
    return Array.from({ length: samples }, (_, index) =>
      Math.min(evenPart(wanted, samples, index).size, evenPart(tf_count, samples, index).size),
    );
  };

  /** A sample with fewer frames than `slices_per_sample` gives one slice per frame. */
  const sliceCount = (tf_count: number) => Math.min(slices_per_sample, tf_count);

  /** `slice_id` counts through the STF from 0. */
  const firstSliceId = (tfFile: string) => ((sampleNumber(tfFile) ?? 1) - 1) * slices_per_sample;

  /**
   * Slice `k` (from 0) of a sample: contiguous, without gap or overlap, sizes differing by at most one frame.
   */
  const cutSlice = (sample: SampleToCut, k: number): PlannedSlice => {
    const slice_id = firstSliceId(sample.tf_filename) + k;
    const { start, size } = evenPart(sample.tf_count, sliceCount(sample.tf_count), k);
    const slice_filename = sliceFilename(sample.stf_filename, slice_id);
    const tf_first = sample.tf_first + start;
    return { slice_id, slice_filename, tf_first, tf_last: tf_first + size - 1, tf_count: size };
  };

  return {
    sampleCount,
    samples: (stf) => {
      const samples = sampleCount(stf);
      return sampleSizes(stf.tf_count, samples).map((size, index) => sampleOf(stf, samples, index, size));
    },
    sliceCount,
    slices: (sample) => Array.from({ length: sliceCount(sample.tf_count) }, (_, k) => cutSlice(sample, k)),
    slice(sample, slice_id) {
      const k = slice_id - firstSliceId(sample.tf_filename);
      return k >= 0 && k < sliceCount(sample.tf_count) ? cutSlice(sample, k) : undefined;
    },
    counts(stfCount) {
      const stfs = rate >= 1 ? stfCount : floorOfProduct(stfCount, rate);
      // Every sampled STF gives the same number: only the places of its samples are random.
      const sizes = sampleSizes(tf_per_stf, Math.min(tf_samples_per_stf, tf_per_stf));
      const slicesPerStf = sizes.reduce((sum, size) => sum + sliceCount(size), 0);
      return { samples: exactOrUndefined(stfs * sizes.length), slices: exactOrUndefined(stfs * slicesPerStf) };
    },
  };
}

/**
 * Sample `index` (from 0) of an STF lies at random in one of as many equal parts of the STF as it has
 * samples.
 */
function sampleOf(stf: Parameters<Plan['samples']>[0], samples: number, index: number, size: number): PlannedSample {
  const { run, sequence, tf_count } = stf;
  const sample = index + 1;
  const part = evenPart(tf_count, samples, index);
  const spare = part.size - size;
  const tf_first = part.start + Math.floor(random(run, sequence, `sample ${sample}`) * (spare + 1));
  const tf_filename = tfFilename(stfFilename(run, sequence), sample);
  return { sample, tf_filename, tf_first, tf_last: tf_first + size - 1, tf_count: size };
}
