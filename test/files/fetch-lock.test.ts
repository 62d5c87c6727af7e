import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { withFetchLock } from '../../src/files/fetched-files.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { temporaryFolder } from '../folder.ts';

const never = new AbortController().signal;

describe('the lock of a file that is fetched', () => {
  it('admits one holder at a time, however long it works, and is removed afterwards', async () => {
    const path = join(temporaryFolder(), 'a.tf');
    const order: string[] = [];
    const first = withFetchLock(path, never, async () => {
      order.push('first in');
      // As after an hour: its holder is alive.
      utimesSync(`${path}.fetching`, 0, 0);
      await delay(700);
      order.push('first out');
    });
    await delay(50);
    const second = withFetchLock(path, never, () => Promise.resolve(order.push('second')));
    await Promise.all([first, second]);
    expect(order).toEqual(['first in', 'first out', 'second']);
    expect(existsSync(`${path}.fetching`)).toBe(false);
  });

  it('of a dead process is ignored, and only one of many waiters holds it at a time', async () => {
    const path = join(temporaryFolder(), 'a.tf');
    writeFileSync(`${path}.fetching`, JSON.stringify({ ...currentProcess(), pid: 4_194_303, pid_started: '1' }));
    let [inside, most] = [0, 0];
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await delay(20);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => withFetchLock(path, never, work)));
    expect(most).toBe(1);
  });

  it('of another host is respected until it is five minutes old', async () => {
    const path = join(temporaryFolder(), 'a.tf');
    writeFileSync(`${path}.fetching`, JSON.stringify({ ...currentProcess(), hostname: 'elsewhere' }));
    const giveUp = AbortSignal.timeout(500);
    await expect(withFetchLock(path, giveUp, () => Promise.resolve('in'))).rejects.toThrow();
    const old = Date.now() / 1000 - 301;
    utimesSync(`${path}.fetching`, old, old);
    expect(await withFetchLock(path, never, () => Promise.resolve('in'))).toBe('in');
  });

  it('is left in place if another process has taken it over', async () => {
    const path = join(temporaryFolder(), 'a.tf');
    await withFetchLock(path, never, () => {
      writeFileSync(`${path}.fetching`, 'of another');
      return Promise.resolve();
    });
    expect(readFileSync(`${path}.fetching`, 'utf8')).toBe('of another');
    rmSync(`${path}.fetching`);
    await withFetchLock(path, never, () => {
      rmSync(`${path}.fetching`);
      return Promise.resolve();
    });
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  it('is waited for while its holder is still writing it', async () => {
    const path = join(temporaryFolder(), 'a.tf');
    writeFileSync(`${path}.fetching`, '');
    await expect(withFetchLock(path, AbortSignal.timeout(300), () => Promise.resolve('in'))).rejects.toThrow();
    expect(existsSync(`${path}.fetching`)).toBe(true);
  });

  it('is removed by one process at a time, and by the next if that one dies', async () => {
    const path = join(temporaryFolder(), 'a.tf');
    const dead = JSON.stringify({ ...currentProcess(), pid: 4_194_303, pid_started: '1' });
    writeFileSync(`${path}.fetching`, dead);
    writeFileSync(`${path}.fetching.left`, '');
    await expect(withFetchLock(path, AbortSignal.timeout(300), () => Promise.resolve('in'))).rejects.toThrow();
    expect(readFileSync(`${path}.fetching`, 'utf8')).toBe(dead);
    const old = Date.now() / 1000 - 11;
    utimesSync(`${path}.fetching.left`, old, old);
    expect(await withFetchLock(path, never, () => Promise.resolve('in'))).toBe('in');
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  it('is no longer waited for after an abort', async () => {
    const path = join(temporaryFolder(), 'a.tf');
    const stop = new AbortController();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    await withFetchLock(path, never, async () => {
      // Its pause never ends by itself.
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const waiting = withFetchLock(path, stop.signal, () => Promise.resolve('in'));
      while (vi.getTimerCount() === 0) await new Promise(setImmediate);
      stop.abort(new Error('stopped'));
      await expect(waiting).rejects.toThrow('stopped');
    });
  });
});
