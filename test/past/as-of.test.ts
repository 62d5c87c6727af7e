import { readdirSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { replay } from '../../src/db/maintenance/replay.ts';
import { openReader } from '../../src/db/opening/open-reader.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { createPasts } from '../../src/db/past-queries.ts';
import { createQueries } from '../../src/db/queries.ts';
import { preparer } from '../../src/db/sqlite/statements.ts';
import { temporaryFolder } from '../folder.ts';
import { type HistoryRow } from '../histories/log-file.ts';
import { rounds } from '../rounds.ts';
import { answerTo, comparable, contextOf, noPast, questionsAbout } from './questions.ts';

const histories = readdirSync('test/histories').filter((name) => name.endsWith('.log.jsonl'));

const linesOf = (name: string): HistoryRow[] =>
  readFileSync(join('test/histories', name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as HistoryRow);

/** Moments of a history, spread evenly; the last is its last row. */
const rowsWithin = (length: number, count: number): number[] => [
  ...new Set(Array.from({ length: count }, (_, n) => Math.max(1, Math.round((length * (n + 1)) / count)))),
];

const gone = (now: number) => Object.assign(() => false, { now });

describe('an answer as of a moment', () => {
  it.each(histories)('equals the answer from a store made from the log up to that moment: %s', async (name) => {
    const folder = temporaryFolder();
    const lines = linesOf(name);
    const whole = await openStore(join(folder, 'whole.db'));
    await replay(lines, whole);
    const reader = openReader(whole.path);
    const pasts = createPasts(reader, () => false);
    const queries = createQueries(reader, () => false);
    const ids = queries.executions({}, { order: 'newest', limit: 10 }).rows.map(({ execution_id }) => execution_id);
    const slice = queries.tfSlices({}, { order: 'oldest', limit: 1 }).rows[0]?.slice_filename ?? 'none';
    const last = Date.parse(lines.at(-1)?.recorded_at ?? '');
    for (const count of rowsWithin(lines.length, rounds(8, 3))) {
      const row = preparer(reader)<[number], { message_id: string; recorded_ms: number }>(
        'SELECT message_id, recorded_ms FROM workflow_messages WHERE seq = ?',
      ).get(count)!;
      const now = Math.min(last, row.recorded_ms) + 1234;
      const part = await openStore(join(folder, `${count}.db`));
      await replay(lines.slice(0, count), part);
      const then = openReader(part.path);
      const before = createQueries(then, gone(now));
      const as_of = `${new Date(now).toISOString()}@${row.message_id}`;
      for (const question of ids.flatMap((id) => questionsAbout(id, slice))) {
        const [tool, args] = question;
        const given = await answerTo(question, contextOf(before, now, noPast));
        const asked = await answerTo(
          [tool, { ...args, as_of }],
          contextOf(queries, Date.now(), (...moment) => pasts.ask(...moment)),
        );
        expect({ tool, count, answer: comparable(asked) }).toEqual({ tool, count, answer: comparable(given) });
      }
      then.close();
      part.close();
    }
    pasts.close();
    reader.close();
    whole.close();
  });
});
