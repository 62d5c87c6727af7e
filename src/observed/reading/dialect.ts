import type { Fact } from './fact.ts';
import { type Fields, objectOf } from './values.ts';
import { resultOf, sliceOf, type WorkDialect } from './work.ts';

type Read = (body: Fields, headers: Readonly<Record<string, string>>) => Fact | undefined;

/** How the messages of a dialect are read. */
export interface Dialect {
  /** Whether a message is worded so, if no dialect before it in `dialects` words it so. */
  words: (body: Fields) => boolean;
  /** How to read its messages of these types. All other types are worded alike: `lifecycle.ts`. */
  readings: Readonly<Record<string, Read>>;
  /** Its slices and results, if it words them as the programs of the testbed do. */
  slices?: SlicesOfDialect;
}

interface SlicesOfDialect extends WorkDialect {
  /** The field that only its registrations of slices by REST have. */
  registeredBy: string;
  /** Fields of a registration that a row of the monitor's table of slices lacks. */
  lackedBy?: (row: Fields) => Fields;
}

/** The messages of slices and results, where a dialect words them as the testbed's programs do. */
export const workReadings = (work: WorkDialect): Dialect['readings'] => ({
  slice: (body) => sliceOf(body, work),
  slice_result: (body, headers) => resultOf(body, headers, work),
});

/** The outcome of the payload in a result, with the echo of its slice. */
export const outcomeIn = (content: Fields): Fields => objectOf(objectOf(content['result'])['result']);
