import { describe, expect, it } from 'vitest';

import { type FailuresInARow, nothingSucceeds } from '../../src/monitoring/evidence.ts';
import { healthOf } from '../../src/monitoring/health.ts';
import { ago, factsOf } from './situation.ts';

const since = Date.parse(ago(10));
const now = Date.parse(ago(0));
const row: FailuresInARow = { since, attempts: 10, isMore: false, firstAttempts: 5, last_done: undefined };

describe('a series of failures', () => {
  it.each([
    ['of ten attempts in ten seconds means that nothing succeeds', row, true],
    ['of nine attempts may be chance', { ...row, attempts: 9 }, false],
    ['of ten in less than ten seconds may be a momentary problem', { ...row, since: since + 1 }, false],
    ['of mostly retries may be due to bad slices', { ...row, firstAttempts: 4 }, false],
    ['that has not begun means that something succeeds', undefined, false],
  ])('%s', (_, failing, expected) => {
    expect(nothingSucceeds(failing, now)).toBe(expected);
  });

  it('makes an execution stalled, even while it drains, unless it is paused', () => {
    expect(healthOf(factsOf({ facts: { failing: row } }), [])).toBe('stalled');
    expect(healthOf(factsOf({ facts: { failing: row, phase: 'completed' } }), [])).toBe('stalled');
    expect(healthOf(factsOf({ facts: { failing: row, isHeld: true } }), [])).toBe('paused');
    expect(healthOf(factsOf(), [])).toBe('progressing');
  });
});
