import { expect, it } from 'vitest';

import { dataWords } from '../../src/domain/data-words.ts';

it.each([
  ['balanced', 'completed', 0, 'records complete'],
  ['balanced', 'completed', 45, 'records complete, 45 slices not processed'],
  ['open', 'running', 1, 'not complete yet, 1 slice not processed'],
  ['open', 'terminated', 0, 'incomplete'],
  ['open', 'failed', 2, 'incomplete, 2 slices not processed'],
  ['open', 'completed', undefined, 'not known to be complete'],
  ['open', 'unknown', undefined, 'not known to be complete'],
  ['broken', 'completed', 0, 'records broken'],
] as const)(
  'data that is %s in a run that is %s, with %s failed slices, is described as %j',
  (verdict, status, slices_failed, words) => {
    expect(dataWords({ verdict, status, slices_failed })).toBe(words);
  },
);
