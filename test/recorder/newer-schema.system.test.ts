import { join } from 'node:path';

import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { activeMq, startBroker } from '../brokers/activemq.ts';
import type { Broker } from '../brokers/broker.ts';
import { sets, Site } from '../remote/site.ts';

const quick = sets('fast_processing.slice_processing_time=2', 'fast_processing.target_worker_count=8');

describe.skipIf(activeMq.missing() !== undefined)('a newer schema', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.stop());

  it("in a recorder's store ends the recorder within five seconds, and nothing more is written", async () => {
    const here = new Site(() => broker, quick);
    const recorder = await here.recorder();
    await here.request({ stf_count: 100 }, 1);
    await expect.poll(async () => (await here.askAll('list_stf_files')).length).toBeGreaterThan(0);
    // Its last messages cannot be confirmed: nothing is left to wait for.
    await broker.kill();
    const db = new Database(join(here.folder, 'swf.db'));
    db.pragma('busy_timeout = 5000');
    db.pragma('user_version = 99');
    const newest = db.prepare('SELECT max(seq) AS seq FROM message_rows').get();
    const began = performance.now();
    const { code, stderr } = await recorder.finished;
    expect({ code, stderr }).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/STORE_TOO_NEW: .* 99 /),
    });
    // Last messages are given 30 s.
    expect(performance.now() - began).toBeLessThan(25_000);
    expect(stderr.match(/STORE_TOO_NEW/g)).toHaveLength(1);
    expect(db.prepare('SELECT max(seq) AS seq FROM message_rows').get()).toEqual(newest);
    db.close();
    await broker.start();
  });
});
