import { describe, expect, it } from 'vitest';

import { encodeFrames, indexOfFrame, verifyFrames } from '../../src/domain/frames.ts';

const stf = { run: 100_010, sequence: 1 };

describe('frames', () => {
  it.each([32, 33, 35, 64, 4096])('of %i bytes are read back as written', (bytes) => {
    const buffer = encodeFrames(stf, 40, 7, bytes);
    expect(buffer).toHaveLength(7 * bytes);
    expect(() => verifyFrames(buffer, 40, bytes)).not.toThrow();
    expect(indexOfFrame(buffer.subarray(2 * bytes, 3 * bytes), bytes)).toBe(42);
  });

  it('are reproducible, and differ from one another and from STF to STF', () => {
    expect(encodeFrames(stf, 5, 1, 64)).toEqual(encodeFrames(stf, 0, 6, 64).subarray(5 * 64));
    expect(encodeFrames(stf, 0, 1, 64).subarray(16)).not.toEqual(encodeFrames(stf, 1, 1, 64).subarray(16));
    expect(encodeFrames({ run: 100_010, sequence: 2 }, 0, 1, 64).subarray(16)).not.toEqual(
      encodeFrames(stf, 0, 1, 64).subarray(16),
    );
  });

  it('reveal any changed bit, and the frame it is in', () => {
    for (let bit = 0; bit < 64 * 8; bit += 1) {
      const buffer = encodeFrames(stf, 10, 3, 64);
      const at = 64 + (bit >> 3);
      buffer[at] = (buffer[at] as number) ^ (1 << (bit & 7));
      expect(() => verifyFrames(buffer, 10, 64)).toThrow(/^frame 11 /);
    }
  });

  it('in the wrong place are detected', () => {
    expect(() => verifyFrames(encodeFrames(stf, 11, 1, 64), 10, 64)).toThrow('frame 10 has the index 11');
  });
});
