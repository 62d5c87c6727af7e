import { describe, expect, it } from 'vitest';

import type { LeftSlice } from '../../src/agents/ports.ts';
import { createLeftSlices } from '../../src/agents/worker-pool.ts';

const slice = (slice_id: number): LeftSlice => ({
  slice_id,
  slice_filename: `slice ${slice_id}`,
  tf_filename: 'tf',
  stf_filename: 'stf',
  tf_first: 0,
  tf_last: 9,
  tf_count: 10,
  attempt: 1,
  worker_id: 'w/01',
  hostname: 'h',
});

describe('slices left behind by an earlier process', () => {
  it('restart together after one kill, one at a time after two, and never after three', () => {
    const [fresh, once, twice, again, thrice] = [slice(1), slice(2), slice(3), slice(4), slice(5)];
    const kills = [0, 1, 2, 2, 3];
    const left = createLeftSlices([fresh, once, twice, again, thrice], ({ slice_id }) => kills[slice_id - 1] ?? 0);
    expect(left.suspects).toBe(2);
    expect(left.givenUp).toEqual([thrice]);
    for (const suspect of [twice, again]) {
      expect(left.next(8, false)).toEqual([]);
      expect(left.next(8, true)).toEqual([suspect]);
      left.begun([suspect]);
      // Nothing starts beside it.
      expect(left.next(8, true)).toEqual([]);
      left.ended([suspect]);
    }
    expect(left.next(1, false)).toEqual([fresh]);
    left.begun([fresh]);
    expect(left.next(8, false)).toEqual([once]);
    left.begun([once]);
    expect(left.next(8, false)).toBeUndefined();
  });
});
