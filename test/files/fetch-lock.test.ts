import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { withFetchLock } from '../../src/files/fetched-files.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { temporaryFolder } from '../folder.ts';

const never = new AbortController().signal;

describe('the lock on a file being fetched', () => {
  it('admits one holder at a time, however long the holder works, and is removed afterwards', async () => {
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

  it('is touched every minute while held, for processes that cannot see its holder', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const path = join(temporaryFolder(), 'a.tf');
    await withFetchLock(path, never, async () => {
      utimesSync(`${path}.fetching`, 0, 0);
      vi.advanceTimersByTime(60_000);
      await vi.waitFor(() => expect(statSync(`${path}.fetching`).mtimeMs).toBeGreaterThan(0));
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('held by a dead process passes to one of many waiters at a time', async () => {
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

  it('that cannot be read is respected, however old it is', async () => {
    const path = join(temporaryFolder(), 'a.tf');
    // A folder stands for the lock of another user, which root could read.
    mkdirSync(`${path}.fetching`);
    utimesSync(`${path}.fetching`, 0, 0);
    await expect(withFetchLock(path, AbortSignal.timeout(500), () => Promise.resolve('in'))).rejects.toThrow(/abort/i);
    expect(existsSync(`${path}.fetching`)).toBe(true);
  });

  it('held by another host is respected until it is five minutes old', async () => {
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

  it.each([
    ['no content', ''],
    ['no valid process', JSON.stringify({ ...currentProcess(), pid: 'x', pid_started: 1 })],
    ['a group of processes', JSON.stringify({ ...currentProcess(), pid: 0 })],
  ])('with %s is respected for ten seconds, and then ignored', async (_, content) => {
    const path = join(temporaryFolder(), 'a.tf');
    writeFileSync(`${path}.fetching`, content);
    await expect(withFetchLock(path, AbortSignal.timeout(300), () => Promise.resolve('in'))).rejects.toThrow();
    expect(existsSync(`${path}.fetching`)).toBe(true);
    const old = Date.now() / 1000 - 11;
    utimesSync(`${path}.fetching`, old, old);
    expect(await withFetchLock(path, never, () => Promise.resolve('in'))).toBe('in');
  });

  it('is removed by one process at a time, and by the next if that process dies', async () => {
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

  it('does not hold up a waiter that has been aborted', async () => {
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
