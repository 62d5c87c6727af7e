import { dialectF } from '../reading/dialect-f.ts';
import { dialectH } from '../reading/dialect-h.ts';
import type { Fields } from '../reading/values.ts';
import { namedSlice } from '../reading/work.ts';

/**
 * The names of a slice in a registration. The newer fork names its TF file; the public programs give the slice its own file name. Undefined if its key is
 * incomplete.
 */
export const registeredSlice = (body: Fields) =>
  namedSlice(body, typeof body['fastmon_file'] === 'string' ? dialectF : dialectH);
