import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, it, onTestFinished } from 'vitest';

import { inTime } from '../../src/lib/deadline.ts';

/** Work that ends only with its signal. */
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

describe('work with a time limit', () => {
  it('is aborted when its time runs out, even after garbage collection', async () => {
    setFlagsFromString('--expose-gc');
    const clearMemory = runInNewContext('gc') as () => void;
    const clearing = setInterval(clearMemory, 20);
    onTestFinished(() => clearInterval(clearing));
    await expect(inTime(200, new AbortController().signal, untilAborted)).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'no answer in 0.2 s',
    });
  });

  it('is aborted when the given signal is aborted, for the same reason', async () => {
    const reason = new Error('stopped');
    await expect(inTime(60_000, AbortSignal.abort(reason), (signal) => Promise.reject(signal.reason))).rejects.toBe(
      reason,
    );
    await expect(inTime(60_000, new AbortController().signal, () => Promise.resolve(1))).resolves.toBe(1);
  });
});
