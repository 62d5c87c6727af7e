import { describe, expect, it } from 'vitest';

import { blockDifferences, schemaDifferences } from '../../src/db/maintenance/integrity.ts';
import { removeExecution, removeWords } from '../../src/db/maintenance/prune.ts';
import { partsOf, messageWords, rowsOfPart } from '../../src/db/notes/word-parts.ts';
import { openReader } from '../../src/db/opening/open-reader.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import type { Store } from '../../src/db/opening/store.ts';
import { createQueries, type Queries } from '../../src/db/queries.ts';
import { preparer } from '../../src/db/sqlite/statements.ts';
import { temporaryFolder } from '../helpers.ts';
import { receiverOf } from '../receive.ts';

/** More rows than two blocks have. */
const many = 1100;

const page = { order: 'newest', limit: 50 } as const;

/** Records messages that contain `word`. */
async function recordMany(store: Store, word: string, execution_id?: string): Promise<void> {
  const receive = receiverOf(store);
  await store.write((tx) => {
    for (let number = 0; number < many; number += 1)
      receive(tx, '/topic/x', JSON.stringify({ msg_type: 'note', execution_id, text: `${word} ${number} of many` }));
  });
}

const ask = (path: string): Queries => createQueries(openReader(path), () => true);

describe('the notes of full blocks', () => {
  // The parameters were once assumed to be objects.
  it.each(['"x"', '5', '[1]', 'null', '{"workflow":"x"}', '{"workflow":["x"],"fastmon":7}'])(
    'are written and searched despite a run_workflow message with the params %s',
    async (params) => {
      const path = `${temporaryFolder()}/swf.db`;
      const body = `{"msg_type":"run_workflow","params":${params},"text":"odd one"}`;
      const store = await openStore(path);
      await store.write((tx) => receiverOf(store)(tx, '/queue/workflow_control', body));
      await recordMany(store, 'before');
      await store.write((tx) => receiverOf(store)(tx, '/queue/workflow_control', `${body} `));
      await recordMany(store, 'after');
      const noted = store.db.prepare(`SELECT count(*) FROM time_blocks WHERE table_name = 'message_rows'`).pluck();
      expect(noted.get()).toBe(4);
      const queries = ask(path);
      for (const search of ['before 7 of', 'after 7 of', 'before 1099', 'after 1099'])
        expect({ search, found: queries.messages({ search }, page).total_count }).toEqual({ search, found: 1 });
      expect(queries.messages({ search: 'odd one' }, page).total_count).toBe(2);
      store.close();
    },
  );

  it('contain the words of messages before the first run_workflow, and no other words', async () => {
    const path = `${temporaryFolder()}/swf.db`;
    const store = await openStore(path);
    await recordMany(store, 'early');
    const queries = ask(path);
    expect(queries.messages({ search: 'early 7 of' }, page).total_count).toBe(1);
    expect(queries.messages({ search: 'fastmon' }, page).total_count).toBe(0);
    store.close();
  });

  it('stay correct for searches between the steps of a removal', async () => {
    const path = `${temporaryFolder()}/swf.db`;
    const store = await openStore(path);
    await recordMany(store, 'alpha', 'kept-x-0001');
    await recordMany(store, 'alpha', 'gone-x-0002');
    const queries = ask(path);
    const look = () => queries.messages({ search: 'alpha' }, page);
    expect(look().total_count).toBe(2000);
    const looking: Store = {
      ...store,
      async write(work) {
        const value = await store.write(work);
        look();
        return value;
      },
    };
    await removeExecution(looking, { execution_id: 'gone-x-0002', data_folder: null }, 'tester', async () => {});
    expect(look()).toMatchObject({ total_count: many, total_is_lower_bound: false, has_more: true });
    expect(look().rows).toHaveLength(50);
    store.close();
  });

  it('keep words in parts, and drop a part with its last row', async () => {
    const path = `${temporaryFolder()}/swf.db`;
    const store = await openStore(path);
    const beginAt = (key: number) =>
      store.db.exec(`UPDATE sqlite_sequence SET seq = ${key} WHERE name = 'message_rows'`);
    await recordMany(store, 'alpha', 'gone-x-0001');
    beginAt(rowsOfPart - 600);
    await recordMany(store, 'alpha beta', 'gone-x-0002');
    await recordMany(store, 'alpha', 'kept-x-0003');
    const queries = ask(path);
    const find = (search: string, order: 'newest' | 'oldest') => queries.messages({ search }, { order, limit: 50 });
    const parts = () => partsOf(store.sql, messageWords);
    const ends = (order: 'newest' | 'oldest') =>
      find('alpha', order).rows.map(({ payload }) => /alpha (?:beta )?(\d+)/.exec(payload)?.[1]);
    expect(parts()).toEqual([0, 1]);
    expect([find('alpha', 'newest').total_count, find('beta', 'newest').total_count]).toEqual([2000, many]);
    expect(ends('newest')).toEqual(Array.from({ length: 50 }, (_, at) => String(many - 1 - at)));
    expect(ends('oldest')).toEqual(Array.from({ length: 50 }, (_, at) => String(at)));

    await removeExecution(store, { execution_id: 'gone-x-0002', data_folder: null }, 'tester', async () => {});
    await removeWords(store);
    expect(parts()).toEqual([0, 1]);
    expect(find('beta', 'newest')).toMatchObject({ rows: [], total_count: 0, has_more: false });
    expect(blockDifferences(store.sql)).toEqual([]);
    await removeExecution(store, { execution_id: 'gone-x-0001', data_folder: null }, 'tester', async () => {});
    await removeWords(store);
    expect(parts()).toEqual([1]);
    expect(find('alpha', 'oldest').total_count).toBe(many);
    expect(schemaDifferences(store.db)).toEqual([]);
    expect(blockDifferences(store.sql)).toEqual([]);
    await recordMany(store, 'gamma');
    expect(find('gamma 7 of', 'newest').total_count).toBe(1);
    store.db.exec('DROP TABLE message_words_1');
    expect(schemaDifferences(store.db)).toContain('message_words_1 is missing');
    store.close();
  });

  it('are written by the next transaction if the one that wrote them was rolled back', async () => {
    const path = `${temporaryFolder()}/swf.db`;
    const store = await openStore(path);
    const failing = store.write((tx) => {
      const receive = receiverOf(store);
      for (let number = 0; number < many; number += 1) receive(tx, '/topic/x', JSON.stringify({ number }));
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    await recordMany(store, 'beta');
    expect(store.db.prepare(`SELECT count(*) FROM time_blocks`).pluck().get()).toBe(2);
    expect(ask(path).messages({ search: 'beta' }, page).total_count).toBe(many);
    store.close();
  });

  it('are written by the next write if a process was killed before it wrote them', async () => {
    const path = `${temporaryFolder()}/swf.db`;
    const killed = await openStore(path);
    killed.writeAtOnce((tx) => {
      const receive = receiverOf(killed);
      for (let number = 0; number < many; number += 1)
        receive(tx, '/topic/x', JSON.stringify({ number, text: 'gamma' }));
    });
    const blocks = killed.db.prepare(`SELECT count(*) FROM time_blocks`).pluck();
    expect({ blocks: blocks.get(), found: ask(path).messages({ search: 'gamma' }, page).total_count }).toEqual({
      blocks: 0,
      found: many,
    });
    const next = await openStore(path);
    await next.write((tx) => receiverOf(next)(tx, '/topic/x', '{"text":"one more"}'));
    expect({ blocks: blocks.get(), found: ask(path).messages({ search: 'gamma' }, page).total_count }).toEqual({
      blocks: 2,
      found: many,
    });
    next.close();
    killed.close();
  });

  it('make only the next write() fail if they cannot be written', async () => {
    const store = await openStore(`${temporaryFolder()}/swf.db`);
    store.db.exec(`INSERT INTO message_namespaces VALUES ('n', 0)`);
    const receive = receiverOf(store);
    const say = (number: number) => JSON.stringify({ msg_type: 'note', namespace: 'n', number });
    await store.write((tx) => {
      for (let number = 0; number < many; number += 1) receive(tx, '/topic/x', say(number));
    });
    expect(store.db.prepare('SELECT count(*) FROM workflow_messages').pluck().get()).toBe(many);
    store.writeAtOnce((tx) => void receive(tx, '/topic/x', say(-1)));
    await expect(store.write((tx) => receive(tx, '/topic/x', say(many)))).rejects.toThrow('message_namespaces');
    expect(store.db.prepare('SELECT count(*) FROM workflow_messages').pluck().get()).toBe(many + 1);
    store.close();
  });

  /** As many as are reported. */
  const differencesOfAll = Array.from({ length: 20 }, (_, at) => `words of message_rows ${at + 1}`);

  const harms: [harm: string, differences: string[]][] = [
    [
      `UPDATE time_blocks SET earliest = '2100-01-01T00:00:00.000Z'`,
      ['times of message_rows 1 to 512', 'times of message_rows 513 to 1024'],
    ],
    [
      `UPDATE time_blocks SET latest = '2000-01-01T00:00:00.000Z'`,
      ['times of message_rows 1 to 512', 'times of message_rows 513 to 1024'],
    ],
    [`INSERT INTO message_words_0 (message_words_0) VALUES ('delete-all')`, differencesOfAll],
    [`INSERT INTO message_words_0 (rowid, text) VALUES (5000, 'x')`, ['words of message_rows 5000 without their row']],
    [`DELETE FROM word_parts WHERE table_name = 'message_rows'`, differencesOfAll],
    [`UPDATE message_counts SET n = n + 1`, ['number of note of x-0001 is 1025, messages are 1024']],
    [`DELETE FROM message_totals`, ['number of note is 0, messages are 1024']],
    [
      `DELETE FROM message_namespaces`,
      ['namespace n in the messages 1 to 512', 'namespace n in the messages 513 to 1024'],
    ],
    // An id that begins with the number of no name could not be shown.
    [`UPDATE message_rows SET short_id = '999/x' WHERE seq = 7`, ['the name 999 of the message 7']],
    [`UPDATE message_rows SET short_id = '999' WHERE seq = 7`, []],
  ];

  it.each(harms)('are reported if they disagree with the rows: %s', async (harm, differences) => {
    const store = await openStore(`${temporaryFolder()}/swf.db`);
    await store.write((tx) => {
      const receive = receiverOf(store);
      for (let number = 0; number < many; number += 1)
        receive(tx, '/topic/x', JSON.stringify({ msg_type: 'note', execution_id: 'x-0001', namespace: 'n', number }));
    });
    expect(blockDifferences(preparer(store.db))).toEqual([]);
    store.db.exec(harm);
    expect(blockDifferences(preparer(store.db))).toEqual(differences);
    store.close();
  });
});
