import { beforeEach, describe, expect, it } from 'vitest';

import { listAlarms } from '../../src/db/logbook/alarms.ts';
import { type AlarmRow, alarmsIn } from '../../src/db/logbook/alarms.ts';
import { markSeen, setQuality } from '../../src/db/logbook/entries.ts';
import { becomeWatcher, firstUndelivered, knowReceiver, noteDelivered } from '../../src/db/logbook/watching.ts';
import { replayDifferences } from '../../src/db/maintenance/replay.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { currentProcess, isAlive } from '../../src/lib/process-identity.ts';
import { recordLook } from '../../src/watch/look.ts';
import { makeRunningStore, type TestStore, temporaryFolder } from '../helpers.ts';

const execution_id = 'stf_datataking-tester-0001';
const ana = { author: 'ana', sender: 'ana' };

let made: TestStore;
let watcher: number;

beforeEach(async () => {
  made = await makeRunningStore();
  watcher = await made.store.write((tx) => {
    const process_id = registerProcess(tx, currentProcess(), '0');
    becomeWatcher(tx, process_id, isAlive, Date.now());
    return process_id;
  });
});

/** A look at which the only finding says this, or there is none. Findings need not last. */
const look = (sentence?: string): Promise<string[] | undefined> =>
  recordLook(made.store, watcher, {
    found: new Map([
      [
        execution_id,
        sentence === undefined
          ? []
          : [{ code: 'SLICES_FAILED', subject: execution_id, severity: 'error' as const, sentence }],
      ],
    ]),
    now: Date.now(),
    after: { SLICES_FAILED: 0 },
  });

const alarm = (): AlarmRow | undefined => listAlarms(made.store.sql, {}, { order: 'newest', limit: 1 }).rows[0];

const end = (time = Date.now()): Promise<unknown> =>
  made.store.write((tx) =>
    tx.sql(`UPDATE workflow_executions SET status = 'completed', end_time = ?`).run(new Date(time).toISOString()),
  );

const messages = (): unknown => made.store.sql('SELECT count(*) FROM message_rows').value();

describe('the sentence of an alarm', () => {
  it('changes with its finding without notifying receivers again, and the first one is kept', async () => {
    await look('3 TF slices failed permanently.');
    const told = messages();
    expect(await look('51 TF slices failed permanently.')).toEqual([]);
    expect(alarm()).toMatchObject({
      state: 'raised',
      sentence: '51 TF slices failed permanently.',
      raised_sentence: '3 TF slices failed permanently.',
      count: 1,
    });
    expect(messages()).toBe(told);
  });

  it('keeps its last wording when the alarm is cleared, in the log too', async () => {
    await look('3 TF slices failed permanently.');
    await look('51 TF slices failed permanently.');
    expect(await look()).toEqual([`cleared SLICES_FAILED/${execution_id}`]);
    const last = {
      state: 'cleared',
      sentence: '51 TF slices failed permanently.',
      raised_sentence: '3 TF slices failed permanently.',
    };
    expect(alarm()).toMatchObject(last);
    const always = { start_time: '2000-01-01T00:00:00.000Z', end_time: '2100-01-01T00:00:00.000Z' };
    expect(alarmsIn(made.store.sql, always)).toMatchObject([last]);
  });

  it('may be newer in the tables than in the log without being reported as a difference', async () => {
    await look('3 TF slices failed permanently.');
    await look('51 TF slices failed permanently.');
    const empty = await openStore(`${temporaryFolder()}/empty.db`);
    const { sentences } = await replayDifferences(made.store.sql, empty);
    expect(sentences.filter((sentence) => sentence.startsWith('alarms'))).toEqual([]);
    empty.close();
  });
});

describe('an alarm of an ended execution', () => {
  it('is cleared once a person has acknowledged it, and is not raised again', async () => {
    await look('3 TF slices failed permanently.');
    await end();
    expect(await look('3 TF slices failed permanently.')).toEqual([]);
    await markSeen(made.store, 'SLICES_FAILED', ana);
    expect(await look('3 TF slices failed permanently.')).toEqual([`cleared SLICES_FAILED/${execution_id}`]);
    expect(await look('3 TF slices failed permanently.')).toEqual([]);
    expect(alarm()).toMatchObject({ state: 'cleared', seen_by: 'ana', count: 1 });
  });

  it('is cleared once a person has set the quality of the run, and is not raised afterwards', async () => {
    await look('3 TF slices failed permanently.');
    await setQuality(made.store, { execution_id, value: 'bad', reason: 'no geometry', ...ana });
    // While it runs, the alarm is about now.
    expect(await look('4 TF slices failed permanently.')).toEqual([]);
    expect(alarm()).toMatchObject({ state: 'raised' });
    await end();
    expect(await look('4 TF slices failed permanently.')).toEqual([`cleared SLICES_FAILED/${execution_id}`]);
    expect(await look('4 TF slices failed permanently.')).toEqual([]);
  });

  it('is raised again if the quality is withdrawn', async () => {
    await setQuality(made.store, { execution_id, value: 'bad', reason: 'no geometry', ...ana });
    await end();
    expect(await look('3 TF slices failed permanently.')).toEqual([]);
    await setQuality(made.store, { execution_id, value: 'none', reason: 'a mistake', ...ana });
    expect(await look('3 TF slices failed permanently.')).toHaveLength(1);
  });

  it('is raised again if it was cleared before the end, even if it had been acknowledged', async () => {
    await look('3 TF slices failed permanently.');
    await markSeen(made.store, 'SLICES_FAILED', ana);
    await look();
    expect(alarm()).toMatchObject({ state: 'cleared', seen_by: 'ana' });
    await end(Date.now() + 1000);
    expect(await look('5 TF slices failed permanently.')).toHaveLength(1);
    expect(alarm()).toMatchObject({ state: 'raised', count: 2 });
  });
});

it('an alarm that is acknowledged while its execution runs stays open', async () => {
  await look('3 TF slices failed permanently.');
  await markSeen(made.store, 'SLICES_FAILED', ana);
  expect(await look('4 TF slices failed permanently.')).toEqual([]);
  expect(alarm()).toMatchObject({ state: 'seen', sentence: '4 TF slices failed permanently.' });
});

it('a process that has stopped watching writes nothing', async () => {
  await look('3 TF slices failed permanently.');
  await made.store.write((tx) =>
    becomeWatcher(tx, registerProcess(tx, currentProcess(), '0'), () => false, Date.now()),
  );
  const before = [alarm(), messages()];
  expect(await look()).toBeUndefined();
  expect(await look('51 TF slices failed permanently.')).toBeUndefined();
  expect([alarm(), messages()]).toEqual(before);
});

it('a receiver gets each change since it became known once, in order', async () => {
  const { store } = made;
  await look('3 TF slices failed permanently.');
  await store.write((tx) => knowReceiver(tx, 'one'));
  expect(firstUndelivered(store.sql, 'one')).toBeUndefined();
  await look();
  await look('4 TF slices failed permanently.');
  await store.write((tx) => knowReceiver(tx, 'one'));
  const types = [];
  for (
    let change = firstUndelivered(store.sql, 'one');
    change !== undefined;
    change = firstUndelivered(store.sql, 'one')
  ) {
    const { seq, payload } = change;
    types.push((JSON.parse(payload) as { msg_type: string }).msg_type);
    await store.write((tx) => noteDelivered(tx, 'one', seq));
  }
  expect(types).toEqual(['alarm_cleared', 'alarm_raised']);
});
