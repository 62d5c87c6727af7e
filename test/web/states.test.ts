import { describe, expect, it } from 'vitest';

import { headOf } from '../../src/lib/words.ts';
import type { ExecutionRow, Monitor } from '../../src/web/shared/answers.ts';
import { inOrder } from '../../src/web/shared/order.ts';
import { noFindingWords, stateOf, wallState } from '../../src/web/shared/states.ts';

describe('the pill of an execution', () => {
  it.each([
    [{ status: 'running', health: 'progressing', failed: 0 }, 'progressing', 'progressing'],
    [{ status: 'running', failed: 0 }, 'running', 'running'],
    [{ status: 'running', health: 'progressing', failed: 25 }, 'progressing, 25 failed', 'failed'],
    [{ status: 'running', health: 'stalled', failed: 0 }, 'stalled', 'stalled'],
    [{ status: 'running', health: 'stalled', failed: 2, isSilent: true }, 'running, no driver, 2 failed', 'lost'],
    [{ status: 'completed', health: 'finished', failed: 0 }, 'completed', 'completed'],
    [{ status: 'completed', health: 'finished', failed: 44 }, 'completed, 44 failed for good', 'failed'],
    [
      { status: 'completed', health: 'finished', failed: 0, slices_created: 210, slices_completed: 140 },
      'completed, 70 unfinished',
      'warning',
    ],
    [
      { status: 'completed', health: 'finished', failed: 0, slices_created: 1500, slices_completed: 1500 },
      'completed',
      'completed',
    ],
    [
      { status: 'completed', health: 'finished', failed: 1500, slices_created: 1500, slices_completed: 0 },
      'completed, 1,500 failed for good',
      'failed',
    ],
    [{ status: 'terminated', health: 'finished', failed: 0 }, 'terminated', 'terminated'],
    [{ status: 'unknown', status_reason: 'not heard since noon', failed: 0 }, 'not heard since noon', 'unknown'],
  ])('with %o says "%s" and is marked %s', (props, words, state) => {
    expect(stateOf(props)).toEqual({ state, words });
  });
});

it('a run whose health is unknown is never called fine', () => {
  expect(noFindingWords({ health: 'finished' })).toBe('Nothing is wrong');
  expect(noFindingWords({})).toBe('Its health is not known');
});

const row = (execution_id: string, status: string, start_time: string, slices_failed = 0): ExecutionRow =>
  ({ execution_id, status, start_time, slices_failed }) as ExecutionRow;

it('the list shows running executions first, and sorts by start time, not by recording order', () => {
  const rows = [
    row('observed later', 'completed', '2026-11-27T09:00:00Z', 3),
    row('new', 'completed', '2026-11-30T10:00:00Z'),
    row('old, runs', 'running', '2026-11-29T10:00:00Z'),
    row('new, runs', 'running', '2026-11-30T09:00:00.5Z'),
  ];
  const ids = (sort: string): string[] => inOrder(rows, sort).map(({ execution_id }) => execution_id);
  expect(ids('')).toEqual(['new, runs', 'old, runs', 'new', 'observed later']);
  expect(ids('failed')[0]).toBe('observed later');
});

describe('a card on the wall', () => {
  it.each([
    ['progressing', undefined, 'progressing', 'progressing'],
    ['progressing', 'error', 'error', 'error'],
    ['draining', 'error', 'error', 'error'],
    ['stalled', 'error', 'error', 'stalled'],
    ['progressing', 'warning', 'warning', 'progressing'],
    ['paused', 'info', 'paused', 'paused'],
  ])('of a run that is %s, with the worst finding %s, is marked %s and says %s', (health, severity, state, words) => {
    const findings = severity === undefined ? [] : [{ severity }];
    const monitor = { status: 'running', health, findings, slices_failed: 3 } as unknown as Monitor;
    expect(wallState(monitor)).toEqual({ state, words });
  });

  it.each([
    ['error', 'error', 'ended with an error'],
    ['warning', 'completed', 'completed'],
  ])('of a completed run, with the worst finding %s, is marked %s and says %s', (severity, state, words) => {
    const counts = { slices_created: 90, slices_completed: 39 };
    const monitor = {
      status: 'completed',
      health: 'finished',
      findings: [{ severity }],
      ...counts,
    } as unknown as Monitor;
    expect(wallState(monitor)).toEqual({ state, words });
  });

  it.each([
    [
      '1 TF slice has been in progress for more than 5 s (usually 0.89 s; the payload is killed after 10 min): swf.100013.000011_slice_007.tf by worker-agent-kauder-20/03 since 2026-11-30T01:35:53.100Z (9 min 51 s).',
      '1 TF slice has been in progress for more than 5 s',
    ],
    [
      'The driver, process 3739 on vm, is gone, last heard 2026-11-30T01:46:57.120Z, so nothing is running. Run "swf-mcp resume stf-1".',
      'The driver, process 3739 on vm, is gone, last heard 2026-11-30T01:46:57.120Z, so nothing is running',
    ],
    [
      'Kolja Kauder (as root claims) paused it at 2026-11-30T01:37:26Z (wrong table); "swf-mcp continue x" lets it go on.',
      'Kolja Kauder paused it at 2026-11-30T01:37:26Z',
    ],
    ['51 TF slices failed permanently. 653 attempts failed: 653 × no space.', '51 TF slices failed permanently'],
    [
      'worker-agent-kauder-10/04 on vm rests until 2026-11-30T01:35:53Z: its last 7 attempts failed, and others completed the same slices; the last error: no space.',
      'worker-agent-kauder-10/04 on vm rests until 2026-11-30T01:35:53Z',
    ],
    ['It is so', 'It is so'],
  ])('shortens "%s" to "%s"', (sentence, short) => {
    expect(headOf(sentence)).toBe(short);
  });
});
