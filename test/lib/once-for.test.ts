import { expect, it } from 'vitest';

import { onceFor } from '../../src/lib/once-for.ts';

it('a value is computed once per object, even if undefined, and again after a failure', () => {
  let made = 0;
  const valueOf = onceFor(({ fails, value }: { fails?: boolean; value?: string }) => {
    made += 1;
    if (fails === true) throw new Error('not now');
    return value;
  });
  const [first, second, nothing, failing] = [{ value: 'a' }, { value: 'a' }, {}, { fails: true }];
  expect([valueOf(first), valueOf(first), valueOf(second), valueOf(nothing), valueOf(nothing)]).toEqual([
    'a',
    'a',
    'a',
    undefined,
    undefined,
  ]);
  expect(made).toBe(3);
  expect(() => valueOf(failing)).toThrow('not now');
  failing.fails = false;
  expect(valueOf(failing)).toBeUndefined();
});
