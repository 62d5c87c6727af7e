import { expect, it, vi } from 'vitest';

import { writeError } from '../../src/commands/shared/process-io.ts';
import { withPlainTimes } from '../../src/lib/words.ts';

it.each([
  ['not heard since 2026-12-01T08:02:14.123Z', 'not heard since 2026-12-01 08:02:14 UTC'],
  ['from 2026-12-01T08:02:14Z, to 2026-12-01T08:03:00Z.', 'from 2026-12-01 08:02:14 UTC, to 2026-12-01 08:03:00 UTC.'],
  ['(2026-12-01T08:02:14Z)', '(2026-12-01 08:02:14 UTC)'],
])('a time in a sentence is written for people: %s', (line, shown) => {
  expect(withPlainTimes(line)).toBe(shown);
});

it.each([
  'there is no store at /data/2026-12-01T08:02:14Z/swf.db yet',
  './run-2026-12-01T08:02:14Z.log',
  '2026-12-01T08:02:14Z.json',
  'give ISO 8601 such as 2026-11-24T10:00Z, or -2h',
  'run "swf-mcp status --as-of 2026-12-01T08:02:14.123Z" again',
  '2026-12-01T08:02:14.123Z@stf_datataking-tester-0001/end_run',
  '--as-of=2026-12-01T08:02:14Z',
])('a time that someone may copy, or that is part of a name, stays as it is: %s', (line) => {
  expect(withPlainTimes(line)).toBe(line);
});

it('a line on stderr has its times written for people, and its commands name the store', () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  writeError('EXECUTION_REMOVED: removed at 2026-12-01T08:02:14.123Z; "swf-mcp list" shows the others', 'my.db');
  const lines = written.mock.calls;
  written.mockRestore();
  expect(lines).toEqual([
    ['EXECUTION_REMOVED: removed at 2026-12-01 08:02:14 UTC; "swf-mcp --db my.db list" shows the others\n'],
  ]);
});
