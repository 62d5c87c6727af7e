import { describe, expect, it, onTestFinished } from 'vitest';

import { markAtRest } from '../../src/db/execution/find-execution.ts';
import { insertLogLine } from '../../src/db/log/log-lines.ts';
import { openReader } from '../../src/db/opening/open-reader.ts';
import { createQueries } from '../../src/db/queries.ts';
import { keepAnswers, kept as keptQuestion } from '../../src/db/sqlite/kept-answers.ts';
import type { Prepare } from '../../src/db/sqlite/statements.ts';
import { monitorOf } from '../../src/tools/get-workflow-monitor.ts';
import { ask, connectInProcess, makeRunningStore, noCounts, sayShortExecutions, type TestStore } from '../helpers.ts';

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

  it('match the snapshot of the transaction, whatever other connections commit in the meantime', async () => {
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

  it('are computed again outside a transaction, and cannot be modified by the caller', async () => {
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

  it('reflect each commit from the next tool call on', async () => {
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

describe('answers that a reader keeps beyond a commit', () => {
  const id = 'stf_datataking-tester-0001';
  const end = { ...noCounts, status: 'completed', reason: 'completed' } as const;

  /** A reader that asks for the landmarks and the monitor of the execution, and for those that a new reader sees. */
  function readerOf({ path }: TestStore) {
    const now = Date.now();
    const open = () => {
      const db = openReader(path);
      onTestFinished(() => void db.close());
      const queries = createQueries(db, () => true);
      return () =>
        queries.snapshot(() => ({
          landmarks: queries.lastLandmarks(id, 6),
          monitor: monitorOf(id, { queries, now }),
        }));
    };
    return { look: open(), lookAnew: () => open()() };
  }

  it('are about an ended execution, and are kept until more is recorded about it', async () => {
    const made = await makeRunningStore();
    const { look, lookAnew } = readerOf(made);
    const running = look();
    await sayShortExecutions(made, 1);
    // Equal, but read again.
    expect(look().landmarks).not.toBe(running.landmarks);
    await made.say('workflow_ended', end);
    const ended = look();
    await sayShortExecutions(made, 2);
    expect(look().landmarks).toBe(ended.landmarks);
    expect(look()).toEqual(lookAnew());
  });

  it('are never about an observed execution, whose rows also depend on when it was heard', async () => {
    const { store } = await makeRunningStore();
    store.sql(`UPDATE workflow_executions SET status = 'completed'`).run();
    expect(markAtRest(store.sql, id)).toMatch(/^\d+$/);
    store.sql(`UPDATE workflow_executions SET origin = 'observed'`).run();
    expect(markAtRest(store.sql, id)).toBeUndefined();
  });

  it.each<[recorded: string, record: (made: TestStore) => Promise<unknown>]>([
    ['a message', ({ say }) => say('stf_gen', stf(1))],
    ['a contradiction', ({ say }) => say('workflow_ended', { ...end, status: 'failed' })],
    ['a note', ({ say }) => say('note', { command_id: 'n', text: 'x', author: 'ana' })],
    [
      'an error line',
      ({ store }) =>
        store.write((tx) =>
          insertLogLine(tx, {
            timestamp: new Date().toISOString(),
            level: 40,
            agent: 'a',
            message: 'no disk',
            execution_id: id,
          }),
        ),
    ],
  ])('are computed again after %s about the execution', async (_, record) => {
    const made = await makeRunningStore();
    await made.say('workflow_ended', end);
    const { look, lookAnew } = readerOf(made);
    const before = look();
    await record(made);
    expect(look()).toEqual(lookAnew());
    expect(look().monitor).not.toEqual(before.monitor);
  });
});
