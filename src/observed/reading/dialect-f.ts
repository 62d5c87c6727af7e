import { objectOf } from './values.ts';
import type { WorkDialect } from './work.ts';

/** The newer fork: a slice has the name of its TF file, and a result echoes the whole message, even for a failed slice. */
export const dialectF: WorkDialect = {
  tfFilename: (told) => told,
  echo: (result) => objectOf(result['origin_message']),
  metrics: (result) => objectOf(result['metrics']),
  products: (result) => objectOf(result['payload_result']),
};
