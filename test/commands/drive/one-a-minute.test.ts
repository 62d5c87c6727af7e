import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { oneAMinute } from '../../../src/commands/drive/drive.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('without a terminal, failed attempts are summarized in one line per minute, and everything else is printed immediately', () => {
  const written: string[] = [];
  const log = oneAMinute({ write: ({ level, message }) => void written.push(`${level} ${message}`) });
  const failed = (n: number): void =>
    log.write({ level: 'WARNING', message: `slice s${n} failed in attempt 1 of 2 and is queued again: no space` });
  failed(1);
  failed(2);
  log.write({ level: 'ERROR', message: 'slice s3 failed permanently after 2 attempts: no space' });
  log.write({ level: 'WARNING', message: 'the clock was set back' });
  const first = 'WARNING slice s1 failed in attempt 1 of 2 and is queued again: no space';
  expect(written.splice(0)).toEqual([first, 'WARNING the clock was set back']);
  vi.advanceTimersByTime(60_000);
  const second = 'ERROR 2 more attempts failed; the last: slice s3 failed permanently after 2 attempts: no space';
  expect(written.splice(0)).toEqual([second]);
  vi.advanceTimersByTime(600_000);
  expect(written).toEqual([]);
  failed(4);
  failed(5);
  expect(written.splice(0)).toHaveLength(1);
  log.end();
  expect(written).toEqual(['WARNING slice s5 failed in attempt 1 of 2 and is queued again: no space']);
  expect(vi.getTimerCount()).toBe(0);
});
