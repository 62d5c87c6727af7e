import { describe, expect, it } from 'vitest';

import { ask, connectInProcess, makeRunningStore, type TestStore } from '../../helpers.ts';
import { byWorker, envelope, sample, slice, sliceName, stf } from '../one-slice.ts';

describe('a message over a broker from a host whose clock is off', () => {
  const delays = ({ store }: TestStore): unknown =>
    store.db.prepare('SELECT min(total) AS least, max(longest) AS longest FROM stage_delays').get();

  it.each([-3600, 3600])('by %i s counts as sent when it was recorded, and distorts no delay', async (off) => {
    const made = await makeRunningStore();
    const timestamp = new Date(Date.now() + off * 1000).toISOString();
    const heard = (msg_type: string, fields: object): Promise<unknown> =>
      made.store.write((tx) =>
        made.receive(tx, '/topic/epictopic', JSON.stringify({ ...envelope, timestamp, msg_type, ...fields }), {
          fromBroker: true,
        }),
      );
    // The last message comes first, and takes effect late.
    await heard('tf_file_registered', {
      tf_filename: sample,
      stf_filename: stf,
      tf_first: 0,
      tf_last: 14,
      tf_count: 15,
    });
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    await heard('stf_ready', { filename: stf, sequence: 1, tf_count: 100 });
    await made.say('slice', { ...slice(1), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
    await heard('slice_started', byWorker(1));
    await made.say('slice_result', { ...byWorker(1), state: 'done' });
    expect(delays(made)).toEqual({ least: expect.any(Number), longest: expect.any(Number) });
    expect((delays(made) as { longest: number }).longest).toBeLessThan(60);
    const files = made.store.db.prepare('SELECT created_at FROM fastmon_files').all() as { created_at: string }[];
    expect(Math.abs(Date.parse(files[0]?.created_at ?? '') - Date.now())).toBeLessThan(60_000);
    // The time that the message states stays on record.
    expect(
      made.store.db.prepare(`SELECT sent_at FROM workflow_messages WHERE message_type = 'stf_ready'`).get(),
    ).toEqual({
      sent_at: timestamp,
    });
    const client = await connectInProcess(made.path);
    const { hops, total_seconds } = await ask(client, 'trace_data_product', { filename: sliceName });
    expect(total_seconds).toBeLessThan(60);
    for (const { delay_seconds = 0 } of hops) expect(Math.abs(delay_seconds)).toBeLessThan(60);
  });
});
