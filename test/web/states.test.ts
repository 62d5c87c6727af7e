import { describe, expect, it } from 'vitest';

import type { ExecutionRow } from '../../src/web/shared/answers.ts';
import { inOrder, stateOf } from '../../src/web/shared/states.ts';

describe('the one pill of an execution', () => {
  it.each([
    [{ status: 'running', health: 'progressing', failed: 0 }, 'progressing', 'progressing'],
    [{ status: 'running', failed: 0 }, 'running', 'running'],
    [{ status: 'running', health: 'progressing', failed: 25 }, 'progressing, 25 failed', 'failed'],
    [{ status: 'running', health: 'stalled', failed: 0 }, 'stalled', 'stalled'],
    [{ status: 'running', health: 'stalled', failed: 2, isSilent: true }, 'running, no driver, 2 failed', 'lost'],
    [{ status: 'completed', health: 'finished', failed: 0 }, 'completed', 'completed'],
    [{ status: 'completed', health: 'finished', failed: 44 }, 'completed, 44 stay failed', 'failed'],
    [{ status: 'terminated', health: 'finished', failed: 0 }, 'terminated', 'terminated'],
    [{ status: 'unknown', status_reason: 'not heard since noon', failed: 0 }, 'not heard since noon', 'unknown'],
  ])('of %o is "%s", marked %s', (props, words, state) => {
    expect(stateOf(props)).toEqual({ state, words });
  });
});

const row = (execution_id: string, status: string, start_time: string, slices_failed = 0): ExecutionRow =>
  ({ execution_id, status, start_time, slices_failed }) as ExecutionRow;

it('the list has those that run first, then by start, whatever was recorded last', () => {
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
