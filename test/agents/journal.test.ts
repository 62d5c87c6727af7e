import { describe, expect, it } from 'vitest';

import type { Journal } from '../../src/agents/ports.ts';
import { openExecution } from '../../src/db/driving/journal.ts';
import type { Draft } from '../../src/messages/message.ts';
import { makeRunningStore } from '../helpers.ts';
import { MemoryJournal } from './memory-journal.ts';

const execution_id = 'stf_datataking-tester-0001';

/** Every implementation of the port, each with an execution whose run is in physics. */
const journals: [kind: string, open: () => Promise<Journal>][] = [
  [
    'of a store',
    async () => {
      const { store } = await makeRunningStore();
      const held = { execution_id, run_number: 100_010, namespace: 'test' };
      const options = { writeLogLine: () => {}, isAlive: () => true, onCommitted: () => {} };
      return openExecution(store, held, options).journal;
    },
  ],
  ['in memory', () => Promise.resolve(new MemoryJournal())],
];

const stf = (sequence: number): Draft<'stf_gen'> => ({
  msg_type: 'stf_gen',
  filename: `swf.100010.${String(sequence).padStart(6, '0')}.stf`,
  sequence,
  tf_count: 100,
});

const say = (journal: Journal, ...says: Draft[]): Promise<boolean> => journal.step({ sender: 'daq-1', tick: 1, says });

const sequencesOf = ({ messages }: ReturnType<Journal['read']>): number[] =>
  messages.map(({ message }) => (message.msg_type === 'stf_gen' ? message.sequence : NaN));

describe.each(journals)('a journal %s', (_, open) => {
  it('returns the messages of the requested types in order, after a given position', async () => {
    const journal = await open();
    await say(journal, stf(1), stf(2), { msg_type: 'pause_run', ordinal: 1, reason: 'operator' });
    const all = journal.read(['stf_gen'], 0, 10);
    expect(sequencesOf(all)).toEqual([1, 2]);
    const first = journal.read(['stf_gen'], 0, 1);
    expect(sequencesOf(first)).toEqual([1]);
    expect(sequencesOf(journal.read(['stf_gen'], first.seen, 10))).toEqual([2]);
    expect(journal.read(['stf_gen'], all.seen, 10)).toEqual({ messages: [], seen: all.seen });
  });

  it('returns only messages in the requested state', async () => {
    const journal = await open();
    await say(journal, { ...stf(1), state: 'physics' }, { ...stf(2), state: 'other' });
    expect(sequencesOf(journal.read([{ msg_type: 'stf_gen', state: 'other' }], 0, 10))).toEqual([2]);
  });

  it('moves the cursor with each step, and ignores a step that starts elsewhere', async () => {
    const journal = await open();
    const step = (from: number, to: number, sequence: number): Promise<boolean> =>
      journal.step({ sender: 'data-1', tick: 1, says: [stf(sequence)], cursor: { role: 'data', from, to } });
    expect(journal.cursor('data')).toBe(0);
    expect(await step(0, 5, 1)).toBe(true);
    expect(await step(0, 6, 2)).toBe(false);
    expect(journal.cursor('data')).toBe(5);
    expect(sequencesOf(journal.read(['stf_gen'], 0, 10))).toEqual([1]);
  });

  it('accepts a function for the messages of a step, and records a repeated message once', async () => {
    const journal = await open();
    await journal.step({ sender: 'daq-1', tick: 1, says: () => [stf(1)] });
    await say(journal, stf(1));
    expect(sequencesOf(journal.read(['stf_gen'], 0, 10))).toEqual([1]);
  });

  it('finds a message by its id, and counts the unread messages of a role up to a limit', async () => {
    const journal = await open();
    await say(journal, stf(1), stf(2), stf(3));
    expect(journal.message(`${execution_id}/stf_gen/${stf(2).filename}`)).toMatchObject({
      sequence: 2,
      sender: 'daq-1',
    });
    expect(journal.message('no such id')).toBeUndefined();
    expect([journal.behind('data', ['stf_gen'], 10), journal.behind('data', ['stf_gen'], 2)]).toEqual([3, 2]);
  });
});
