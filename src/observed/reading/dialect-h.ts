import { objectOf } from './values.ts';
import type { WorkDialect } from './work.ts';

/** The public programs of summer 2026: a slice has its own file name, and a result echoes the slice flat. A failed result names no slice. */
export const dialectH: WorkDialect = {
  tfFilename: (told) => told.replace(/_slice_\d+(?=\.tf$|$)/, ''),
  echo: (result) => result,
  metrics: (result) => result,
  products: (result) => objectOf(result),
};
