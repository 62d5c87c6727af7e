import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createLongCalls } from '../../src/http/long-calls.ts';

/** A thread that behaves as the name of a call says. */
const program = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (message) => {
    if (message === 'give up') return parentPort.postMessage({ answer: {} });
    const { tool, args } = message;
    if (tool === 'spin') for (;;);
    if (tool === 'wait') return;
    if (tool === 'die') process.exit(9);
    if (tool === 'fill') { const all = []; for (;;) all.push({ all: [...all.slice(-100)] }); }
    parentPort.postMessage(tool === 'refuse' ? { code: 'ARGUMENT_INVALID', message: 'no' } : { answer: { args } });
  });`;

function start(milliseconds: number, giveUpMilliseconds?: number) {
  let started = 0;
  const calls = createLongCalls(
    () => {
      started += 1;
      return new Worker(program, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 32 } });
    },
    { milliseconds, ...(giveUpMilliseconds === undefined ? {} : { giveUpMilliseconds }) },
  );
  onTestFinished(() => calls.close());
  return { calls, started: () => started };
}

const never = new AbortController().signal;

describe('long calls', () => {
  it('that never end are abandoned, and the next call is answered', async () => {
    // The time of the first call ends at a word; that of the next one, which may wait long for its thread, never does.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { calls } = start(300);
    const spun = calls.call('a', { tool: 'spin', args: {} }, never);
    const next = calls.call('a', { tool: 'echo', args: 1 }, never);
    // A call waits for its place first.
    await nextTurn();
    vi.advanceTimersByTime(300);
    await expect(spun).rejects.toThrow(/took longer than 0\.3 s and was cancelled; ask for less/);
    expect(await next).toEqual({ args: 1 });
  });

  it('that are cancelled free their place at once, and their thread unless it hangs', async () => {
    for (const [tool, patience, threads] of [
      ['wait', 60_000, 1],
      ['spin', 10, 2],
    ] as const) {
      const { calls, started } = start(60_000, patience);
      const given = new AbortController();
      const taken = calls.call('a', { tool, args: {} }, given.signal);
      const next = calls.call('a', { tool: 'echo', args: tool }, never);
      // The thread is at work by then.
      await new Promise(setImmediate);
      given.abort();
      await expect(taken).rejects.toThrow(/cancelled before/);
      expect(await next).toEqual({ args: tool });
      expect(started()).toBe(threads);
    }
  });

  it('that end their thread or fill its memory fail without affecting other calls', async () => {
    const { calls } = start(20_000);
    await expect(calls.call('a', { tool: 'die', args: {} }, never)).rejects.toThrow(
      /thread for long calls ended with exit code 9/,
    );
    await expect(calls.call('a', { tool: 'fill', args: {} }, never)).rejects.toThrow(/memory/);
    await expect(calls.call('a', { tool: 'refuse', args: {} }, never)).rejects.toThrow('no');
    expect(await calls.call('a', { tool: 'echo', args: 2 }, never)).toEqual({ args: 2 });
  });

  it('of one client run one at a time, so that a second client has a thread', async () => {
    const { calls, started } = start(3000);
    const given = new AbortController();
    const spinning = ['spin', 'spin', 'spin'].map((tool) => calls.call('a', { tool, args: {} }, given.signal));
    for (let n = 0; n < 5; n += 1) expect(await calls.call('b', { tool: 'echo', args: n }, never)).toEqual({ args: n });
    expect(started()).toBe(2);
    given.abort();
    const ends = await Promise.allSettled(spinning);
    for (const end of ends)
      expect(end).toMatchObject({ reason: { message: expect.stringMatching(/cancelled before/) } });
  });
});
