import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { findRow, insertRow, isMessageId } from '../../../src/db/log/rows.ts';
import { shortId } from '../../../src/db/migrations/names.ts';
import { makeStore } from '../../made-store.ts';
import { rounds } from '../../rounds.ts';

const execution = 'stf_datataking-ana-0001';

/** A log with a message of each id, and what it says about them. */
async function logOf(ids: readonly string[]) {
  const { store } = await makeStore();
  const { sql } = store;
  const insert = (message_id: string, execution_id: string) =>
    store.write((tx) =>
      insertRow(
        tx,
        {
          envelope: { msg_type: 'stf_gen', execution_id },
          message_id,
          destination: '/topic/epictopic',
          payload: message_id,
        },
        { effect: 'applied' },
        {},
      ),
    );
  for (const id of ids) await insert(id, execution);
  return {
    store,
    insert,
    stored: () => sql<string>('SELECT short_id FROM message_rows ORDER BY seq').values(),
    shown: () => sql<string>('SELECT message_id FROM workflow_messages ORDER BY seq').values(),
    asked: () => sql<string>('SELECT message_id FROM v_messages ORDER BY seq').values(),
    find: (id: string) => findRow(sql, id)?.seq,
    short: (id: string) => sql<string | null>(`SELECT ${shortId('?')}`).value(id),
    has: (id: string) => isMessageId(sql, id),
  };
}

describe('the id of a message', () => {
  it.each<[what: string, id: string, other: string]>([
    ['begins with its execution', `${execution}/start_run`, `${execution}/end_run`],
    ['begins with another execution', 'stf_datataking-ana-0002/start_run', `${execution}/start_run`],
    ['begins with the number of a name', '1/start_run', `${execution}/start_run`],
    ['begins with the number of its own first part', '3/start_run', '03/start_run'],
    ['begins with digits that are not the number of a name', '999/start_run', '998/start_run'],
    ['begins with a slash', '/start_run', '//start_run'],
    ['is a slash', '/', '//'],
    ['is empty', '', '/'],
    ['has no slash', 'm-1', 'm-1/'],
    ['is a number', '1', '01'],
    ['begins with an execution that has a slash', 'a/b/start_run', 'a/c/start_run'],
    ['is the name of its execution', execution, `${execution}/`],
    ['has letters that are not ASCII', 'größe/å/日本/🦆', 'größe/å/日本/🦢'],
    ['has a NUL before and after a slash', 'a\0b/c\0d', 'a\0b/c\0e'],
  ])('is stored and found byte for byte if it %s', async (_what, id, other) => {
    const log = await logOf([id, other]);
    expect(log.shown()).toEqual([id, other]);
    expect(log.asked()).toEqual([id, other]);
    expect([log.find(id), log.find(other)]).toEqual([1, 2]);
    expect([id, other].map(log.short)).toEqual(log.stored());
    await expect(log.insert(id, 'another')).rejects.toThrow('UNIQUE');
  });

  it('is stored with a number in place of its first part', async () => {
    const log = await logOf([`${execution}/stf_gen/swf.100010.000001.stf`]);
    const number = log.store.sql<number>('SELECT name_no FROM names WHERE name = ?').value(execution);
    expect(log.stored()).toEqual([`${number}/stf_gen/swf.100010.000001.stf`]);
  });

  it('is found only in its original form, not in its stored form', async () => {
    const log = await logOf([`${execution}/start_run`]);
    expect(log.has(`${execution}/start_run`)).toBe(true);
    for (const id of [...log.stored(), 'nobody/start_run', '/start_run', 'start_run']) expect(log.has(id)).toBe(false);
    expect(log.short('nobody/start_run')).toBeNull();
  });

  it('is read back unchanged, whatever its text and whatever else is stored', async () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom('/', '1', '2', '\0'), fc.string({ unit: 'binary', maxLength: 1 })),
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(text, { minLength: 1, maxLength: 12 }), async (ids) => {
        const log = await logOf(ids);
        expect(log.shown()).toEqual(ids);
        expect(ids.map(log.find)).toEqual(ids.map((_, at) => at + 1));
        expect(ids.map(log.short)).toEqual(log.stored());
        log.store.close();
      }),
      { numRuns: rounds(50, 15) },
    );
  });
});
