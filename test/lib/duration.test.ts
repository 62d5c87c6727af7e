import { expect, it } from 'vitest';

import { duration, roundDuration, wholeDuration } from '../../src/lib/duration.ts';

it.each([
  [0, '0 ms', '0 s', '0 s'],
  [0.0034, '3 ms', '0 s', '0.0034 s'],
  [0.0996, '0.10 s', '0 s', '0.1 s'],
  [9.994, '9.99 s', '10 s', '10 s'],
  [9.996, '10.0 s', '10 s', '10 s'],
  [99.94, '99.9 s', '100 s', '100 s'],
  [99.97, '100 s', '100 s', '100 s'],
  [119.4, '119 s', '119 s', '119 s'],
  [119.6, '2 min', '2 min', '2 min'],
  [125, '2 min 5 s', '2 min 5 s', '2 min 5 s'],
  [3599.6, '1 h', '1 h', '1 h'],
  [3720, '1 h 2 min', '1 h 2 min', '1 h 2 min'],
  [-12.34, '-12.3 s', '-12 s', '0 s'],
])('%d seconds are %s, %s in whole seconds, %s in a sentence', (seconds, exact, whole, round) => {
  expect([duration(seconds), wholeDuration(seconds), roundDuration(seconds)]).toEqual([exact, whole, round]);
});
