import { describe, expect, it } from 'vitest';

import { causeOf } from '../../src/domain/causes.ts';

describe('the cause of a failure', () => {
  it.each([
    ['no geometry on node12', 'no geometry on node7'],
    ['slice_004 is broken', 'slice_117 is broken'],
    ['cannot read run_100010.raw', 'cannot read run_100011.raw'],
    ['swf.100010.000003_slice_004.tf is missing', 'swf.100010.000001_slice_001.tf is missing'],
    ['fault at 0x7ffe12ab34cd', 'fault at 0x7ffe99ab34cd'],
    ['fault at 00007ffe12ab34cd', 'fault at 7f8a0c001000'],
    ['/scratch/a/lib.so: no symbol', '/scratch/b/lib.so: no symbol'],
    [`checksum sha256:${'0a1b'.repeat(16)} differs`, `checksum sha256:${'ff9c'.repeat(16)} differs`],
  ])('is one for "%s" and "%s"', (one, other) => {
    expect(causeOf(one)).toBe(causeOf(other));
  });

  it.each([
    ['recon ended with exit code 3: bad', 'recon ended with exit code 4: bad'],
    ['bad geometry', 'bad calibration'],
    ['a facade is missing', 'a decade is missing'],
  ])('is another for "%s" than for "%s"', (one, other) => {
    expect(causeOf(one)).not.toBe(causeOf(other));
  });

  it('keeps words that are written like a closing mark', () => {
    expect(causeOf('<b>bold</b> words')).toBe('<b>bold</b> words');
  });
});
