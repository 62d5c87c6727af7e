/** Names of the workflow's files. */

const padded = (value: number, digits: number) => String(value).padStart(digits, '0');

/** @param sequence from 1 */
export const stfFilename = (run: number, sequence: number) => `swf.${run}.${padded(sequence, 6)}.stf`;

/** @param sample from 1 */
export const tfFilename = (stf: string, sample: number) => `${stf.replace(/\.stf$/, '')}_tf_${padded(sample, 3)}.tf`;

/**
 * The name of a slice. swf-mcp numbers slices within an STF file, the testbed within a TF file.
 * @param sliceId from 0
 */
export function sliceFilename(file: string, sliceId: number) {
  const base = file.replace(/\.s?tf$/, '');
  return `${base}_slice_${padded(sliceId, 3)}${base === file ? '' : '.tf'}`;
}

/** The sample number in a TF file's name (`…_tf_002.tf` is 2), or undefined if the name has none. */
export function sampleNumber(filename: string) {
  const digits = /_tf_(\d{3,})\.tf$/.exec(filename)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The folder for the output of an attempt at a slice, below the execution's folder: `outputs/{slice without
 * .tf}/attempt_{n}`.
 */
export const outputPath = (slice: string, attempt: number) =>
  `${outputsName}/${slice.replace(/\.tf$/, '')}/attempt_${attempt}`;

/** The folder for the output of all payloads, in the execution's folder. */
export const outputsName = 'outputs';

/** A folder of outputs, described for people: a relative path is below the data folder of its host. */
export const outputsPlace = (folder: string, host = 'its host') =>
  folder.startsWith('/') ? folder : `${folder} below data.dir of ${host}`;

/** Kinds of data files, in the order in which they are created: STF files, TF samples, and payload output. */
export const fileKinds = ['stf', 'tf', 'output'] as const;

export type FileKind = (typeof fileKinds)[number];
