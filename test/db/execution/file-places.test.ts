import { describe, expect, it } from 'vitest';

import { lostFiles, newestPlace, noteNewPlace, withNewestPlace } from '../../../src/db/execution/file-places.ts';
import { registerProcess } from '../../../src/db/presence/leases.ts';
import type { Message } from '../../../src/messages/message.ts';
import { makeRunningStore, type TestStore } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';
const stf = (n: number): string => `swf.100010.${String(n).padStart(6, '0')}.stf`;
const tf = (n: number): string => stf(n).replace('.stf', '_tf_001.tf');
const slice = (n: number): string => stf(n).replace('.stf', '_slice_000.tf');
const place = (host: string, n: number): string => `http://${host}:8090/${id}/${tf(n)}`;
const sample = (n: number, file_url?: string) => ({
  tf_filename: tf(n),
  stf_filename: stf(n),
  tf_first: 0,
  tf_last: 14,
  tf_count: 15,
  file_url,
});

/** Registers a sample and its first slice. */
async function saySample(made: TestStore, n: number, file_url: string | undefined, sender = 'tester'): Promise<void> {
  await made.say('stf_gen', { filename: stf(n), sequence: n, tf_count: 100 });
  await made.say('tf_file_registered', { ...sample(n, file_url), sender });
  const cut = { slice_id: 0, slice_filename: slice(n), tf_filename: tf(n), stf_filename: stf(n) };
  await made.say('slice', { ...cut, attempt: 1, start: 0, end: 0, tf_count: 1, file_url });
}

/** Reports that a file is at another place now. */
const move = ({ store }: TestStore, n: number, file_url: string | undefined, execution_id: string | undefined = id) =>
  store.write((tx) => {
    const message = {
      msg_type: 'tf_file_registered',
      sender: 'b',
      namespace: 'test',
      execution_id,
      ...sample(n, file_url),
    };
    return noteNewPlace(tx, message as Message<'tf_file_registered'>);
  });

describe('the place of a file', () => {
  it('is the last one reported, and undefined if none was reported', async () => {
    const made = await makeRunningStore();
    const { sql } = made.store;
    await saySample(made, 1, place('host-a', 1));
    await saySample(made, 2, undefined);
    expect([1, 2, 3].map((n) => newestPlace(sql, tf(n)))).toEqual([place('host-a', 1), undefined, undefined]);
    expect(await move(made, 1, place('host-b', 1))).toBe(true);
    expect(await move(made, 1, place('host-c', 1))).toBe(true);
    expect(newestPlace(sql, tf(1))).toBe(place('host-c', 1));
  });

  it.each([
    ['no place', 1, undefined],
    ['the known place', 1, place('host-a', 1)],
    ['a path on another host', 1, `file:///data/${tf(1)}`],
    ['a place for a file that had none', 2, place('host-b', 2)],
    ['a place for an unknown file', 3, place('host-b', 3)],
  ])('does not change if a message reports %s', async (_, n, url) => {
    const made = await makeRunningStore();
    await saySample(made, 1, place('host-a', 1));
    await saySample(made, 2, undefined);
    expect(await move(made, n, url)).toBe(false);
    expect(made.store.db.prepare('SELECT count(*) FROM moved_files').pluck().get()).toBe(0);
  });

  it.each([undefined, 'another'])(
    'is not changed by a message that names another execution or none: %s',
    async (execution) => {
      const made = await makeRunningStore();
      await saySample(made, 1, place('host-a', 1));
      await made.store.write((tx) =>
        noteNewPlace(tx, {
          ...sample(1, place('host-b', 1)),
          execution_id: execution,
        } as Message<'tf_file_registered'>),
      );
      expect(newestPlace(made.store.sql, tf(1))).toBe(place('host-a', 1));
    },
  );

  it('replaces the place named in a slice if the file has moved', async () => {
    const made = await makeRunningStore();
    const { sql } = made.store;
    await saySample(made, 1, place('host-a', 1));
    const given = { tf_filename: tf(1), file_url: place('host-a', 1), attempt: 2 };
    expect(withNewestPlace(sql, given)).toBe(given);
    await move(made, 1, place('host-b', 1));
    expect(withNewestPlace(sql, given)).toEqual({ ...given, file_url: place('host-b', 1) });
    const unknown = { tf_filename: tf(3), file_url: place('host-a', 3) };
    expect(withNewestPlace(sql, unknown)).toBe(unknown);
    const none = { tf_filename: tf(3) };
    expect(withNewestPlace(sql, none)).toBe(none);
  });
});

/** Two hosts that make samples: files 1 and 2 are at host-a, file 3 is at host-b. */
async function twoHosts() {
  const made = await makeRunningStore();
  const { store } = made;
  const now = Date.now();
  for (const [index, host] of ['host-a', 'host-b'].entries())
    await store.write((tx) => {
      const process = registerProcess(tx, { pid: index + 1, pid_started: '1', hostname: host }, '1.0.0');
      tx.sql(
        `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id) VALUES (?, 'fastmon', 'test', 'READY', ?, ?)`,
      ).run(`fastmon-${host}`, new Date(now).toISOString(), process);
    });
  await saySample(made, 1, place('host-a', 1), 'fastmon-host-a');
  await saySample(made, 2, place('host-a', 2), 'fastmon-host-a');
  await saySample(made, 3, place('host-b', 3), 'fastmon-host-b');
  const lost = (later = 0) => lostFiles(store.sql, id, now + later * 1000);
  const giveBack = (n: number, reason: 'NO_FILE' | 'WRONG_FILE' | 'NO_PAYLOAD') =>
    made.say('slice_returned', {
      slice_id: 0,
      slice_filename: slice(n),
      tf_filename: tf(n),
      attempt: 1,
      worker_id: 'worker/01',
      hostname: 'host-c',
      reason,
    });
  const found = (n: number, hostname: string, since?: number) => ({
    tf_filename: tf(n),
    stf_filename: stf(n),
    file_url: place(hostname, n),
    hostname,
    since: since === undefined ? undefined : new Date(now + since).toISOString(),
  });
  return { ...made, now, lost, giveBack, found };
}

describe('a file that workers cannot get', () => {
  it('is lost once its host is silent, along with others there that have open slices', async () => {
    const { lost, giveBack, found } = await twoHosts();
    expect(lost(3600)).toEqual([]);
    await giveBack(1, 'NO_FILE');
    // The host may come back.
    expect(lost(60)).toEqual([]);
    expect(lost(61)).toEqual([found(1, 'host-a', 0), found(2, 'host-a', 0)]);
  });

  it('is not lost while any process on its host sends heartbeats', async () => {
    const { store, now, lost, giveBack } = await twoHosts();
    await giveBack(1, 'NO_FILE');
    await store.write((tx) => {
      const process = registerProcess(tx, { pid: 9, pid_started: '1', hostname: 'host-a' }, '1.0.0');
      tx.sql(
        `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id) VALUES ('w', 'worker', 'test', 'READY', ?, ?)`,
      ).run(new Date(now + 100_000).toISOString(), process);
    });
    expect(lost(120)).toEqual([]);
    expect(lost(161)).toHaveLength(2);
  });

  it('is lost immediately if it is not the announced file, and no other file is', async () => {
    const { lost, giveBack, found } = await twoHosts();
    await giveBack(1, 'WRONG_FILE');
    expect(lost()).toEqual([found(1, 'host-a')]);
    expect(lost(61)).toEqual([found(1, 'host-a', 0)]);
  });

  it('is not lost just because a worker lacks the payload', async () => {
    const { lost, giveBack } = await twoHosts();
    await giveBack(1, 'NO_PAYLOAD');
    expect(lost(3600)).toEqual([]);
  });

  it('is not lost once a worker has started or completed its slice', async () => {
    const { say, lost, giveBack } = await twoHosts();
    await giveBack(1, 'WRONG_FILE');
    const by = {
      slice_id: 0,
      slice_filename: slice(1),
      tf_filename: tf(1),
      attempt: 1,
      worker_id: 'worker/02',
      hostname: 'host-a',
    };
    await say('slice_started', by);
    expect(lost(3600)).toEqual([]);
    await say('slice_result', { ...by, state: 'done' });
    await giveBack(2, 'NO_FILE');
    expect(lost(3600)).toMatchObject([{ tf_filename: tf(2) }]);
  });

  it('is not lost if only its path on its own host is known', async () => {
    const made = await twoHosts();
    await saySample(made, 4, `file:///data/${tf(4)}`, 'fastmon-host-a');
    await made.giveBack(4, 'WRONG_FILE');
    expect(made.lost(3600)).toEqual([]);
  });

  it('that has moved is lost only if a worker returned its slice after the move', async () => {
    const made = await twoHosts();
    const { store, lost, giveBack, found } = made;
    await giveBack(1, 'NO_FILE');
    await move(made, 1, place('host-b', 1));
    await move(made, 2, place('host-b', 2));
    const moved = (at: string, n: number) =>
      store.db.exec(`UPDATE moved_files SET moved_at = '${at}' WHERE tf_filename = '${tf(n)}'`);
    moved('2999-01-01T00:00:00.000Z', 1);
    expect(lost(3600)).toEqual([]);
    // A return at the moment of the move is about the old place.
    store.db.exec('UPDATE moved_files SET moved_at = (SELECT returned_at FROM returned_slices)');
    expect(lost(3600)).toEqual([]);
    // It was returned again after the move.
    moved('2026-01-01T00:00:00.000Z', 1);
    expect(lost(3600)).toEqual([{ ...found(1, 'host-a', 0), file_url: place('host-b', 1) }]);
  });
});
