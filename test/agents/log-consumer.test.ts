import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it, onTestFinished } from 'vitest';

import type { Agent, ExecutionContext } from '../../src/agents/agent.ts';
import { consumeLog } from '../../src/agents/log-consumer.ts';
import type { Journal, Step } from '../../src/agents/ports.ts';
import { createVirtualClock } from '../../src/lib/clock.ts';
import { Lifetime } from '../../src/lib/lifetime.ts';
import type { Message } from '../../src/messages/message.ts';
import { createNotifier } from '../../src/messages/notifier.ts';

const messages = [1, 2, 3, 4].map((sequence) => ({
  seq: sequence,
  message: { msg_type: 'stf_ready', sequence } as unknown as Message,
}));

/** An execution with a journal that records steps with `record`. */
function executionWith(record: (step: Step) => Promise<boolean>): { execution: ExecutionContext; stop: () => void } {
  const clock = createVirtualClock();
  const lifetime = new Lifetime();
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
    stepAtOnce: () => {},
  };
  const agent = {} as ExecutionContext['agent'];
  return {
    execution: { agent, journal, notifier: createNotifier(clock), clock, lifetime },
    stop: () => lifetime.stop(),
  };
}

const saysNothing: Agent = { type: 'fastmon', emits: [], reads: ['stf_ready'], handle: () => [] };

describe('a reader', () => {
  it('ends with the error of a failed step, and handles only the message already in hand', async () => {
    const steps: Step[] = [];
    const { execution } = executionWith((step) => {
      steps.push(step);
      return Promise.reject(new Error('taken over'));
    });
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    const agent: Agent = {
      ...saysNothing,
      async handle(_, context) {
        await delay(10);
        context.log({ level: 'INFO', message: 'handled' });
        return [];
      },
    };
    await expect(consumeLog(agent, 'fastmon-1', execution)).rejects.toThrow('taken over');
    await delay(10);
    expect(unhandled).toEqual([]);
    expect(steps.map(({ cursor }) => cursor)).toEqual([
      { role: 'fastmon', from: 0, to: 1 },
      { role: 'fastmon', from: 1, to: 2 },
    ]);
  });

  it('records steps in the order of the log, each starting where the previous one ended', async () => {
    const cursors: Step['cursor'][] = [];
    const { execution, stop } = executionWith((step) => {
      cursors.push(step.cursor);
      if (cursors.length === 3) stop();
      return Promise.resolve(true);
    });
    const agent: Agent = {
      ...saysNothing,
      handle(message, context) {
        // The second has no consequences: its position is recorded with the third.
        if ((message as Message<'stf_ready'>).sequence !== 2) context.log({ level: 'INFO', message: 'handled' });
        return [];
      },
    };
    await consumeLog(agent, 'fastmon-1', execution);
    expect(cursors.map((cursor) => [cursor?.from, cursor?.to])).toEqual([
      [0, 1],
      [1, 3],
      [3, 4],
    ]);
  });
});
