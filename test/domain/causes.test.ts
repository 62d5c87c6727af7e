import { describe, expect, it } from 'vitest';

import { causeOf, clipCause, createCauses, type Causes, countCauses } from '../../src/domain/causes.ts';

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
  ])('is the same for "%s" and "%s"', (one, other) => {
    expect(causeOf(one)).toBe(causeOf(other));
  });

  it.each([
    ['recon ended with exit code 3: bad', 'recon ended with exit code 4: bad'],
    ['bad geometry', 'bad calibration'],
    ['a facade is missing', 'a decade is missing'],
  ])('differs between "%s" and "%s"', (one, other) => {
    expect(causeOf(one)).not.toBe(causeOf(other));
  });

  it('keeps text in angle brackets', () => {
    expect(causeOf('<b>bold</b> words')).toBe('<b>bold</b> words');
  });

  it.each([
    [
      'PAYLOAD_FAILED: recon ended with exit code 3 after 1.5 s; its last words: bad geometry',
      'recon ended with exit code 3: bad geometry',
    ],
    [
      'eicrecon exited with returncode=1. stderr (last 500 chars): Error: cannot open geometry',
      'eicrecon exited with exit code 1: Error: cannot open geometry',
    ],
    ['killed by signal 9 after 600 s', 'killed by signal 9'],
    ['status 404 of http://host/a/b', 'status 404 of http:/…/b'],
    ['errno 28 at 12 of 17', 'errno 28 at N of N'],
    ['took 1.5e-3 s', 'took N s'],
    ['cannot open /a/b/c.root: /d', 'cannot open …/FILE: …/d'],
    ['run 3c1f0c1e-1111-2222-3333-444455556666 failed', 'run ID failed'],
    ['  many   spaces\n here ', 'many spaces here'],
    ['exit code 3, exit code 4', 'exit code 3, exit code 4'],
    ['a1b2c3d4 and 0xFF', 'ADDRESS and ADDRESS'],
    ['', ''],
  ])('with the error "%s" is "%s"', (error, cause) => {
    expect(causeOf(error)).toBe(cause);
  });

  it('is searched for only in the first 600 characters of the error', () => {
    const early = `${' '.repeat(590)}early late`;
    expect(causeOf(early)).toBe('early late');
    expect(causeOf(` ${early}`)).toBe('early lat');
  });

  it.each([
    [
      'unchanged if it is short',
      'recon ended with exit code 3: no geometry',
      60,
      'recon ended with exit code 3: no geometry',
    ],
    ['without the common words', 'recon ended with exit code 3: no geometry here', 40, 'no geometry here'],
    [
      'without the common words of the testbed',
      'eicrecon exited with exit code -1: no geometry here',
      40,
      'no geometry here',
    ],
    [
      'cut at the end of a word',
      'mixed.sh ended with exit code 127: ImportError: libtrack.so.4: cannot open it',
      40,
      'ImportError: libtrack.so.4: cannot open…',
    ],
    ['cut within its only word', `x ended with exit code 1: ${'a'.repeat(60)}`, 40, `${'a'.repeat(39)}…`],
  ])('is shortened to the given length: %s', (_, cause, most, shown) => {
    expect(clipCause(cause, most)).toBe(shown);
  });
});

describe('causes of several executions', () => {
  const causesOf = (...errors: string[]): Causes => {
    const causes = createCauses();
    for (const error of errors) causes.add(error);
    return causes;
  };

  it.each([
    ['share a number that both have', ['module 7 is off'], ['module 7 is off', 'module 7 is off'], 'module 7 is off'],
    ['mask a number that differs between them', ['module 7 is off'], ['module 8 is off'], 'module N is off'],
    [
      'mask a number that one of them already masks',
      ['module 7 is off'],
      ['module 7 is off', 'module 8 is off'],
      'module N is off',
    ],
  ])('%s', (_, first, second, words) => {
    const all = createCauses();
    for (const causes of [causesOf(...first), causesOf(...second)]) {
      expect(all.adopt(causes, 0)).toBe('module N is off');
      expect(all.adopt(causes, 1)).toBeUndefined();
    }
    expect(all.shown('module N is off')).toEqual({
      words,
      example: words.includes('N') ? 'module 7 is off' : undefined,
    });
  });
});

describe('counted causes', () => {
  it.each([
    [
      'keep a number that is the same in all',
      ['module 2318 is off', 'module 2318 is off'],
      { cause: 'module 2318 is off', attempts: 2, example: undefined },
    ],
    [
      'mask a number that differs, and have an example',
      ['module 2318 is off', 'module 7 is off'],
      { cause: 'module N is off', attempts: 2, example: 'module 2318 is off' },
    ],
    [
      'mask only what differs',
      ['code=1 of 500 in swf.1.000001.stf', 'code=1 of 500 in swf.1.000002.stf'],
      { cause: 'code=1 of 500 in FILE', attempts: 2, example: 'code=1 of 500 in swf.1.000001.stf' },
    ],
  ])('%s', (_, errors, expected) => {
    expect(countCauses(errors)).toEqual([expected]);
  });

  it('are sorted by number of attempts', () => {
    const counted = countCauses(['bad', 'off', 'off']);
    expect(counted.map(({ cause, attempts }) => [cause, attempts])).toEqual([
      ['off', 2],
      ['bad', 1],
    ]);
  });
});
