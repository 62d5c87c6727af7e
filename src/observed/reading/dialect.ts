import type { Fact } from './fact.ts';
import { type Fields, objectOf } from './values.ts';
import { resultOf, sliceOf, type WorkDialect } from './work.ts';

type Read = (body: Fields, headers: Readonly<Record<string, string>>) => Fact | undefined;

/** How the messages of a dialect are read. */
export interface Dialect {
  /** Whether a message is worded so, if no dialect before it in `dialects` words it so. */
  words: (body: Fields) => boolean;
  /** What its messages of these types state. All other types are worded alike: `lifecycle.ts`. */
  readings: Readonly<Record<string, Read>>;
  /** How its programs name a TF file when they register a slice by REST, and the field by which they are recognized; undefined if they register none. */
  registering?: { field: string; tfFilename: WorkDialect['tfFilename'] };
}

/** The messages of slices and results, where a dialect words them as the testbed's programs do. */
export const workReadings = (work: WorkDialect): Dialect['readings'] => ({
  slice: (body) => sliceOf(body, work),
  slice_result: (body, headers) => resultOf(body, headers, work),
});

/** What a result echoes of its slice. */
export const echoIn = (content: Fields): Fields => objectOf(objectOf(content['result'])['result']);
