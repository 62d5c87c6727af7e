import type { Dialect } from './fact.ts';
import { objectOf } from './values.ts';
import { outcomeIn, type SlicesOfDialect, workReadings } from './work.ts';

const slices: SlicesOfDialect = {
  // In this dialect, a slice has its own file name, not the name of its TF file.
  tfFilename: (name) => name.replace(/_slice_\d+(?=\.tf$|$)/, ''),
  echo: (result) => result,
  metrics: (result) => result,
  registeredBy: 'tf_filename',
};

/**
 * The public programs of summer 2026: a result repeats the fields of its slice at the top level. A failed
 * result names no slice.
 */
export const dialectH: Dialect = {
  words(body) {
    switch (body['msg_type']) {
      case 'stf_ready':
      case 'run_imminent_worker':
      case 'slice':
        return true;
      case 'slice_result':
        return 'slice_id' in outcomeIn(objectOf(body['content']));
      default:
        return false;
    }
  },
  readings: workReadings(slices),
  slices,
};
