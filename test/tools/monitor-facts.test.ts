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
  ])('count failed and retried slices: %j', (given, words) => {
    expect(wordsOf('TF slices', given)).toEqual([words]);
  });

  it.each([
    [undefined, '30 workers'],
    [30, '30 workers'],
    [16, '30 workers (16 now)'],
    [0, '30 workers (0 now)'],
  ])('have the configured workers, and %j that are heard', (workers, words) => {
    const given = { configuration: { target_worker_count: 30 }, capacity: { service_seconds: 1, workers } };
    expect(wordsOf('started as', given)).toEqual([words]);
  });

  it('say how many drivers are not among them', () => {
    expect(wordsOf('driver', { drivers: [], drivers_omitted: 1 })).toEqual(['1 earlier driver']);
  });
});
