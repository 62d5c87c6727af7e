import { describe, expect, it } from 'vitest';

import { type Column, tableLines as linesOf } from '../../../src/commands/shared/layout.ts';
import { createPaint, type Paint } from '../../../src/commands/shared/palette.ts';
import { tableCommands } from '../../../src/commands/tables/catalogue.ts';
import { columnsOf, shortError } from '../../../src/commands/tables/cells.ts';
import { bodyOf } from '../../../src/domain/shown.ts';

const columns = [{ head: 'STATUS', isState: true }, { head: 'REASON' }];

/** The lines of a table whose rows are cells in the order of the columns. */
const tableLines = (
  given: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number,
  paint?: Paint,
): string[] =>
  linesOf(
    given.map((column, at) => ({ ...column, of: (row: readonly string[]) => row[at] })),
    rows,
    width,
    paint,
  );

/** The heads of a command's table on a terminal of this width, and its first row. */
function shownBy(command: string, width: number, ...items: Record<string, unknown>[]): string[] {
  const table = tableCommands.find(({ name }) => name === command);
  if (table === undefined) throw new Error(`there is no ${command}`);
  return linesOf(columnsOf(table, false), items, width);
}

describe('at 80 columns', () => {
  const start_time = '2026-12-01T00:12:27.120Z';

  it('an alarm shows its time, state, severity, shortened subject and who has seen it', () => {
    const [head, row] = shownBy('alarms', 80, {
      raised_at: start_time,
      state: 'seen',
      severity: 'error',
      code: 'FAILURES_ON_ONE',
      subject: 'stf_datataking-potekhin-0003',
      seen_by: 'Alice',
      sentence: 'A long sentence that a narrow terminal has no room for, since all else is needed.',
    });
    expect(head).toMatch(/^RAISED \(UTC\) +STATE +SEVERITY +CODE +SUBJECT +SEEN BY$/);
    expect(row).toMatch(/^2026-12-01 00:12:27 +seen +error +FAILURES_ON_ONE +stf\S*…\S*hin-0003 +Alice$/);
  });

  it('an execution shows its start and duration, or how long it has been silent if it is stalled', () => {
    const run = { execution_id: 'stf_datataking-potekhin-0003', start_time, slices_completed: 84, slices_failed: 0 };
    const [head, ended, lost] = shownBy(
      'list',
      80,
      { ...run, status: 'terminated', health: 'finished', duration_seconds: 47.5 },
      { ...run, status: 'running', health: 'stalled', duration_seconds: 20, silent_seconds: 109 },
    );
    expect(head).toMatch(/^EXECUTION +STATE .*DONE +FAILED .*STARTED \(UTC\) +TOOK$/);
    expect(ended).toMatch(/^stf\S*…\S*hin-0003 +terminated .* 2026-12-01 00:12:27 +47\.5 s$/);
    expect(lost).toMatch(/hin-0003 +stalled .* silent 109 s$/);
    expect(Math.max(...[head, ended, lost].map((line = '') => line.length))).toBeLessThanOrEqual(80);
  });
});

it.each([
  [100, 'not heard since 11-27 09:24 '],
  [80, 'not heard since 11-27 '],
])('at %i columns, a run of unknown status is %s', (width, words) => {
  const [, row] = shownBy('list', width, {
    execution_id: 'stf_datataking-shifter-0001',
    status: 'unknown',
    status_reason: 'not heard since 2026-11-27T09:24:17.198Z',
    start_time: '2026-11-27T09:23:16Z',
    duration_seconds: 60.8,
    stf_count: 17,
    slices_created: 119,
    slices_completed: 110,
    slices_failed: 5,
  });
  expect(row).toContain(words);
});

describe('the names in a narrow table', () => {
  const all = ['stf_datataking-shifter-0001', 'stf_processing-shifter-0001', 'stf_datataking-shifter-0001~102402'];
  const lines = (width: number): string[] =>
    shownBy(
      'list',
      width,
      ...all.map((execution_id) => ({
        execution_id,
        status: 'completed',
        start_time: '2026-12-01T00:12:27Z',
        duration_seconds: 47.5,
        stf_count: 3,
        slices_created: 45,
        slices_completed: 45,
        slices_failed: 0,
        retries: 0,
      })),
    );

  it.each([70, 80, 100])(
    'still differ when shortened to fit %i columns, and start and duration are never cut',
    (width) => {
      const [head = '', ...rows] = lines(width);
      expect(head).toMatch(/STARTED \(UTC\) +TOOK$/);
      expect(new Set(rows.map((row) => row.split(' ')[0])).size).toBe(3);
      for (const row of rows) expect(row).toMatch(/ 2026-12-01 00:12:27 +47\.5 s$/);
      for (const line of [head, ...rows]) expect(line.length).toBeLessThanOrEqual(width);
    },
  );
});

describe('a table', () => {
  it('colours abnormal states, and nothing else, on a terminal with colours', () => {
    const rows = [
      ['completed', 'failed'],
      ['failed', ''],
    ];
    const plain = tableLines(columns, rows, 80);
    expect(plain).toEqual(['STATUS     REASON', 'completed  failed', 'failed']);
    const painted = tableLines(columns, rows, 80, createPaint(4));
    expect(painted).toEqual([plain[0], plain[1], '\u001B[41m\u001B[30mfailed\u001B[0m']);
    expect(tableLines(columns, rows, 80, createPaint(1))).toEqual(plain);
  });

  it('wraps long text onto a second line, cuts it between words, and marks the cut', () => {
    const lines = (text: string): string[] =>
      tableLines([{ head: 'TIME' }, { head: 'MESSAGE', isWrapped: true, least: 8 }], [['08:00', text]], 27).slice(1);
    expect(lines('all 15 slices are queued')).toEqual(['08:00  all 15 slices are', '       queued']);
    expect(lines('slice a_slice_001.tf failed, its last words: no geometry')).toEqual([
      '08:00  slice a_slice_001.tf',
      '       failed, its last…',
    ]);
    expect(lines('a'.repeat(45))).toEqual([`08:00  ${'a'.repeat(20)}`, `       ${'a'.repeat(19)}…`]);
    expect(lines(`a${'あ'.repeat(12)}b`)).toEqual([`08:00  a${'あ'.repeat(9)}`, `       ${'あ'.repeat(3)}b`]);
    expect(lines('short')).toEqual(['08:00  short']);
  });

  it('drops the least useful words of text that is too wide before cutting it', () => {
    const error =
      'PAYLOAD_FAILED: fit.sh ended with exit code 3 after 0.2 s; its last words: no run 7 in /a/very/long/path/calib.db';
    const lines = (width: number | undefined): string[] =>
      tableLines([{ head: 'ERROR', isWrapped: true, shorten: shortError }], [[error]], width).slice(1);
    expect(lines(undefined)).toEqual([error]);
    expect(lines(70)).toEqual(['fit.sh ended with exit code 3: no run 7 in …/path/calib.db']);
    expect(lines(40)).toEqual(['fit.sh ended with exit code 3: no run 7', 'in …/path/calib.db']);
    expect(lines(27)).toEqual(['no run 7 in …/path/calib.db']);
  });

  it('shows the subject of a message first, then its other fields by name', () => {
    const result = { slice_id: 2, tf_filename: 't.tf', error: 'no geometry', slice_filename: 'a.tf', state: 'failed' };
    expect(bodyOf({ ...result, outputs: ['x'], simulation_tick: 3 })).toBe(
      'a.tf failed no geometry slice_id=2 outputs=["x"]',
    );
    expect(bodyOf({ state: 'completed', reason: 'completed', stf_count: 3 })).toBe('completed stf_count=3');
    expect(bodyOf('not JSON')).toBe('not JSON');
  });
});
