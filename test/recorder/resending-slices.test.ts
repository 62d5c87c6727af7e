import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { strangerSeconds } from '../../src/domain/liveness.ts';
import { driven, messageOf, saySlices, takeUnsent, workFields } from './driven.ts';
import { agent, offDuty, resend, type Resent, timesOf } from './resending-setup.ts';
import { execution_id } from './setup.ts';

const place = 'http://a:1/data';

const returned = (slice_id: number, reason = 'NO_FILE') =>
  messageOf('slice_returned', { ...workFields(slice_id), reason });

/** The same with slices that were sent. */
async function withSlices(count: number, more: object = {}): Promise<Resent & { ids: string[] }> {
  const made = await resend();
  const ids = await saySlices(made.made, count, more);
  await takeUnsent(made.made);
  return { ...made, ids };
}

describe('a slice that a worker has returned', () => {
  it('is sent again after a wait that doubles with each return, up to a minute', async () => {
    const made = await withSlices(2);
    // Its one slot is busy, so that nothing counts as unclaimed.
    made.heard.set('worker-2', agent('worker', { free_slots: 0 }));
    let second = 0;
    for (const wait of [5, 10, 20, 40, 60, 60]) {
      made.resending.noteReturn(returned(0));
      await made.wait(wait + 30);
      expect(timesOf(made, made.ids[0] ?? '').at(-1)).toBe(second + wait);
      second += wait + 30;
    }
    expect(made.sent).toHaveLength(6);
    expect([made.faults, made.warnings]).toEqual([[], []]);
    expect(made.resending.remove(execution_id)).toBe(true);
    expect(made.resending.remove(execution_id)).toBe(false);
  });

  it('waits for a worker that can do it', async () => {
    const made = await withSlices(1);
    made.heard.set('worker-1', agent('worker', { free_slots: 0, ...offDuty('NO_FILE', place) }));
    made.heard.set('fastmon-1', agent('fastmon'));
    made.resending.noteReturn(returned(0));
    await made.wait(20);
    expect(made.sent).toEqual([]);
    made.heard.set('worker-2', agent('worker', { free_slots: 0 }));
    await made.wait(5);
    expect(made.sent).toEqual([[21, made.ids[0]]]);
  });

  it('is not sent again if it is done or its execution is no longer driven', async () => {
    const made = await withSlices(2);
    made.heard.set('worker-2', agent('worker', { free_slots: 0 }));
    for (const id of [0, 1]) made.resending.noteReturn(returned(id));
    await made.made.say('slice_started', workFields(0));
    await made.made.say('slice_result', { ...workFields(0), state: 'done' });
    await made.wait(10);
    expect(made.sent).toEqual([[5, made.ids[1]]]);
    made.resending.noteReturn(returned(1));
    expect(made.resending.remove(execution_id)).toBe(true);
    await made.wait(30);
    expect([made.sent.length, made.faults]).toEqual([1, []]);
    // If it is driven again, the waits start over.
    made.resending.noteReturn(returned(1));
    await made.wait(5);
    expect(made.sent).toHaveLength(2);
    expect(made.resending.remove('another')).toBe(false);
  });
});

describe('a slice that no worker has', () => {
  it('is sent again once a worker has been free for half a minute, then at intervals of 1 to 30 minutes', async () => {
    const made = await withSlices(2);
    const [lost = '', held = ''] = made.ids;
    made.heard.set('worker-1', agent('worker', { in_hand: [held], free_slots: 2 }));
    await made.wait(3800);
    const times = timesOf(made, lost);
    expect(times).toEqual([40, 100, 220, 460, 940, 1900, 3700]);
    expect(timesOf(made, held)).toEqual([]);
    expect(new Set(made.lost)).toEqual(new Set([lost]));
    expect(made.warnings[0]).toBe(`resending 1 TF slice of ${execution_id} that no worker holds`);
    expect(made.warnings).toHaveLength(times.length);
    expect(made.faults).toEqual([]);
  });

  it.each<[string, (made: Resent) => unknown]>([
    ['no worker is free', ({ heard }) => heard.set('worker-1', agent('worker', { free_slots: 0 }))],
    ['no worker is heard', ({ heard }) => heard.clear()],
    ['the free worker cannot do it', ({ heard }) => heard.set('worker-1', agent('worker', offDuty('NO_FILE', place)))],
    ['the free worker rests', ({ heard }) => heard.set('worker-1', agent('worker', offDuty('FAILING', execution_id)))],
    ['the run is in standby', ({ made }) => made.say('pause_run', { ordinal: 1, reason: 'period' })],
    ['an operator has paused the run', pausedByOperator],
    ['its execution is not driven here', ({ resending }) => resending.remove(execution_id)],
    ['the recorder is ending', ({ resending }) => resending.close()],
  ])('is not sent again while %s', async (_, change) => {
    const made = await withSlices(1);
    made.heard.set('worker-1', agent('worker'));
    await change(made);
    await made.wait(300);
    expect([made.sent, made.lost, made.warnings, made.faults]).toEqual([[], [], [], []]);
  });

  it('is sent again if a rested worker is back but does not take it within half a minute', async () => {
    const made = await withSlices(1);
    made.heard.set('worker-1', agent('worker', offDuty('FAILING', execution_id)));
    await made.wait(60);
    made.heard.set('worker-1', agent('worker'));
    await made.wait(29);
    expect(made.sent).toEqual([]);
    await made.wait(20);
    expect(timesOf(made, made.ids[0] ?? '')).toEqual([90]);
  });

  it('is sent again only once, however long the store takes to record the message', async () => {
    const { made, heard, wait, faults } = await withSlices(1);
    heard.set('worker-1', agent('worker'));
    const write = vi.spyOn(made.store, 'write').mockReturnValue(new Promise(() => {}));
    onTestFinished(() => write.mockRestore());
    await wait(200);
    expect(write).toHaveBeenCalledTimes(1);
    expect(faults).toEqual([]);
  });

  it('is sent again while all workers are busy if another slice starts half a minute after it was lost', async () => {
    const made = await withSlices(3);
    const [lost = '', held = '', next = ''] = made.ids;
    for (const id of [0, 1]) await made.made.say('slice_started', workFields(id));
    const busy = (...in_hand: string[]) => made.heard.set('worker-1', agent('worker', { free_slots: 0, in_hand }));
    busy(lost, held);
    // This long a worker may keep a slice that sends no heartbeats.
    await made.wait(strangerSeconds);
    // Its worker was killed and is back. Until others are begun, the slice may be the next one on the queue.
    busy(held);
    await made.wait(60);
    expect(made.sent).toEqual([]);
    await made.made.say('slice_started', workFields(2));
    made.resending.noteStart(messageOf('slice_started', workFields(2)));
    busy(held, next);
    await made.wait(10);
    expect(made.sent).toEqual([[strangerSeconds + 70, lost]]);
    expect([made.lost, made.faults]).toEqual([[lost], []]);
  });

  it.each([
    ['another slice started shortly after it was lost', 20, []],
    ['a worker has it in hand again', 60, [0]],
  ])('is not sent again while all workers are busy if %s', async (_, seconds, again) => {
    const made = await withSlices(2);
    const [lost = '', next = ''] = made.ids;
    await made.made.say('slice_started', workFields(0));
    made.heard.set('worker-1', agent('worker', { free_slots: 0, in_hand: [lost] }));
    await made.wait(strangerSeconds);
    made.heard.set('worker-1', agent('worker', { free_slots: 0 }));
    await made.wait(seconds);
    made.resending.noteStart(messageOf('slice_started', workFields(1)));
    made.heard.set('worker-1', agent('worker', { free_slots: 0, in_hand: [next, ...again.map(() => lost)] }));
    await made.wait(100);
    expect(made.sent).toEqual([]);
  });

  it('starts a new wait if its execution is driven again', async () => {
    const made = await withSlices(1);
    made.heard.set('worker-1', agent('worker'));
    await made.wait(100);
    made.resending.remove(execution_id);
    made.resending.add(execution_id, driven.params);
    await made.wait(40);
    expect(timesOf(made, made.ids[0] ?? '')).toEqual([40, 100, 140]);
  });
});

async function pausedByOperator({ made: { say } }: Resent): Promise<void> {
  await say('driver_started', { epoch: 1, pid: 1, user: 'tester', version: '1', speed: 1, hostname: 'here' });
  await say('pause_workflow', { command_id: 'p' }, { effect: { effect: 'applied' } });
}

it('a store error is reported each time it occurs, and resending continues', async () => {
  const made = await withSlices(1);
  made.heard.set('worker-1', agent('worker'));
  made.made.store.db.exec('ALTER TABLE tf_slices RENAME TO away');
  await made.wait(40);
  expect(made.faults).toHaveLength(4);
  made.made.store.db.exec('ALTER TABLE away RENAME TO tf_slices');
  await made.wait(20);
  expect(made.sent).toHaveLength(1);
});
