import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  inZone,
  noteForPeople,
  proposedIn,
  refusalForPeople,
  rowTime,
  showTimesIn,
  tickLabel,
  time,
} from '../../src/web/shared/format.ts';

describe('a time on the page', () => {
  beforeEach(() => vi.stubEnv('TZ', 'America/New_York'));
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ['2026-11-28T10:35:10.153Z', 'UTC', '2026-11-28 10:35:10 UTC'],
    ['2026-11-28T10:35:10.153Z', 'local', '2026-11-28 05:35:10 -05:00'],
    ['2026-07-28T02:35:10Z', 'local', '2026-07-27 22:35:10 -04:00'],
    ['no time', 'local', 'no time'],
  ] as const)('%s in %s time is %s', (iso, zone, shown) => {
    showTimesIn(zone);
    expect(time(iso)).toBe(shown);
  });

  it.each([
    ['2026-11-28T00:00:00Z', 'UTC', '2026-11-28'],
    ['2026-11-28T05:00:00Z', 'UTC', '05:00:00'],
    ['2026-11-28T05:00:00Z', 'local', '2026-11-28'],
    ['2026-11-28T00:00:00Z', 'local', '19:00:00'],
  ] as const)('%s in %s time has the tick label %s: the day at midnight, otherwise the time', (iso, zone, shown) => {
    showTimesIn(zone);
    expect(tickLabel(Date.parse(iso), false)).toBe(shown);
  });

  it.each([
    ['UTC', undefined, '2026-11-29 00:10:00.250'],
    ['UTC', '', '2026-11-29 00:10:00.250'],
    ['UTC', '2026-11-28T23:59:59Z', '2026-11-29 00:10:00.250'],
    ['UTC', '2026-11-29T12:00:00Z', '00:10:00.250'],
    ['local', '2026-11-28T23:59:59Z', '19:10:00.250'],
    ['local', '2026-11-29T12:00:00Z', '2026-11-28 19:10:00.250'],
  ] as const)('of a row in %s time, below the time "%s", is "%s", with the day if it is new', (zone, above, shown) => {
    showTimesIn(zone);
    expect(rowTime('2026-11-29T00:10:00.250Z', above)).toBe(shown);
  });

  it('of a damaged row is shown unchanged', () => {
    expect(rowTime('no time', '2026-11-29T00:10:00Z')).toBe('no time');
  });

  it('names its time zone within a sentence', () => {
    const sentence = 'gone, last heard 2026-11-28T09:54:17.060Z; began 2026-11-28T09:00:00Z.';
    showTimesIn('UTC');
    expect(inZone(sentence)).toBe('gone, last heard 2026-11-28 09:54:17 UTC; began 2026-11-28 09:00:00 UTC.');
    showTimesIn('local');
    expect(inZone(sentence)).toBe('gone, last heard 2026-11-28 04:54:17 -05:00; began 2026-11-28 04:00:00 -05:00.');
  });
});

it('a refusal shown on the page leaves out the names of tools', () => {
  const sentence = 'there is no execution "x"; the nearest: e-1; use "latest" for the newest';
  expect(refusalForPeople(`${sentence}; list_workflow_executions lists all (as of 10:00)`)).toBe(
    `${sentence} (as of 10:00)`,
  );
});

it.each([
  ['there is no execution "e"; the nearest: e-1, e-2; use "latest" for the newest', ['e-1', 'e-2']],
  ['100010 is a run number; use its execution id, e-1', ['e-1']],
  ['there is no execution "e"; the nearest: ; use "latest" for the newest', []],
])('the executions proposed by a refusal are read from it: %s', (words, ids) => {
  expect(proposedIn(`EXECUTION_NOT_FOUND: ${words}`)).toEqual(ids);
  expect(proposedIn(`TOOL_NOT_FOUND: ${words}`)).toEqual([]);
});

it('a tool’s note shown on the page leaves out hints for callers', () => {
  expect(noteForPeople('This page is short: enough rows were looked at. Go on with next_cursor.')).toBe(
    'This page is short: enough rows were looked at.',
  );
  expect(noteForPeople('Words of 4 letters.')).toBe('Words of 4 letters.');
  expect(noteForPeople()).toBe('');
});
