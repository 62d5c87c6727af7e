import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Page } from '../../../src/db/lists/list-query.ts';
import { listMessages, type MessageFilter } from '../../../src/db/lists/messages.ts';
import { createWordSearch } from '../../../src/db/lists/word-search.ts';
import type { TestStore } from '../../made-store.ts';
import { ada, at, bob, cleo, knownRuns, stf } from './known-runs.ts';

let made: TestStore;

beforeAll(async () => {
  made = await knownRuns();
});
afterAll(() => made.store.close());

const list = (filter: MessageFilter, page: Partial<Page> = {}) =>
  listMessages(made.store.sql, filter, { order: 'newest', limit: 50, ...page }, createWordSearch(made.store.sql));

const minuteOf = (sent_at: string): number => (Date.parse(sent_at) - Date.parse(at(0))) / 60_000;

/** Types and minutes of messages. */
const told = (filter: MessageFilter, page: Partial<Page> = {}): string =>
  list(filter, page)
    .rows.map(({ message_type, sent_at }) => `${message_type}@${minuteOf(sent_at)}`)
    .join(' ');

const endOfCleo = 'workflow_ended@22 run_workflow@20';
const ofTrouble = 'unreadable@26 stf_gen@25 resume_run@24';
const ofBobsFiles = 'tf_file_registered@16 stf_ready@16 stf_gen@15';
const ofBob = `stf_gen@18 slice_started@17 slice@16 slice@16 ${ofBobsFiles} start_run@14 run_imminent@14 run_workflow@14`;

describe('listing messages', () => {
  it.each<[what: string, filter: MessageFilter, answer: string]>([
    ['those of an execution', { execution_id: bob }, ofBob],
    ['those of a run', { run_id: '100012' }, endOfCleo],
    ['none for an execution and the run of another', { execution_id: bob, run_id: '100012' }, ''],
    ['those of a namespace', { namespace: 'other' }, ofBob],
    ['none for an unknown namespace', { namespace: 'nobody' }, ''],
    ['those of an agent', { agent: 'worker-agent-bob-3' }, 'slice_started@17'],
    ['none for an agent of another execution', { agent: 'daq-agent-bob-9', execution_id: ada }, ''],
    ['those of a frequent type', { message_type: 'stf_gen' }, 'stf_gen@25 stf_gen@18 stf_gen@15 stf_gen@10 stf_gen@3'],
    [
      'those of a frequent type of an execution',
      { message_type: 'stf_gen', execution_id: bob },
      'stf_gen@18 stf_gen@15',
    ],
    ['those of a rare type', { message_type: 'workflow_ended' }, 'workflow_ended@30 workflow_ended@22'],
    [
      'those of a rare type of an execution',
      { message_type: 'workflow_ended', execution_id: ada },
      'workflow_ended@30',
    ],
    ['those of a rare type of a run', { message_type: 'workflow_ended', run_id: '100012' }, 'workflow_ended@22'],
    ['none for a type without messages', { message_type: 'pause_run' }, ''],
    ['one by its id', { message_id: `${cleo}/workflow_ended` }, 'workflow_ended@22'],
    [
      'none for the id of a message of another execution',
      { message_id: `${cleo}/workflow_ended`, execution_id: ada },
      '',
    ],
    ['those without effect', { effect: 'none' }, 'resume_run@24'],
    ['those that were refused', { effect: 'rejected' }, 'unreadable@26'],
    ['those that contradict others', { effect: 'conflict' }, 'stf_gen@25'],
    ['those without effect in an execution', { effect: 'none', execution_id: ada }, 'resume_run@24'],
    ['those that contradict others in an execution', { effect: 'conflict', execution_id: ada }, 'stf_gen@25'],
    ['none that were refused if the execution has no such messages', { effect: 'rejected', execution_id: ada }, ''],
    ['those with an effect in a run', { effect: 'applied', run_id: '100012' }, endOfCleo],
    ['those with an effect in an execution', { effect: 'applied', execution_id: bob }, ofBob],
    ['those of a window, ends included', { start_time: at(24), end_time: at(26) }, ofTrouble],
    ['none just outside a window', { start_time: at(24.001), end_time: at(25.999) }, 'stf_gen@25'],
    [
      'those of an execution in a window',
      { execution_id: bob, start_time: at(17), end_time: at(18) },
      'stf_gen@18 slice_started@17',
    ],
    ['those with a word', { search: 'resume_run' }, 'resume_run@24'],
    [
      'those with a word in an execution',
      { search: stf(100_010, 2), execution_id: ada },
      'stop_workflow@28 stf_gen@10',
    ],
    ['none with a word in another execution', { search: stf(100_010, 2), execution_id: bob }, ''],
    ['none for a word of a masked setting', { search: 'sesame' }, ''],
  ])('returns %s', (_what, filter, answer) => {
    expect(told(filter)).toBe(answer);
    // The count, stored or counted, agrees.
    expect(list(filter).total_count).toBe(answer === '' ? 0 : answer.split(' ').length);
    expect(list(filter, { limit: 1 })).toMatchObject({
      total_is_lower_bound: false,
      total_count: list(filter).total_count,
    });
  });

  it('continues after a given message, in either order', () => {
    expect(told({}, { limit: 3 })).toBe('quality@35 note@34 workflow_ended@30');
    expect(told({}, { limit: 2, after: 36 })).toBe('stop_workflow@28 unreadable@26');
    expect(told({}, { limit: 2, order: 'oldest' })).toBe('run_workflow@0 run_imminent@1');
    expect(told({}, { limit: 2, order: 'oldest', after: 36 })).toBe('note@34 quality@35');
    expect(told({ namespace: 'other' }, { limit: 1, order: 'oldest' })).toBe('run_workflow@14');
    expect(list({}, { limit: 1 })).toMatchObject({ total_count: 38, has_more: true });
  });

  it('returns each message with its content and effect', () => {
    const [row] = list({ effect: 'conflict' }).rows;
    expect(row).toMatchObject({
      message_type: 'stf_gen',
      sender_agent: 'daq-agent-ada-1',
      namespace: 'test',
      sent_at: at(25),
      recorded_at: at(25),
      happened_at: at(25),
      execution_id: ada,
      run_id: '100010',
      destination: '/topic/epictopic',
      effect_code: 'CONTRADICTION',
      repeats: null,
      contradicts: null,
    });
    expect(JSON.parse(row?.payload ?? '')).toMatchObject({ msg_type: 'stf_gen', tf_count: 99 });
  });
});
