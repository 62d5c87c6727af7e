import { sha256 } from '../../lib/sha256.ts';
import { sampleNumber, sliceFilename, stfFilename, tfFilename } from '../file-names.ts';
import { evenPart, exactOrUndefined, floorOfProduct } from '../fractions.ts';
import type { WorkflowParams } from '../params.ts';
import type { Plan, SampleToCut } from './plan.ts';

/** STF number `sequence` (from 1) is sampled if and only if ⌊n·rate⌋ > ⌊(n−1)·rate⌋. */
export function isSampled(sequence: number, rate: number) {
  if (rate >= 1) return true;
  return floorOfProduct(sequence, rate) > floorOfProduct(sequence - 1, rate);
}

/**
 * A number in [0, 1) that depends only on the arguments, so that an interruption changes nothing.
 * @param purpose what the number is for; different purposes give independent numbers
 */
export function random(run: number, sequence: number, purpose: string) {
  const digest = sha256().update(`${run}/${sequence}/${purpose}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

export function planV1({ fast_processing, fastmon, daq_state_machine }: WorkflowParams): Plan {
  const { slices_per_sample, stf_sampling_rate: rate } = fast_processing;
  const { tf_per_stf } = daq_state_machine;
  const sampleCount: Plan['sampleCount'] = ({ sequence, tf_count }) =>
    tf_count < 1 || !isSampled(sequence, rate) ? 0 : Math.min(fastmon.tf_samples_per_stf, tf_count);

  /**
   * Number of frames in each sample of one STF: together `tf_fraction` of the STF's frames, but at least one
   * frame per sample.
   */
  const sampleSizes = (tf_count: number, samples: number) => {
    const wanted = Math.max(samples, floorOfProduct(tf_count, fastmon.tf_fraction));
    return Array.from({ length: samples }, (_, index) =>
      Math.min(evenPart(wanted, samples, index).size, evenPart(tf_count, samples, index).size),
    );
  };

  /** A sample with fewer frames than `slices_per_sample` gives one slice per frame. */
  const sliceCount = (tf_count: number) => Math.min(slices_per_sample, tf_count);

  /** `slice_id` numbers the slices of an STF from 0. */
  const firstSliceId = (tfFile: string) => ((sampleNumber(tfFile) ?? 1) - 1) * slices_per_sample;

  /**
   * Slice `k` (from 0) of a sample. Slices are contiguous, without gaps or overlaps, and differ in size by at
   * most one frame.
   */
  const cutSlice = (sample: SampleToCut, k: number) => {
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
      // Every sampled STF gives the same numbers: only the positions of its samples are random.
      const sizes = sampleSizes(tf_per_stf, Math.min(fastmon.tf_samples_per_stf, tf_per_stf));
      const slicesPerStf = sizes.reduce((sum, size) => sum + sliceCount(size), 0);
      return { samples: exactOrUndefined(stfs * sizes.length), slices: exactOrUndefined(stfs * slicesPerStf) };
    },
  };
}

/**
 * Sample `index` (from 0) of an STF: at a random position within its part of the STF, which is divided into
 * as many equal parts as there are samples.
 */
function sampleOf(stf: Parameters<Plan['samples']>[0], samples: number, index: number, size: number) {
  const sample = index + 1;
  const part = evenPart(stf.tf_count, samples, index);
  const spare = part.size - size;
  const tf_first = part.start + Math.floor(random(stf.run, stf.sequence, `sample ${sample}`) * (spare + 1));
  const tf_filename = tfFilename(stfFilename(stf.run, stf.sequence), sample);
  return { sample, tf_filename, tf_first, tf_last: tf_first + size - 1, tf_count: size };
}
