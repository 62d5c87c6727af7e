import { describe, expect, it } from 'vitest';

import { createGroups, spreadOf } from '../../src/domain/groups.ts';
import { nextPhase, phases, workersMayTake } from '../../src/domain/run-phases.ts';
import { placeOfFile, workKind, workKinds } from '../../src/domain/slice-returns.ts';
import { isRetried, nextSliceStatus, sliceStatuses } from '../../src/domain/slice-states.ts';
import { bucketOf, stages, summarizeStage } from '../../src/domain/stages.ts';

describe('a slice', () => {
  const events = ['queue', 'start', 'done', 'fail', 'return', 'abandon'] as const;

  it('changes its state only on certain events', () => {
    const table = Object.fromEntries(
      sliceStatuses.map((status) => [status, events.map((event) => nextSliceStatus(status, event) ?? '-').join(' ')]),
    );
    expect(table).toEqual({
      unanswered: '- - - - - -',
      queued: '- processing completed failed queued -',
      processing: '- processing completed failed queued queued',
      completed: '- - - - - -',
      failed: 'queued - - - - -',
    });
  });

  it('is retried up to the maximum number of times', () => {
    expect([1, 2, 3, 4].map((attempt) => isRetried(attempt, 3))).toEqual([true, true, true, false]);
    expect(isRetried(1, 0)).toBe(false);
  });
});

describe('a run', () => {
  const messages = ['run_imminent', 'start_run', 'pause_run', 'resume_run', 'end_run'] as const;
  const tableFor = (reason?: string) =>
    Object.fromEntries(
      phases.map((phase) => [phase, messages.map((message) => nextPhase(phase, message, reason) ?? '-').join(' ')]),
    );

  it('changes its phase only on certain messages', () => {
    expect(tableFor('completed')).toEqual({
      none: 'imminent - - - -',
      imminent: '- physics - - -',
      physics: '- - standby - completed',
      standby: '- - - physics -',
      completed: '- - - - -',
    });
  });

  it('may end early if it is stopped or fails', () => {
    const steps = { imminent: '- physics - - completed', standby: '- - - physics completed', none: 'imminent - - - -' };
    for (const reason of ['stopped', 'failed', undefined]) expect(tableFor(reason)).toMatchObject(steps);
  });

  it('lets workers take slices in every phase but standby', () => {
    expect(phases.filter((phase) => !workersMayTake(phase))).toEqual(['standby']);
  });
});

describe('the kinds of work of a slice', () => {
  const tf_filename = 'swf.1.000001_tf_001.tf';
  const here = { tf_filename, file_url: '/data/run/e/swf.1.000001_tf_001.tf' };
  const there = {
    tf_filename,
    file_url: 'http://host/data/e/swf.1.000001_tf_001.tf',
    payload: { name: 'recon', digest: 'ab' },
  };

  it('name the place of its file, its payload, or the file itself', () => {
    expect(workKinds(here)).toEqual([
      { reason: 'NO_FILE', name: '/data/run' },
      { reason: 'NO_PAYLOAD', name: 'placeholder' },
      { reason: 'WRONG_FILE', name: tf_filename },
      { reason: 'WRONG_FILE', name: tf_filename },
    ]);
    expect(workKinds(there)).toEqual([
      { reason: 'NO_FILE', name: 'http://host/data' },
      { reason: 'NO_PAYLOAD', name: 'recon ab' },
      { reason: 'WRONG_FILE', name: `${tf_filename} http://host/data` },
      { reason: 'WRONG_FILE', name: tf_filename },
    ]);
    expect(workKind({ tf_filename, payload: { name: 'recon' } }, 'NO_PAYLOAD')).toBe('recon');
    expect(workKind({ tf_filename }, 'NO_FILE')).toBe('');
    expect(workKind({ tf_filename }, 'WRONG_FILE')).toBe(tf_filename);
  });

  it('are shortened to 300 characters', () => {
    expect(workKind({ tf_filename: 'x'.repeat(400) }, 'WRONG_FILE')).toHaveLength(300);
    expect(placeOfFile(`/${'x'.repeat(400)}/e/f`)).toHaveLength(300);
  });
});

describe('delays', () => {
  it.each([
    [0, 0],
    [0.001, 0],
    [0.0011, 1],
    [0.00125, 1],
    [0.0013, 2],
    [1, 31],
  ])('of %d s fall into bucket %i', (seconds, bucket) => {
    expect(bucketOf(seconds)).toBe(bucket);
  });

  it('are summarized by their buckets', () => {
    const buckets = [
      { bucket: 1, items: 50, total: 0.05, longest: 0.001, latest: '2026-01-01' },
      { bucket: 2, items: 44, total: 0.088, longest: 0.0021, latest: '2026-01-03' },
      { bucket: 9, items: 6, total: 6, longest: 1.2344, latest: '2026-01-02' },
    ];
    expect(summarizeStage(stages[0].stage, buckets)).toEqual({
      stage: 'stf_gen → stf_ready',
      items: 100,
      p50: 0.001,
      p95: 1,
      max: 1.234,
      mean: 0.061,
      last_at: '2026-01-03',
    });
    expect(stages.map(({ agent }) => agent)).toEqual([
      'data',
      'fastmon',
      'fast_processing',
      'worker',
      'worker',
      'worker',
    ]);
  });
});

describe('groups', () => {
  it('collect rows with equal keys, including absent keys', () => {
    const groups = createGroups();
    groups.of(['a', undefined]).count += 1;
    groups.of(['a', undefined]).count += 1;
    groups.of(['a', 'undefined']).failed += 1;
    expect(groups.all([], true)).toEqual([
      expect.objectContaining({ keys: ['a', undefined], count: 2, failed: 0, seconds: [] }),
      expect.objectContaining({ keys: ['a', 'undefined'], count: 0, failed: 1, seconds: [] }),
    ]);
  });

  it('include the spread of all their durations', () => {
    expect(spreadOf([[], []])).toBeUndefined();
    expect(
      spreadOf([
        [30, 1],
        [2, 4],
      ]),
    ).toEqual({ mean: 9.25, p50: 2, p95: 30, max: 30 });
    expect(spreadOf([Array.from({ length: 100 }, (_, n) => n + 1)])).toEqual({
      mean: 50.5,
      p50: 50,
      p95: 95,
      max: 100,
    });
  });
});
