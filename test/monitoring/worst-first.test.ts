import { expect, it } from 'vitest';

import { healths } from '../../src/domain/states.ts';
import { healthsWorstFirst, isCalm, worstFirst } from '../../src/monitoring/worst-first.ts';

it('executions that need attention come first, worst first, and the others keep their order', () => {
  const seenWith = (health: 'progressing' | 'stalled' | 'slow', severity?: 'error' | 'warning' | 'info') => ({
    health,
    findings: severity === undefined ? [] : [{ severity }],
  });
  const seen: Readonly<Record<string, ReturnType<typeof seenWith>>> = {
    b: seenWith('progressing', 'info'),
    c: seenWith('progressing'),
    d: seenWith('progressing', 'error'),
    e: seenWith('stalled', 'warning'),
    f: seenWith('stalled', 'error'),
    g: seenWith('slow', 'error'),
    h: seenWith('progressing', 'error'),
  };
  expect(worstFirst(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], (id) => seen[id]).join('')).toBe('efgdhbca');
});

it('the order of health values includes every health value', () => {
  expect(healthsWorstFirst.toSorted()).toEqual(healths.toSorted());
});

it.each([
  ['progressing', ['info'], true],
  ['paused', [], true],
  [undefined, [], true],
  ['stalled', [], false],
  ['slow', ['info'], false],
  ['failed', [], false],
  ['progressing', ['info', 'warning'], false],
  ['finished', ['error'], false],
] as const)('an execution that is %s with the findings %j is calm: %s', (health, severities, expected) => {
  expect(isCalm({ health, findings: severities.map((severity) => ({ severity })) })).toBe(expected);
});
