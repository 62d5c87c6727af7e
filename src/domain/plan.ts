import { createHash } from 'node:crypto';

import type { WorkflowParams } from './params.ts';

/**
 * What should happen to the data: which STFs are sampled, which frames a sample holds, how a sample is cut.
 * Agents, projection and progress use these same functions. Frame indices are those of the STF, from 0, and inclusive.
 */

export interface FrameRange {
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

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');

export const stfFilename = (run: number, sequence: number): string => `swf.${run}.${padded(sequence, 6)}.stf`;

const stfBase = (filename: string): string => filename.replace(/\.stf$/, '');

export const tfFilename = (stf: string, sample: number): string => `${stfBase(stf)}_tf_${padded(sample, 3)}.tf`;

export const sliceFilename = (stf: string, sliceId: number): string => `${stfBase(stf)}_slice_${padded(sliceId, 3)}.tf`;

/** The sample number in a TF file's name (`…_tf_002.tf` is 2), or undefined where the name has none. */
export function sampleNumber(filename: string): number | undefined {
  const digits = /_tf_(\d{3,})\.tf$/.exec(filename)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A decimal number as an exact fraction: 0.29 is 29/100, which no floating-point number is. */
function asFraction(value: number): { numerator: bigint; denominator: bigint } {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', decimals = ''] = mantissa.split('.');
  const shift = decimals.length - Number(exponent);
  const numerator = BigInt(whole + decimals) * (shift < 0 ? 10n ** BigInt(-shift) : 1n);
  return { numerator, denominator: shift > 0 ? 10n ** BigInt(shift) : 1n };
}

/** ⌊n · value⌋, exactly. */
function floorOfProduct(n: number, value: number): number {
  const { numerator, denominator } = asFraction(value);
  return Number((BigInt(n) * numerator) / denominator);
}

/** STF number `sequence` (from 1) is sampled exactly if ⌊n·rate⌋ > ⌊(n−1)·rate⌋ (contract §2). */
export function isSampled(sequence: number, rate: number): boolean {
  if (rate >= 1) return true;
  return floorOfProduct(sequence, rate) > floorOfProduct(sequence - 1, rate);
}

/**
 * A number in [0, 1) that depends on nothing but its arguments, so that an interruption changes nothing.
 * @param purpose what the number is for; two purposes give independent numbers
 */
export function random(run: number, sequence: number, purpose: string): number {
  const digest = createHash('sha256').update(`${run}/${sequence}/${purpose}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/** Part `index` (from 0) of `total`, cut into `parts` whole numbers that differ by at most one, the larger ones first. */
function evenPart(total: number, parts: number, index: number): { start: number; size: number } {
  const least = Math.floor(total / parts);
  const larger = total % parts;
  return { start: index * least + Math.min(index, larger), size: least + (index < larger ? 1 : 0) };
}

const evenly = (total: number, parts: number): { start: number; size: number }[] =>
  Array.from({ length: parts }, (_, index) => evenPart(total, parts, index));

/** How many samples an STF of so many frames gives. */
export function plannedSampleCount(sequence: number, tf_count: number, params: WorkflowParams): number {
  if (tf_count < 1 || !isSampled(sequence, params.fast_processing.stf_sampling_rate)) return 0;
  return Math.min(params.fastmon.tf_samples_per_stf, tf_count);
}

/**
 * The samples of one STF: none if it is not sampled; else `tf_samples_per_stf` ranges, one in each of as many equal parts
 * of the STF, which together hold `tf_fraction` of its frames (at least one frame each).
 */
export function planSamples(
  stf: { run: number; sequence: number; tf_count: number },
  params: WorkflowParams,
): PlannedSample[] {
  const { run, sequence, tf_count } = stf;
  const samples = plannedSampleCount(sequence, tf_count, params);
  if (samples === 0) return [];
  const wanted = Math.max(samples, floorOfProduct(tf_count, params.fastmon.tf_fraction));
  return evenly(tf_count, samples).map((part, index) => {
    const size = Math.min(evenPart(wanted, samples, index).size, part.size);
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

/** A sample as far as its slices follow from it. */
interface SampleToCut {
  stf_filename: string;
  tf_filename: string;
  tf_first: number;
  tf_count: number;
}

/** How many slices a sample of so many frames is cut into. */
export const plannedSliceCount = (tf_count: number, slicesPerSample: number): number =>
  Math.min(slicesPerSample, tf_count);

/**
 * The slices of one sample: contiguous, without gap or overlap, sizes differing by at most one frame; a sample with fewer
 * frames than `slicesPerSample` gives one slice a frame. `slice_id` counts through the STF from 0 (contract §1).
 */
export function planSlices(sample: SampleToCut, slicesPerSample: number): PlannedSlice[] {
  return Array.from({ length: plannedSliceCount(sample.tf_count, slicesPerSample) }, (_, k) =>
    cutSlice(sample, slicesPerSample, k),
  );
}

/** The slice of this id, or undefined where the sample is cut into none of that id. */
export function planSlice(sample: SampleToCut, slicesPerSample: number, slice_id: number): PlannedSlice | undefined {
  const k = slice_id - firstSliceId(sample.tf_filename, slicesPerSample);
  const isPlanned = k >= 0 && k < plannedSliceCount(sample.tf_count, slicesPerSample);
  return isPlanned ? cutSlice(sample, slicesPerSample, k) : undefined;
}

const firstSliceId = (tfFile: string, slicesPerSample: number): number =>
  ((sampleNumber(tfFile) ?? 1) - 1) * slicesPerSample;

/** Slice `k` (from 0) of a sample. */
function cutSlice(sample: SampleToCut, slicesPerSample: number, k: number): PlannedSlice {
  const slice_id = firstSliceId(sample.tf_filename, slicesPerSample) + k;
  const { start, size } = evenPart(sample.tf_count, plannedSliceCount(sample.tf_count, slicesPerSample), k);
  const tf_first = sample.tf_first + start;
  return {
    slice_id,
    slice_filename: sliceFilename(sample.stf_filename, slice_id),
    tf_first,
    tf_last: tf_first + size - 1,
    tf_count: size,
  };
}

/** How many samples and slices a run of `stfCount` STFs makes, by the plan alone; undefined for more than can be told exactly. */
export function plannedCounts(
  stfCount: number,
  params: WorkflowParams,
): { samples: number | undefined; slices: number | undefined } {
  const { stf_sampling_rate, slices_per_sample } = params.fast_processing;
  const sampledStfs = stf_sampling_rate >= 1 ? stfCount : floorOfProduct(stfCount, stf_sampling_rate);
  const stf = { run: 0, sequence: 1, tf_count: params.daq_state_machine.tf_per_stf };
  // Every sampled STF gives as many as any other: only where its samples begin is drawn.
  const everySampled = { ...params, fast_processing: { ...params.fast_processing, stf_sampling_rate: 1 } };
  const samples = planSamples(stf, everySampled);
  const slicesPerStf = samples.reduce((sum, { tf_count }) => sum + plannedSliceCount(tf_count, slices_per_sample), 0);
  const safe = (count: number): number | undefined => (Number.isSafeInteger(count) ? count : undefined);
  return { samples: safe(sampledStfs * samples.length), slices: safe(sampledStfs * slicesPerStf) };
}
