import { describe, expect, it } from 'vitest';

import { fruitlessTakeUps } from '../../../src/db/execution/start-message.ts';
import { makeRunningStore } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';
const now = Date.now() + 3_600_000;
const ago = (seconds: number) => ({ recordedAt: new Date(now - seconds * 1000).toISOString() });

async function takenUp() {
  const made = await makeRunningStore();
  const driver = { pid: 7, user: 'tester', version: '1.0.0', speed: 1, hostname: 'host' } as const;
  return {
    ...made,
    begin: (epoch: number, seconds: number) => made.say('driver_started', { ...driver, epoch }, ago(seconds)),
    count: (execution = id, at = now) => fruitlessTakeUps(made.store.sql, execution, at),
  };
}

describe('an execution that is resumed repeatedly', () => {
  it('counts each driver started since its last progress, except the first', async () => {
    const { say, begin, count } = await takenUp();
    await begin(1, 60);
    expect(count()).toBe(0);
    await begin(2, 50);
    await say('driver_lost', { epoch: 2, last_sign: '2026-11-28T10:00:00.000Z', last_sign_by: 'beat' }, ago(45));
    await begin(3, 40);
    await say('driver_ended', { epoch: 3, cause: 'fault' }, ago(35));
    expect(count()).toBe(2);
    expect(count('another')).toBe(0);
    // Neither a logbook entry nor a message without effect counts as progress.
    await say('note', { command_id: 'n1', text: 'again', author: 'ana' }, ago(30));
    await say('resume_run', { ordinal: 9, reason: 'period' }, ago(30));
    expect(count()).toBe(2);
    await say('pause_run', { ordinal: 1, reason: 'period' }, ago(20));
    expect(count()).toBe(0);
    await begin(4, 10);
    expect(count()).toBe(1);
  });

  it('counts only drivers from the last ten minutes', async () => {
    const { begin, count } = await takenUp();
    await begin(2, 601);
    await begin(3, 600);
    await begin(4, 599);
    expect(count()).toBe(2);
  });
});
