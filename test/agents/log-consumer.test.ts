import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import type { Agent } from '../../src/agents/agent.ts';
import { runReader, type Workplace } from '../../src/agents/log-consumer.ts';
import type { Journal, Step } from '../../src/agents/ports.ts';
import { createVirtualClock } from '../../src/lib/clock.ts';
import { createInProcessBus } from '../../src/messages/notifier.ts';
import type { Message } from '../../src/messages/vocabulary.ts';

const messages = [1, 2, 3, 4].map((sequence) => ({
  seq: sequence,
  message: { msg_type: 'stf_ready', sequence } as unknown as Message,
}));

/** A place to work in whose journal records as `record` says. */
function workplaceWith(record: (step: Step) => Promise<boolean>): { workplace: Workplace; stop: () => void } {
  const clock = createVirtualClock();
  const stopping = new AbortController();
  const journal: Journal = {
    cursor: () => 0,
    readLate: (_, after) => ({ messages: [], seen: after }),
    read: (_, after, limit) => {
      const found = messages.filter(({ seq }) => seq > after).slice(0, limit);
      return { messages: found, seen: found.at(-1)?.seq ?? after };
    },
    message: () => undefined,
    behind: () => 0,
    step: record,
  };
  const context = {} as Workplace['context'];
  return {
    workplace: { context, journal, bus: createInProcessBus(clock), clock, signal: stopping.signal },
    stop: () => stopping.abort(),
  };
}

const saysNothing: Agent = { type: 'fastmon', reads: ['stf_ready'], handle: () => [] };

describe('a reader', () => {
  it('whose step fails while the next message is in hand ends with that error, and hands in no more', async () => {
    const steps: Step[] = [];
    const { workplace } = workplaceWith((step) => {
      steps.push(step);
      return Promise.reject(new Error('taken over'));
    });
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const agent: Agent = {
      ...saysNothing,
      async handle(_, context) {
        await delay(10);
        context.log({ level: 'INFO', message: 'handled' });
        return [];
      },
    };
    await expect(runReader(agent, 'fastmon-1', workplace)).rejects.toThrow('taken over');
    await delay(10);
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    expect(steps.map(({ cursor }) => cursor)).toEqual([
      { role: 'fastmon', from: 0, to: 1 },
      { role: 'fastmon', from: 1, to: 2 },
    ]);
  });

  it('hands in steps in the order of the log, each from where the one before ended', async () => {
    const cursors: Step['cursor'][] = [];
    const { workplace, stop } = workplaceWith((step) => {
      cursors.push(step.cursor);
      if (cursors.length === 3) stop();
      return Promise.resolve(true);
    });
    const agent: Agent = {
      ...saysNothing,
      handle(message, context) {
        // The second has no consequences: its place goes with the third.
        if ((message as Message<'stf_ready'>).sequence !== 2) context.log({ level: 'INFO', message: 'handled' });
        return [];
      },
    };
    await runReader(agent, 'fastmon-1', workplace);
    expect(cursors.map((cursor) => [cursor?.from, cursor?.to])).toEqual([
      [0, 1],
      [1, 3],
      [3, 4],
    ]);
  });
});
