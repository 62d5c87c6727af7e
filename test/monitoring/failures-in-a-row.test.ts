import { describe, expect, it } from 'vitest';

import { type FailuresInARow, nothingSucceeds } from '../../src/monitoring/failures-in-a-row.ts';
import { healthOf } from '../../src/monitoring/health.ts';
import { ago, factsOf } from './situation.ts';

const since = Date.parse(ago(10));
const now = Date.parse(ago(0));
const row: FailuresInARow = { since, attempts: 10, isMore: false, firstAttempts: 5, last_done: undefined };

describe('a row of failures', () => {
  it.each([
    ['from ten attempts and ten seconds on, nothing succeeds', row, true],
    ['nine attempts may be chance', { ...row, attempts: 9 }, false],
    ['ten within less than ten seconds may be one moment', { ...row, since: since + 1 }, false],
    ['of retries alone it says nothing: the last slices may be bad ones', { ...row, firstAttempts: 4 }, false],
    ['where there is none, something succeeds', undefined, false],
  ])('%s', (_, failing, expected) => {
    expect(nothingSucceeds(failing, now)).toBe(expected);
  });

  it('makes an execution stalled, also while it drains, but not one that is paused', () => {
    expect(healthOf(factsOf({ facts: { failing: row } }), [])).toBe('stalled');
    expect(healthOf(factsOf({ facts: { failing: row, phase: 'completed' } }), [])).toBe('stalled');
    expect(healthOf(factsOf({ facts: { failing: row, isHeld: true } }), [])).toBe('paused');
    expect(healthOf(factsOf(), [])).toBe('progressing');
  });
});
