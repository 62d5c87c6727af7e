import { expect, it } from 'vitest';

import { createAgentDirectory } from '../../src/exchange/agent-directory.ts';
import { createRepeatedStarts } from '../../src/recorder/workers.ts';
import { messageOf, sliceFields, workFields } from './driven.ts';
import { execution_id } from './setup.ts';

const { slice_filename } = sliceFields(0);

/** The starts that a recorder receives, from processes that started at the given times. */
function starts() {
  const directory = createAgentDirectory();
  const repeated = createRepeatedStarts(directory);
  const beat = (since: string, worker = 'worker-1'): void =>
    directory.hear(worker, since, { agent_type: 'worker', in_hand: [], free_slots: 1, off_duty: [] });
  const start = (timestamp: string, more: object = {}, worker = 'worker-1'): void =>
    repeated.note({ ...messageOf('slice_started', { ...workFields(0, worker), ...more }), sender: worker, timestamp });
  const hear = (since: string, more: object = {}, worker = 'worker-1'): void => {
    beat(since, worker);
    start(`${since} and later`, more, worker);
    directory.forget(worker, since);
  };
  const lost = (attempt = 1, of = execution_id, name = slice_filename): number =>
    repeated.lost({ execution_id: of, slice_filename: name, attempt });
  return { repeated, beat, start, hear, lost };
}

it('a start counts as lost each time its worker restarts, not each time the start is received', () => {
  const { hear, lost } = starts();
  expect(lost()).toBe(0);
  hear('08:00');
  // The connection broke, and the same process sends it again.
  hear('08:00');
  expect(lost()).toBe(0);
  hear('09:00');
  hear('09:00');
  expect(lost()).toBe(1);
  hear('10:00');
  expect(lost()).toBe(2);
});

it('a start that its own process repeats is not lost, even if another process has the same name', () => {
  const { beat, start, lost } = starts();
  beat('08:00');
  start('08:01');
  beat('09:00');
  start('08:01');
  beat('08:00');
  start('08:01');
  expect(lost()).toBe(0);
});

it('starts are counted separately by slot, attempt, slice and execution', () => {
  const { hear, lost } = starts();
  hear('08:00');
  hear('09:00', { worker_id: 'worker-1/slot-2' });
  hear('09:00', {}, 'worker-2');
  expect(lost()).toBe(0);
  hear('10:00', {}, 'worker-2');
  expect([lost(1), lost(2), lost(1, 'x-tester-0002'), lost(1, execution_id, 'other.tf')]).toEqual([1, 0, 0, 0]);
});

it('an execution that is no longer driven is forgotten, and others are kept', () => {
  const { repeated, hear, lost } = starts();
  const longer = `${execution_id}2`;
  for (const since of ['08:00', '09:00']) {
    hear(since);
    hear(since, { execution_id: longer });
  }
  repeated.forget(execution_id);
  expect([lost(), lost(1, longer)]).toEqual([0, 1]);
});
