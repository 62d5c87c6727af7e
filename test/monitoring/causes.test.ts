import { expect, it } from 'vitest';

import { causesOf } from '../../src/monitoring/timeline/causes.ts';
import { attemptsOf, start } from './made-attempts.ts';

/** Slices whose only attempt failed, by the slot that had it. */
const failedOn = (...workers: number[]) =>
  attemptsOf(workers.map((worker) => ({ stf: 0, queued: 0, tries: [{ wait: 0, work: 10, worker }], last: 'failed' })));

it.each([
  ['one slot', [3, 3], { slots: 1, worstSlot: 'w/3', worstSlotAttempts: 2 }],
  ['the slot with the most failures', [1, 5, 5, 6], { slots: 3, worstSlot: 'w/5', worstSlotAttempts: 2 }],
  ['the first slot by name if several have equally many', [6, 1], { slots: 2, worstSlot: 'w/1', worstSlotAttempts: 1 }],
  ['no slot if no message names one', [-1], { slots: 0, worstSlot: '', worstSlotAttempts: 0 }],
  ['only the slots that messages name', [-1, -1, 2], { slots: 1, worstSlot: 'w/2', worstSlotAttempts: 1 }],
])('failures with one cause name %s', (_, workers, places) => {
  const causes = causesOf(failedOn(...workers), { from: start, until: start + 60_000 }, 2);
  expect(causes).toMatchObject([{ attempts: workers.length, ...places }]);
});

it.each([
  ['all happened there', ['torre2', 'torre3'], [0, 0, 0, 1], 'torre2'],
  ['one of them happened on another host', ['torre2', 'torre3'], [0, 1, 0, 1], undefined],
  ['the host of one is not known', ['torre2', 'torre3'], [0, 0, -1, 1], undefined],
  ['no host is known', ['torre2', 'torre3'], [-1, -1, -1, 1], undefined],
  ['no other attempt ran elsewhere', ['torre2', 'torre3'], [0, 0, 0, -1], undefined],
])('failures with one cause name their common host if other attempts ran elsewhere: %s', (_, all, host, expected) => {
  // The fourth attempt succeeded.
  const attempts = attemptsOf(
    [1, 2, 3, 4].map((worker) => ({
      stf: 0,
      queued: 0,
      tries: [{ wait: 0, work: 10, worker }],
      last: worker === 4 ? 'completed' : 'failed',
    })),
  );
  const [cause] = causesOf(
    { ...attempts, host, names: { ...attempts.names, host: { all } } },
    { from: start, until: start + 60_000 },
    2,
  );
  expect(cause?.host).toBe(expected);
});
