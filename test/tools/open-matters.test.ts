import { expect, it } from 'vitest';

import type { ShiftFacts } from '../../src/tools/shift/facts.ts';
import { openMatters } from '../../src/tools/shift/text.ts';

const finding = (severity: string) => ({ code: severity.toUpperCase(), severity, sentence: 'It is so.' });

/** A healthy running execution, except for the given fields. */
const execution = (execution_id: string, given: object = {}) => ({
  row: { execution_id, status_reason: null },
  status: 'running',
  health: 'progressing',
  stay_failed: 0,
  slices_created: 10,
  slices_completed: 10,
  findings: [],
  ...given,
});

/** An alarm that no one has seen. */
const unseen = (alarm_id: string) => ({
  alarm_id,
  state: 'raised',
  sentence: 'It is so.',
  seen_by: null,
  raised_at: '1',
});

const linesOf = (executions: readonly object[], handover: object) =>
  openMatters(
    { executions, all: executions, handover } as unknown as ShiftFacts,
    { start_time: '' } as Parameters<typeof openMatters>[1],
  );

const ended = { status: 'completed', findings: [] };

it('the open matters of a shift begin with the most urgent, since a reader may see only the first', () => {
  const executions = [
    execution('calm'),
    execution('slow', { findings: [finding('warning')] }),
    execution('undone', { ...ended, status: 'terminated', slices_completed: 9 }),
    execution('retried', { findings: [finding('info')], slices_completed: 5 }),
    execution('failed', { ...ended, stay_failed: 3, slices_completed: 7, findings: [finding('error')] }),
    execution('stalled', { health: 'stalled', slices_completed: 4, silent_seconds: 125 }),
    execution('ended badly', {
      ...ended,
      status: 'failed',
      findings: [{ ...finding('error'), code: 'EXECUTION_FAILED' }],
    }),
    execution('reported as failed', { ...ended, status: 'failed' }),
    execution('noisy', { ...ended, status: 'unknown', findings: [finding('warning'), finding('warning')] }),
    execution('stuck', { findings: [finding('warning'), finding('error')] }),
  ];
  expect(linesOf(executions, { alarms: [unseen('7')], qualities: new Map([['failed', {}]]) })).toEqual([
    'stalled is running, without a driver for 2 min 5 s, health stalled: 4 of 10 slices made so far are done',
    'stuck is running, health progressing: 10 of 10 slices made so far are done',
    'stuck WARNING: It is so.',
    'stuck ERROR: It is so.',
    'failed ERROR: It is so.',
    'ended badly EXECUTION_FAILED: It is so.',
    'reported as failed ended with status failed',
    'slow is running, health progressing: 10 of 10 slices made so far are done',
    'slow WARNING: It is so.',
    'undone ended with status terminated: 1 slice unfinished',
    'noisy has status unknown',
    'noisy WARNING: It is so.',
    'no quality is set for undone, ended badly, reported as failed, noisy',
    'no one has seen alarm 7: It is so',
    'calm is running, health progressing: 10 of 10 slices made so far are done',
    'retried is running, health progressing: 5 of 10 slices made so far are done',
  ]);
});

it('an alarm that someone has seen for one subject does not count as seen for another', () => {
  const of = (about: string) => ({
    ...finding('warning'),
    code: 'WORKER_OFF_DUTY',
    sentence: `${about} rests.`,
    about,
  });
  const alarms = ['w-1', 'w-2', 'w-3'].map((name) => unseen(`WORKER_OFF_DUTY/run:${name}`));
  const seen = { ...alarms[0], seen_by: 'rita' };
  const run = execution('run', { findings: [of('w-1'), of('w-2')] });
  expect(linesOf([run], { alarms: [seen, ...alarms.slice(1)], qualities: new Map() }).slice(1)).toEqual([
    'run WORKER_OFF_DUTY: w-1 rests.',
    'run WORKER_OFF_DUTY: w-2 rests. No one has seen its alarm.',
    'no one has seen alarm WORKER_OFF_DUTY/run:w-3: It is so',
  ]);
});
