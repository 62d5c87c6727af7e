import { describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { createQueries } from '../../src/db/queries.ts';
import { keepAnswers, kept as keptQuestion } from '../../src/db/sqlite/kept-answers.ts';
import type { Prepare } from '../../src/db/sqlite/statements.ts';
import { ask, connectInProcess, makeRunningStore } from '../helpers.ts';

const stf = (sequence: number) => ({
  filename: `swf.100010.${String(sequence).padStart(6, '0')}.stf`,
  sequence,
  tf_count: 10,
});

describe('answers cached by a reader', () => {
  it('are dropped when another connection commits, and only then', async () => {
    const { path, say } = await makeRunningStore();
    const db = openReader(path);
    const kept = keepAnswers(db);
    const look = (): { n: number } => {
      db.exec('BEGIN');
      try {
        kept.refresh();
        return kept.sql<[], { n: number }>('SELECT count(*) AS n FROM stf_files').get() as { n: number };
      } finally {
        db.exec('ROLLBACK');
      }
    };
    const first = look();
    expect(first.n).toBe(0);
    // The very same object: the store was not queried.
    expect(look()).toBe(first);
    await say('stf_gen', stf(1));
    expect(look().n).toBe(1);
    db.close();
  });

  it('are reused for equal named parameters and for equal arguments', async () => {
    const { path } = await makeRunningStore();
    const db = openReader(path);
    const { sql } = keepAnswers(db);
    const named = () => sql<[{ n: number }], { n: number }>('SELECT $n AS n').get({ n: 7 });
    let asked = 0;
    const question = (_sql: Prepare, { n }: { n: number }): number[] => [n, (asked += 1)];
    db.exec('BEGIN');
    expect(named()).toBe(named());
    const answer = (n: number) => keptQuestion(sql, question)({ n });
    expect(answer(1)).toBe(answer(1));
    expect(answer(2)).toEqual([2, 2]);
    db.exec('ROLLBACK');
    db.close();
  });

  it('match the snapshot of the transaction, whatever is committed meanwhile', async () => {
    const { path, say } = await makeRunningStore();
    const db = openReader(path);
    const queries = createQueries(db, () => true);
    const count = () => queries.execution('latest').stf_count;
    expect(queries.snapshot(count)).toBe(0);
    const inside: number[] = [];
    db.exec('BEGIN');
    inside.push(count());
    await say('stf_gen', stf(1));
    inside.push(count());
    db.exec('ROLLBACK');
    expect(inside).toEqual([0, 0]);
    expect(queries.snapshot(count)).toBe(1);
    db.close();
  });

  it('are queried again outside a transaction, and cannot be modified by the caller', async () => {
    const { path, say } = await makeRunningStore();
    const db = openReader(path);
    const { sql } = keepAnswers(db);
    const count = () => sql<[], { n: number }>('SELECT count(*) AS n FROM stf_files').get() as { n: number };
    expect(count().n).toBe(0);
    await say('stf_gen', stf(1));
    expect(count().n).toBe(1);
    db.exec('BEGIN');
    const row = count();
    expect(() => (row.n = 7)).toThrow(TypeError);
    db.exec('ROLLBACK');
    db.close();
  });

  it('show every commit to the next tool call', async () => {
    const { path, say } = await makeRunningStore();
    const client = await connectInProcess(path);
    for (let sequence = 1; sequence <= 20; sequence += 1) {
      await say('stf_gen', stf(sequence));
      const [monitor, files] = [
        await ask(client, 'get_workflow_monitor', { execution_id: 'latest' }),
        await ask(client, 'list_stf_files', { limit: 1 }),
      ];
      expect([monitor['stf_count'], files['total_count'], files['items'][0].sequence]).toEqual([
        sequence,
        sequence,
        sequence,
      ]);
    }
  });
});
