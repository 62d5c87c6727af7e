import { describe, expect, it } from 'vitest';

import { recordHeard } from '../../src/db/observed/heard-messages.ts';
import { createQueries } from '../../src/db/queries.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { rounds } from '../rounds.ts';
import { dice, makeRun, shuffled } from './generator.ts';
import { spoilt } from './spoilt.ts';
import { storeOf, tablesAfter } from './stores.ts';

const later = (line: MessageLine): MessageLine => ({
  ...line,
  headers: { ...line.headers, timestamp: String(Number(line.headers['timestamp']) + 777) },
});

/** The same message; a result says the opposite. */
function otherwise(line: MessageLine): MessageLine {
  const { msg_type, content } = (line as { body: { msg_type: string; content?: { state: string; result: object } } })
    .body;
  if (msg_type !== 'slice_result' || content === undefined) return line;
  const isDone = content.state === 'done';
  const opposite = { ...content, state: isDone ? 'failed' : 'done', result: { ...content.result, state: !isDone } };
  return {
    ...line,
    headers: { ...line.headers },
    body: { ...(line as { body: object }).body, content: opposite },
  };
}

describe('an observed run', () => {
  it.each(Array.from({ length: rounds(60) }, (_, seed) => seed + 1))('has its true counts: run %i', async (seed) => {
    const { lines, truth } = makeRun({ seed });
    const store = await storeOf(lines);
    const queries = createQueries(store.db, () => undefined);
    const row = queries.execution(truth.told_id);
    const facts = queries.assess(row, Date.now()).heard;
    expect({
      told_id: facts?.told_id,
      run_id: facts?.run_id,
      stf_count: row.stf_count,
      tf_files_received: row.tf_files_received,
      tf_files_sliced: facts?.tf_files_sliced,
      slices_sent: row.slices_created,
      slices_completed: row.slices_completed,
      slices_failed: row.slices_failed,
      slices_unanswered: row.slices_queued,
      results_repeated: facts?.results_repeated,
      results_unmatched: facts?.results_unmatched,
      without_execution: facts?.without_execution,
      hasEnded: row.phase === 'completed',
    }).toEqual(truth);
    expect(queries.audit(row).checks.find(({ check }) => check === 'counts')).toMatchObject({ state: 'ok' });
    store.close();
  });

  it.each(Array.from({ length: rounds(40) }, (_, seed) => seed + 100))(
    'is the same in any order of messages, with repeats and in any transactions: run %i',
    async (seed) => {
      const roll = dice(seed);
      // Some come a second time, later by the broker's clock or in the same millisecond, or with the other outcome.
      const lines = makeRun({ seed }).lines.flatMap((line) => {
        const ways = [later(line), otherwise(line), later(otherwise(line)), line];
        return roll() < 0.4 ? [line, ways[Math.floor(roll() * ways.length)] as MessageLine] : [line];
      });
      for (const [at, line] of lines.entries())
        if (roll() < 0.2) line.headers['timestamp'] = lines[Math.max(0, at - 1)]?.headers['timestamp'] ?? '';
      const inOrder = await tablesAfter(lines);
      const twice = lines.flatMap((line) => (roll() < 0.3 ? [line, line] : [line]));
      expect(await tablesAfter(shuffled(twice, seed), 1 + Math.floor(roll() * 60))).toEqual(inOrder);
      expect(await tablesAfter(lines.toReversed(), 7)).toEqual(inOrder);
    },
  );

  it('keeps the time of its last result, even if an earlier result counts', async () => {
    const { lines } = makeRun({ seed: 3, dialect: 'F', stfs: 1 });
    const done = lines.find((line) => JSON.stringify(line).includes('"state":"done"'));
    if (done === undefined) throw new Error('there is no result');
    const timestamp = String(Number(done.headers['timestamp']) + 3_600_000);
    const failed = { ...otherwise(done), headers: { ...done.headers, timestamp } };
    const others = lines.filter((line) => line !== done);
    expect(await tablesAfter([...others, failed, done], 1)).toEqual(await tablesAfter([...others, done, failed], 1));
  });

  it('has counts that match its rows, whatever its messages contain', async () => {
    const roll = dice(11);
    const { lines } = makeRun({ seed: 11, stfs: 4 });
    const strange = lines.flatMap((line) => [line, { ...line, body: spoilt((line as { body: unknown }).body, roll) }]);
    const store = await storeOf(shuffled(strange, 4));
    const queries = createQueries(store.db, () => undefined);
    const { rows } = queries.executions({}, { order: 'oldest', limit: 50, uncounted: true });
    for (const row of rows)
      expect(queries.audit(row).checks.find(({ check }) => check === 'counts')).toMatchObject({ state: 'ok' });
    expect(rows.length).toBeGreaterThan(0);
    store.close();
  });

  it('includes a message that names no run and came before the execution was known', async () => {
    const { lines, truth } = makeRun({ seed: 9, dialect: 'H', stfs: 2 });
    const [first] = lines as [MessageLine];
    const body = {
      msg_type: 'stf_gen',
      namespace: 'epic',
      execution_id: truth.told_id,
      filename: 'extra.stf',
      sequence: 9,
    };
    const early = { ...first, body };
    const before = await tablesAfter([early, ...lines]);
    expect(before.stfs.join()).toContain('extra.stf');
    expect(await tablesAfter([...lines, early])).toEqual(before);
  });

  it('is kept apart from another run on the same queues', async () => {
    const [one, other] = [
      makeRun({ seed: 7, namespace: 'epic', stfs: 3 }),
      makeRun({ seed: 8, namespace: 'epic-b', stfs: 3 }),
    ];
    const store = await storeOf(shuffled([...one.lines, ...other.lines], 3));
    const queries = createQueries(store.db, () => undefined);
    for (const { truth } of [one, other])
      expect(queries.execution(truth.told_id)).toMatchObject({
        slices_created: truth.slices_sent,
        slices_completed: truth.slices_completed,
      });
    store.close();
  });

  it('gets a new execution if its name was used before, but not if messages are repeated', async () => {
    const first = makeRun({ seed: 5, run: 1 });
    const second = makeRun({ seed: 5, run: 2, start: 1_795_780_000_000 });
    const store = await storeOf([...first.lines, ...second.lines, ...first.lines]);
    const queries = createQueries(store.db, () => undefined);
    const { rows } = queries.executions({}, { order: 'oldest', limit: 10, uncounted: true });
    expect(rows.map((row) => row.execution_id)).toEqual([first.truth.told_id, `${first.truth.told_id}~2`]);
    store.close();
  });
});

describe('the row of a slice', () => {
  it.each([
    [
      'based on a clock that was never set',
      { processing_start_at: '0001-01-01T00:00:00', processed_at: '2026-11-27T09:00:00' },
    ],
    ['negative', { processing_start_at: '2026-11-27T09:00:01', processed_at: '2026-11-27T09:00:00' }],
    ['computed from invalid times', { processing_start_at: 'yesterday', processed_at: 'today' }],
    ['out of range', { metrics: { actual_processing_time: 1e300 } }],
  ])('has no processing time if that is %s', async (_, { metrics = {}, ...times }: Record<string, unknown>) => {
    const { lines } = makeRun({ seed: 1, dialect: 'F', stfs: 1 });
    const odd = lines.map((line) => {
      const { body } = structuredClone(line) as { body: { content?: { result?: { result?: object } } } };
      if (body.content?.result !== undefined) {
        Object.assign(body.content, { processing_start_at: null, processed_at: null, ...times });
        Object.assign(body.content.result.result ?? {}, { metrics });
      }
      return { ...line, body };
    });
    const store = await storeOf(odd);
    const rows = store.db
      .prepare("SELECT assigned_at, processing_seconds FROM tf_slices WHERE status <> 'unanswered'")
      .all();
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toEqual({ assigned_at: null, processing_seconds: null });
    store.close();
  });

  it('keeps the worker of the message that was stored first, whatever a later copy says', async () => {
    const { lines } = makeRun({ seed: 5 });
    const isResult = (line: MessageLine): boolean =>
      'body' in line && JSON.stringify(line.body).includes('"state":"done"');
    const result = lines.find((line) => line.headers['client-id'] !== undefined && isResult(line));
    if (result === undefined) throw new Error('there is no result');
    const { 'client-id': worker, ...headers } = result.headers;
    const before = await storeOf(lines.map((line) => (line === result ? { ...line, headers } : line)));
    const workers = (): unknown[] =>
      before.db.prepare('SELECT assigned_worker FROM tf_slices ORDER BY slice_filename').pluck().all();
    const known = workers();
    const timestamp = String(Number(result.headers['timestamp']) - 1);
    await before.write((tx) =>
      recordHeard(tx, { ...result, headers: { ...headers, 'client-id': String(worker), timestamp } }),
    );
    expect(workers()).toEqual(known);
    before.close();
  });
});
