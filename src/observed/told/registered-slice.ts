import { sliceFilename } from '../../domain/file-names.ts';
import { dialectF } from '../reading/dialect-f.ts';
import { dialectH } from '../reading/dialect-h.ts';
import { type Fields, nameOf, sliceIdOf } from '../reading/values.ts';

/** A slice as it is registered by REST. */
export interface RegisteredSlice {
  tf_filename: string;
  slice_id: number;
  slice_filename: string;
}

/**
 * The names of a slice in a registration. The newer fork names its TF file; the public programs give the slice its own file name. Undefined if its key is
 * incomplete.
 */
export function registeredSlice(body: Fields): RegisteredSlice | undefined {
  const [told, slice_id] = [nameOf(body['tf_filename']), sliceIdOf(body['slice_id'])];
  if (told === undefined || slice_id === undefined) return undefined;
  const tf_filename = (typeof body['fastmon_file'] === 'string' ? dialectF : dialectH).tfFilename(told, slice_id);
  return { tf_filename, slice_id, slice_filename: sliceFilename(tf_filename, slice_id) };
}
