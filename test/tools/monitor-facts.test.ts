import { describe, expect, it } from 'vitest';

import type { Monitor } from '../../src/tools/answers/monitor.ts';
import { factsOf } from '../../src/tools/monitor/facts.ts';

/** An execution of our own, with what a monitor answers of it. */
const answer = (given: object): Monitor =>
  ({
    execution_id: 'e',
    origin: 'own',
    status: 'running',
    phase: 'physics',
    start_time: '2026-12-01T00:00:00.000Z',
    duration_seconds: 60,
    message_count: 9,
    stf_count: 2,
    tf_files_received: 6,
    slices_created: 20,
    slices_queued: 0,
    slices_processing: 0,
    slices_completed: 10,
    slices_failed: 4,
    progress: { stf_ready: 2, tf_files_expected: 6, slices_expected: 20, slices_final: 10 },
    agents: [],
    findings: [],
    errors: [],
    ...given,
  }) as unknown as Monitor;

const wordsOf = (label: string, given: object): string[] =>
  factsOf(answer(given)).flatMap((fact) => (fact.label === label ? [fact.words] : []));

describe('the facts of an execution', () => {
  it.each([
    [{}, '20: 10 completed, 4 failed (0 permanently)'],
    [{ progress: { ...answer({}).progress, slices_final: 13 } }, '20: 10 completed, 4 failed (3 permanently)'],
    [{ slices_failed: 0 }, '20: 10 completed, 0 failed'],
    [{ status: 'completed' }, '20: 10 completed, 4 failed'],
    [{ slices_failed: 0, slices_retried: 3 }, '20: 10 completed, 0 failed, 3 retried'],
    [
      { slices_failed: 0, slices_queued: 4, slices_processing: 6, slices_to_redo: 5 },
      '20: 4 queued, 1 processing, 5 to be redone, 10 completed, 0 failed',
    ],
  ])('count failed, retried and lost slices: %j', (given, words) => {
    expect(wordsOf('TF slices', given)).toEqual([words]);
  });

  it.each([
    [undefined, '30 workers'],
    [30, '30 workers'],
    [16, '30 workers (16 now)'],
    [0, '30 workers (0 now)'],
  ])('show how many workers are configured, and how many are heard from: %j', (workers, words) => {
    const given = { configuration: { target_worker_count: 30 }, capacity: { service_seconds: 1, workers } };
    expect(wordsOf('started as', given)).toEqual([words]);
  });

  it.each([
    [['READY OK', 'EXITED OK', 'EXITED OK'], ['1 OK, 2 exited']],
    [['EXITED OK'], ['1 exited']],
    [['READY OK', 'READY', 'PROCESSING'], ['1 OK, 2 unknown']],
    [['READY OK', 'EXITED OK', 'EXITED STALE'], ['1 OK, 1 exited']],
    [['EXITED STALE'], []],
  ])('count healthy agents separately from those that have exited: %j', (all, words) => {
    const agents = all.map((one) => ({ agent_name: 'a', state: one.split(' ')[0], status: one.split(' ')[1] }));
    expect(wordsOf('agents', { agents })).toEqual(words);
  });

  it('say how many drivers they leave out', () => {
    expect(wordsOf('driver', { drivers: [], drivers_omitted: 1 })).toEqual(['1 earlier driver']);
  });
});
