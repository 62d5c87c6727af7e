import { describe, expect, it } from 'vitest';

import type { Recorded } from '../../../src/db/log/rows.ts';
import { makeRunningStore, makeStore, noCounts, type TestStore } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';
const at = (second: number): string => `2026-11-28T10:00:0${second}.000Z`;
const named = { code: 'STAGE_STUCK', subject: `${id}:data` };
const alarm = (count = 1) => ({ ...named, sentence: 'Nothing is read.', severity: 'error' as const, count });

const rowOf = ({ store }: TestStore): any => store.db.prepare('SELECT * FROM alarms').get();

describe('an alarm', () => {
  it('is raised, seen by a person, and cleared, each with its time', async () => {
    const made = await makeRunningStore();
    expect(await made.say('alarm_raised', { ...alarm(), timestamp: at(1) })).toMatchObject({ effect: 'applied' });
    const raised = {
      seq: 1,
      alarm_id: `STAGE_STUCK/${id}:data`,
      execution_id: id,
      ...alarm(),
      state: 'raised',
      raised_at: at(1),
      seen_by: null,
      seen_sent_by: null,
      seen_at: null,
      seen_text: null,
      cleared_at: null,
      raised_sentence: 'Nothing is read.',
      current_sentence: null,
    };
    expect(rowOf(made)).toEqual(raised);
    await made.say('alarm_seen', { ...alarm(), author: 'ana', text: 'I look', timestamp: at(2) });
    const seen = {
      ...raised,
      state: 'seen',
      seen_by: 'ana',
      seen_sent_by: 'tester',
      seen_at: at(2),
      seen_text: 'I look',
    };
    expect(rowOf(made)).toEqual(seen);
    await made.say('alarm_cleared', { ...alarm(), timestamp: at(3) });
    expect(rowOf(made)).toEqual({ ...seen, state: 'cleared', cleared_at: at(3) });
  });

  it('need not be about an execution, and may be acknowledged without any text', async () => {
    const made = await makeStore();
    await made.say('alarm_raised', { ...alarm(), execution_id: undefined });
    await made.say('alarm_seen', { ...alarm(), author: 'tester', execution_id: undefined });
    expect(rowOf(made)).toMatchObject({ execution_id: null, seen_by: 'tester', seen_sent_by: null, seen_text: null });
  });

  it('that is raised again is a new, unseen row with a higher count', async () => {
    const made = await makeRunningStore();
    await made.say('alarm_raised', alarm());
    await made.say('alarm_raised', { ...alarm(), subject: 'another' });
    await made.say('alarm_seen', { ...alarm(), author: 'ana' });
    await made.say('alarm_cleared', alarm());
    await made.say('alarm_raised', { ...alarm(2), severity: 'warning', sentence: 'Again.', timestamp: at(5) });
    expect(made.store.db.prepare('SELECT seq, subject, count, state FROM alarms ORDER BY seq').all()).toEqual([
      { seq: 2, subject: 'another', count: 1, state: 'raised' },
      { seq: 3, subject: named.subject, count: 2, state: 'raised' },
    ]);
    expect(made.store.db.prepare('SELECT * FROM alarms WHERE seq = 3').get()).toMatchObject({
      severity: 'warning',
      sentence: 'Again.',
      raised_at: at(5),
      seen_by: null,
      cleared_at: null,
    });
  });

  it('that is cleared can still be marked as seen, and stays cleared', async () => {
    const made = await makeRunningStore();
    await made.say('alarm_raised', alarm());
    await made.say('alarm_cleared', alarm());
    expect(await made.say('alarm_seen', { ...alarm(), author: 'ana' })).toMatchObject({ effect: 'applied' });
    expect(rowOf(made)).toMatchObject({ state: 'cleared', seen_by: 'ana' });
  });

  const name = `STAGE_STUCK/${id}:data`;
  type Step = [type: 'alarm_raised' | 'alarm_seen' | 'alarm_cleared', count: number, by?: string];
  const steps: [title: string, before: Step[], step: Step, reason: string][] = [
    ['marked as seen if it was never raised', [], ['alarm_seen', 1], `no alarm ${name} was raised`],
    ['cleared if it was never raised', [], ['alarm_cleared', 1], `no alarm ${name} was raised`],
    [
      'raised while already raised',
      [['alarm_raised', 1]],
      ['alarm_raised', 2],
      `alarm ${name} is raised, with count 1`,
    ],
    [
      'marked as seen with a different count',
      [['alarm_raised', 1]],
      ['alarm_seen', 2],
      `alarm ${name} is raised, with count 1`,
    ],
    [
      'cleared with a different count',
      [['alarm_raised', 1]],
      ['alarm_cleared', 2],
      `alarm ${name} is raised, with count 1`,
    ],
    [
      'raised with a lower count',
      [
        ['alarm_raised', 2],
        ['alarm_cleared', 2],
      ],
      ['alarm_raised', 1],
      `alarm ${name} is cleared, with count 2`,
    ],
  ];
  it.each(steps)('is not %s', async (_, before, step, reason) => {
    const made = await makeRunningStore();
    const say = ([type, count]: Step): Promise<Recorded> => made.say(type, { ...alarm(count), author: 'ana' });
    for (const one of before) await say(one);
    const standing = rowOf(made);
    expect(await say(step)).toMatchObject({ effect: 'none', effect_code: 'NO_STEP', effect_reason: reason });
    expect(rowOf(made)).toEqual(standing);
  });

  it('keeps the name of the first person to see it, and is cleared only once', async () => {
    const made = await makeRunningStore();
    await made.say('alarm_raised', alarm());
    await made.say('alarm_seen', { ...alarm(), author: 'ana' });
    const second = { ...alarm(), author: 'ben' };
    expect(await made.say('alarm_seen', second)).toMatchObject({ effect: 'conflict' });
    await made.say('alarm_cleared', { ...alarm(), timestamp: at(3) });
    const again = { ...alarm(), sentence: 'Other words.', timestamp: at(4) };
    expect(await made.say('alarm_cleared', again)).toMatchObject({ effect: 'conflict' });
    expect(rowOf(made)).toMatchObject({ seen_by: 'ana', cleared_at: at(3) });
  });
});

describe('a note', () => {
  it('is recorded with its text, its author and the time it refers to', async () => {
    const { store, say } = await makeRunningStore();
    const of = { text: 'the beam was off', author: 'ana', timestamp: at(5) };
    await say('note', { ...of, command_id: 'a', at: at(1), about: 'magnet', for_next: true });
    await say('note', { ...of, command_id: 'b', author: 'tester', execution_id: undefined });
    expect(store.db.prepare('SELECT * FROM notes ORDER BY seq').all()).toEqual([
      {
        seq: 1,
        message_id: 'note/a',
        execution_id: id,
        text: 'the beam was off',
        author: 'ana',
        sent_by: 'tester',
        at: at(1),
        about: 'magnet',
        for_next: 1,
        written_at: at(5),
      },
      {
        seq: 2,
        message_id: 'note/b',
        execution_id: null,
        text: 'the beam was off',
        author: 'tester',
        sent_by: null,
        // It names no other time than its own.
        at: at(5),
        about: null,
        for_next: 0,
        written_at: at(5),
      },
    ]);
  });
});

describe('the quality of a run', () => {
  it('is the last one set, even after the end of the execution', async () => {
    const { store, say } = await makeRunningStore();
    await say('quality', { command_id: 'a', value: 'good', reason: 'clean', author: 'ana', timestamp: at(1) });
    await say('workflow_ended', { status: 'completed', reason: 'completed', ...noCounts });
    await say('quality', { command_id: 'b', value: 'bad', reason: 'no beam', author: 'tester', timestamp: at(2) });
    expect(store.db.prepare('SELECT * FROM run_quality').all()).toEqual([
      {
        execution_id: id,
        message_id: 'quality/b',
        value: 'bad',
        reason: 'no beam',
        author: 'tester',
        sent_by: null,
        set_at: at(2),
      },
    ]);
  });

  it('is not set if the message names no execution', async () => {
    const { store, say } = await makeRunningStore();
    const said = { command_id: 'a', value: 'good', reason: 'clean', author: 'ana', execution_id: undefined } as const;
    expect(await say('quality', said)).toMatchObject({
      effect_code: 'NO_EXECUTION',
      effect_reason: 'names no execution',
    });
    expect(store.db.prepare('SELECT count(*) FROM run_quality').pluck().get()).toBe(0);
  });
});
