import type { Store } from '../../src/db/opening/store.ts';
import { createQueries } from '../../src/db/queries.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { createReferences } from '../../src/observed/told/rest-rows.ts';
import { readRecordings } from '../../src/observer/recording-reader.ts';
import { dice } from './generator.ts';

/** The rows of the log made from the calls of a recorded run. */
export async function toldIn(run: string): Promise<MessageLine[]> {
  const references = createReferences();
  const lines: MessageLine[] = [];
  for await (const read of readRecordings([`test/recordings/${run}/rest.jsonl.gz`], () => {})) {
    const line = read.kind === 'rest' ? references(read.line) : undefined;
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

/** Two streams merged at random, each in its own order. */
export function interleaved<T>(a: readonly T[], b: readonly T[], seed: number): T[] {
  const roll = dice(seed);
  const [left, right] = [[...a], [...b]];
  const all: T[] = [];
  while (left.length + right.length > 0) {
    const from =
      left.length === 0 || (right.length > 0 && roll() < right.length / (left.length + right.length)) ? right : left;
    all.push(from.shift() as T);
  }
  return all;
}

export function factsOf(store: Store, id: string, now = Date.now()) {
  const queries = createQueries(store.db, () => undefined);
  const row = queries.execution(id);
  const assessed = queries.assessWithFindings(row, now, undefined);
  return { row, ...assessed, facts: assessed.heard, record: assessed.heard };
}
