import { describe, expect, it } from 'vitest';

import type { Reading } from '../../../src/agents/ports.ts';
import {
  countMessages,
  driverEnd,
  readLateMessages,
  readMessage,
  readMessages,
} from '../../../src/db/execution/log-reader.ts';
import { makeRunningStore, sayShortExecutions } from '../../made-store.ts';
import { byWorker, slice, stf, withSlice } from '../one-slice.ts';

const id = 'stf_datataking-tester-0001';
const generated = (sequence: number) => ({
  filename: `swf.100010.${String(sequence).padStart(6, '0')}.stf`,
  sequence,
  tf_count: 100,
});

/** Three STFs, one of them ready, and a message without effect between them. Rows 1 to 3 started the run. */
async function withFiles() {
  const made = await makeRunningStore();
  await made.say('stf_gen', generated(1));
  await made.say('stf_gen', generated(2));
  await made.say('resume_run', { ordinal: 9, reason: 'period' });
  await made.say('stf_ready', generated(1));
  await made.say('stf_gen', generated(3));
  await sayShortExecutions(made, 1);
  const { sql } = made.store;
  const read = (readings: readonly Reading[], after = 0, limit = 100, execution = id) => {
    const { messages, seen } = readMessages(sql, execution, { readings, after, limit });
    return [messages.map(({ seq, message }) => `${seq} ${message.msg_type}`), seen];
  };
  return { ...made, sql, read };
}

const files = ['stf_gen', 'stf_ready'] as const;

describe('the messages of an execution', () => {
  it('are read in log order if they had an effect and are of a requested type', async () => {
    const { read } = await withFiles();
    expect(read(files)).toEqual([['4 stf_gen', '5 stf_gen', '7 stf_ready', '8 stf_gen'], 8]);
    expect(read(['stf_ready'])).toEqual([['7 stf_ready'], 8]);
    expect(read(['resume_run'])).toEqual([[], 8]);
    // An unknown execution has no messages.
    expect(read(files, 0, 100, 'another')).toEqual([[], 0]);
  });

  it('are read after a given row, up to a limit, with the number of the last row seen', async () => {
    const { read } = await withFiles();
    expect(read(files, 0, 2)).toEqual([['4 stf_gen', '5 stf_gen'], 5]);
    expect(read(files, 5, 2)).toEqual([['7 stf_ready', '8 stf_gen'], 8]);
    expect(read(files, 5, 3)).toEqual([['7 stf_ready', '8 stf_gen'], 8]);
    expect(read(files, 8, 2)).toEqual([[], 8]);
    expect(read(['stf_ready'], 0, 1)).toEqual([['7 stf_ready'], 7]);
    // A reader that is ahead of the log stays where it is.
    expect(read(files, 20, 2)).toEqual([[], 20]);
  });

  it('are filtered by state if the reader names a state for their type', async () => {
    const { store, say } = await withSlice();
    const results: Reading[] = [{ msg_type: 'slice_result', state: 'failed' }, 'end_run'];
    const failed = await say('slice_result', { ...byWorker(1), state: 'failed' });
    const after = (row: number) => readMessages(store.sql, id, { readings: results, after: row, limit: 9 }).messages;
    expect([after(0).length, after(failed.seq - 1).length, after(failed.seq).length]).toEqual([1, 1, 0]);
    expect(countMessages(store.sql, id, { readings: results, after: failed.seq, limit: 9 })).toBe(0);
    await say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
    const { seq } = await say('slice_result', { ...byWorker(2), state: 'done' });
    const { messages, seen } = readMessages(store.sql, id, { readings: results, after: 0, limit: 9 });
    expect(messages.map(({ message }) => message)).toMatchObject([{ msg_type: 'slice_result', attempt: 1 }]);
    expect(seen).toBe(seq);
    expect(countMessages(store.sql, id, { readings: results, after: 0, limit: 9 })).toBe(1);
  });

  it('are counted after a given row, up to a limit for each requested type', async () => {
    const { sql } = await withFiles();
    const count = (readings: readonly Reading[], after = 0, limit = 100, execution = id): number =>
      countMessages(sql, execution, { readings, after, limit });
    expect([count(files), count(['stf_ready']), count(['resume_run']), count([])]).toEqual([4, 1, 0, 0]);
    expect([count(files, 4), count(files, 7), count(files, 8)]).toEqual([3, 1, 0]);
    expect([count(['stf_gen'], 0, 2), count(files, 0, 2)]).toEqual([2, 3]);
    expect(count(files, 0, 100, 'another')).toBe(0);
  });

  it('are read by id; the end of a driver is read by epoch', async () => {
    const { sql, say } = await withFiles();
    expect(readMessage(sql, `${id}/stf_gen/${generated(2).filename}`)).toMatchObject(generated(2));
    expect(readMessage(sql, `${id}/stf_gen/no.stf`)).toBeUndefined();
    await say('driver_ended', { epoch: 2, cause: 'interrupted' });
    expect(driverEnd(sql, id, 2)).toMatchObject({ msg_type: 'driver_ended', cause: 'interrupted' });
    expect(driverEnd(sql, id, 1)).toBeUndefined();
  });
});

describe('messages that took effect late', () => {
  /** A slice fails and is queued before its sample and its STF are announced. */
  async function toldBackwards() {
    const made = await makeRunningStore();
    const sample = { tf_filename: slice(1).tf_filename, stf_filename: stf, tf_first: 0, tf_last: 14, tf_count: 15 };
    await made.say('slice_result', { ...byWorker(1), state: 'failed' });
    await made.say('slice', { ...slice(1), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
    await made.say('tf_file_registered', sample);
    await made.say('stf_gen', generated(1));
    const read = (readings: readonly Reading[], after = 0, limit = 100, execution = id) => {
      const { messages, seen } = readLateMessages(made.store.sql, execution, { readings, after, limit });
      return [messages.map(({ seq, message }) => `${seq} ${message.msg_type}`), seen];
    };
    return read;
  }
  const all = ['tf_file_registered', 'slice', 'slice_result'] as const;

  it('are read after a given position, in the order in which they took effect', async () => {
    const read = await toldBackwards();
    expect(read(all)).toEqual([['1 tf_file_registered', '2 slice', '3 slice_result'], 3]);
    expect(read(all, 1)).toEqual([['2 slice', '3 slice_result'], 3]);
    expect(read(all, 0, 2)).toEqual([['1 tf_file_registered', '2 slice'], 2]);
    expect(read(all, 3)).toEqual([[], 3]);
    expect(read(all, 0, 100, 'another')).toEqual([[], 0]);
  });

  it('are skipped if their type or state is not requested', async () => {
    const read = await toldBackwards();
    expect(read(['slice'])).toEqual([['2 slice'], 3]);
    expect(read(['stf_gen'])).toEqual([[], 3]);
    expect(read([])).toEqual([[], 3]);
    expect(read([{ msg_type: 'slice_result', state: 'failed' }])).toEqual([['3 slice_result'], 3]);
    expect(read([{ msg_type: 'slice_result', state: 'done' }])).toEqual([[], 3]);
    expect(read([{ msg_type: 'slice_started', state: 'failed' }])).toEqual([[], 3]);
  });
});
