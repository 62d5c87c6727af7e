import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { preparer } from '../../src/db/sqlite/statements.ts';
import type { AttemptColumns } from '../../src/db/timeline/attempt-columns.ts';
import { type AttemptHistory, createAttemptHistory } from '../../src/db/timeline/attempt-history.ts';
import { sliceStatuses } from '../../src/domain/slice-states.ts';
import { millisecondsAt } from '../../src/lib/time.ts';
import { temporaryFolder } from '../folder.ts';
import type { HistoryRow } from '../histories/log-file.ts';
import { receiverOf } from '../receive.ts';
import { byWorker, envelope, secondSlice, stf as firstStf, withSlice } from './one-slice.ts';

const folder = resolve('test/histories');
const histories = readdirSync(folder)
  .filter((name) => name.endsWith('.log.jsonl'))
  .map((name) => ({
    name,
    rows: readFileSync(join(folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as HistoryRow),
  }));

function upToDate(history: AttemptHistory): AttemptColumns {
  const steps = history.follow();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The columns as rows, in an order that does not depend on how they were built. */
function rowsOf(columns: AttemptColumns): unknown[] {
  const { stf, worker, host, cause } = columns.names;
  return Array.from({ length: columns.length }, (_, at) => ({
    stf: stf.all[columns.stf[at] as number],
    slice: columns.sliceId[at],
    attempt: columns.attempt[at],
    state: sliceStatuses[columns.state[at] as number],
    isCurrent: columns.isCurrent[at],
    worker: worker.all[columns.worker[at] as number],
    host: host.all[columns.host[at] as number],
    cause: cause.all[columns.cause[at] as number],
    times: [columns.created[at], columns.queued[at], columns.started[at], columns.completed[at]],
  })).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

describe('the attempts of an execution kept in memory', () => {
  it('match a fresh read after every delivery, whether in order, late or repeated', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...histories),
        fc.infiniteStream(fc.integer({ min: 0, max: 30 })),
        fc.integer({ min: 1, max: 40 }),
        async ({ rows }, lateness, together) => {
          const path = join(temporaryFolder(), 'swf.db');
          const store = await openStore(path);
          const receive = receiverOf(store);
          const first = rows[0] as HistoryRow;
          const others = rows
            .slice(1)
            .flatMap((row, place) => {
              const late = lateness.next().value as number;
              const once = { row, at: place + (late > 20 ? late : 0) };
              return late === 30 ? [once, { row, at: place + 50 }] : [once];
            })
            .toSorted((a, b) => a.at - b.at);
          const take = (given: readonly HistoryRow[]): Promise<void> =>
            store.write((tx) => {
              for (const { destination, body, sent_at, from_broker = false, applied } of given)
                receive(tx, destination, body, {
                  isReplay: true,
                  sentAt: sent_at,
                  fromBroker: from_broker,
                  ...(applied === true ? { effect: { effect: 'applied' } } : {}),
                });
            });
          await take([first]);
          const { execution_id } = store.db.prepare('SELECT execution_id FROM workflow_executions').get() as {
            execution_id: string;
          };
          const db = openReader(path);
          const kept = createAttemptHistory(preparer(db), execution_id);
          for (let at = 0; at < others.length; at += together) {
            await take(others.slice(at, at + together).map(({ row }) => row));
            const columns = upToDate(kept);
            if (at % (3 * together) === 0)
              expect(rowsOf(columns)).toEqual(rowsOf(upToDate(createAttemptHistory(preparer(db), execution_id))));
          }
          const found = rowsOf(upToDate(kept));
          expect(found).toEqual(rowsOf(upToDate(createAttemptHistory(preparer(db), execution_id))));
          const all = db.prepare('SELECT count(*) AS n FROM slice_attempts').get() as { n: number };
          expect(found).toHaveLength(all.n);
          db.close();
          store.close();
        },
      ),
      { numRuns: 12 },
    );
  });
});

it.each(['x', '9'.repeat(400), '\u001F', '\u001F'.repeat(9), '+275760-09-13T00:00:00.000Z'])(
  'all attempts are read despite a time of %j, which only a damaged store contains',
  async (time) => {
    const made = await withSlice();
    await made.say('slice_started', byWorker(1));
    await made.say('slice_result', { ...byWorker(1), state: 'done' });
    await made.say('slice', { ...secondSlice, stf_filename: firstStf, start: 1, end: 1, tf_count: 1 });
    const read = () => upToDate(createAttemptHistory(made.store.sql, envelope.execution_id));
    const { queued, completed } = read();
    made.store.db.prepare('UPDATE tf_slices SET assigned_at = ? WHERE slice_id = 0').run(time);
    const columns = read();
    expect(Number.isNaN(columns.started[0])).toBe(!time.startsWith('+'));
    expect([columns.length, columns.completed[0], columns.queued[1]]).toEqual([2, completed[0], queued[1]]);
  },
);

describe('a stored time', () => {
  it('parses to the same milliseconds as the Date that it was made from', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2199-01-01'), noInvalidDate: true }), (date) => {
        expect(millisecondsAt(`x${date.toISOString()}x`, 1)).toBe(date.getTime());
      }),
    );
  });
});
