import { describe, expect, it } from 'vitest';

import type { LivenessTest } from '../../../src/db/presence/leases.ts';
import { takeOwnership } from '../../../src/db/presence/leases.ts';
import { abandonedSlices, lostStarts, maxLostStarts } from '../../../src/db/presence/lost-starts.ts';
import { makeRunningStore } from '../../made-store.ts';
import { at, fakeClock, register } from './processes.ts';

const execution_id = 'stf_datataking-tester-0001';
const stf = 'swf.100010.000001.stf';
const tf = 'swf.100010.000001_tf_001.tf';
const nameOf = (slice: number): string => `swf.100010.000001_slice_00${slice}.tf`;

const nobodyLives: LivenessTest = () => false;

/** Two queued slices of a run whose driver registered at second 10, on a fake clock. */
async function twoSlices() {
  const setClock = fakeClock();
  const { say, store } = await makeRunningStore();
  const file = { filename: stf, sequence: 1, tf_count: 100 };
  await say('stf_gen', file);
  await say('stf_ready', file);
  await say('tf_file_registered', { tf_filename: tf, stf_filename: stf, tf_first: 0, tf_last: 14, tf_count: 15 });
  const slice = (id: number) => ({ slice_id: id, slice_filename: nameOf(id), tf_filename: tf });
  for (const id of [0, 1])
    await say('slice', { ...slice(id), stf_filename: stf, attempt: 1, start: id, end: id, tf_count: 1 });
  setClock(10);
  const driver = await register(store, 100);
  await store.write((tx) => takeOwnership(tx, execution_id, driver, () => true));
  const addAgent = (name: string, process_id: number, state: string): Promise<unknown> =>
    store.write(({ sql }) =>
      sql(
        `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id) VALUES (?, 'worker', 'test', ?, '', ?)`,
      ).run(name, state, process_id),
    );
  const start = (second: number, name: string, id = 0): Promise<unknown> => {
    const by = { worker_id: `${name}/01`, hostname: `host-of-${name}`, sender: name };
    return say('slice_started', { ...slice(id), ...by, attempt: 1 }, { recordedAt: at(second) });
  };
  /** A worker with its own process, which starts a slice. */
  const work = async (pid: number, second: number, state = 'PROCESSING', id = 0): Promise<void> => {
    const name = `w${pid}`;
    await addAgent(name, await register(store, pid, `host-of-${name}`), state);
    await start(second, name, id);
  };
  const lost = (isAlive: LivenessTest, attempt = 1): string[] =>
    lostStarts(store.sql, { execution_id, slice_filename: nameOf(0), attempt }, isAlive).map((one) => one.worker_id);
  return { store, driver, addAgent, start, work, lost };
}

describe('a lost start of an attempt', () => {
  it('is a start by a worker whose process died', async () => {
    const { work, lost, store } = await twoSlices();
    await work(101, 11);
    await work(102, 12);
    expect(lost(nobodyLives)).toEqual(['w101/01', 'w102/01']);
    expect(lost(({ pid }) => pid === 101)).toEqual(['w102/01']);
    expect(lost(() => true)).toEqual([]);
    expect(lost(nobodyLives, 2)).toEqual([]);
    const one = { execution_id, slice_filename: nameOf(0), attempt: 1 };
    expect(lostStarts(store.sql, one, nobodyLives)[0]).toEqual({ worker_id: 'w101/01', hostname: 'host-of-w101' });
    expect(lostStarts(store.sql, { ...one, slice_filename: nameOf(1) }, nobodyLives)).toEqual([]);
  });

  it('is not a start by a worker that exited, by the driver itself, or before the driver began', async () => {
    const { work, lost, addAgent, start, driver } = await twoSlices();
    await work(101, 11, 'EXITED');
    await addAgent('w100', driver, 'PROCESSING');
    await start(12, 'w100');
    await work(103, 9.999);
    expect(lost(nobodyLives)).toEqual([]);
    await work(104, 10);
    expect(lost(nobodyLives)).toEqual(['w104/01']);
  });

  it('may come from an earlier process of a worker that is alive again', async () => {
    const { work, lost, store } = await twoSlices();
    await work(101, 11);
    expect(lost(() => true)).toEqual([]);
    store.db.exec(`UPDATE processes SET registered_at = '${at(11)}' WHERE pid = 101`);
    expect(lost(() => true)).toEqual([]);
    store.db.exec(`UPDATE processes SET registered_at = '${at(11.001)}' WHERE pid = 101`);
    expect(lost(() => true)).toEqual(['w101/01']);
  });
});

describe('an abandoned slice', () => {
  it('was started three times by workers that died, counting starts that are not in the log', async () => {
    const { work, store } = await twoSlices();
    const abandoned = (isAlive: LivenessTest, also = 0): unknown[] =>
      abandonedSlices(store.sql, execution_id, isAlive, (one) =>
        one.slice_filename === nameOf(0) ? also * one.attempt : 0,
      );
    await work(101, 11);
    await work(102, 12);
    await work(109, 12, 'PROCESSING', 1);
    const slice = { execution_id, slice_filename: nameOf(0), slice_id: 0, tf_filename: tf, attempt: 1 };
    const last = (name: string) => ({ ...slice, worker_id: `${name}/01`, hostname: `host-of-${name}` });
    expect(maxLostStarts).toBe(3);
    expect([abandoned(nobodyLives), abandoned(nobodyLives, 1)]).toEqual([[], [last('w102')]]);
    await work(103, 13);
    expect(abandoned(nobodyLives)).toEqual([last('w103')]);
    // One of the three goes on.
    expect(abandoned(({ pid }) => pid === 103)).toEqual([]);
    expect(abandoned(({ pid }) => pid === 103, 1)).toEqual([last('w102')]);
    // Without a lost start in the log, the slice names its worker.
    expect(abandoned(() => true, 3)).toEqual([last('w103')]);
    expect(abandonedSlices(store.sql, 'nobody', nobodyLives, () => 9)).toEqual([]);
  });
});
