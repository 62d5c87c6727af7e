import { describe, expect, it } from 'vitest';

import { createPaint } from '../../../src/commands/shared/palette.ts';
import { shortError } from '../../../src/commands/tables/cells.ts';
import { tableLines } from '../../../src/commands/tables/layout.ts';
import { bodyOf } from '../../../src/domain/shown.ts';

const columns = [{ head: 'STATUS', isState: true }, { head: 'REASON' }];

describe('a table', () => {
  it('colours abnormal states on a terminal with colours, and no other words', () => {
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

  it('wraps a text that is too long onto a second line, and marks where it is cut, at a word', () => {
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

  it('drops the least useful words before it cuts a text that is too wide', () => {
    const error =
      'PAYLOAD_FAILED: fit.sh ended with exit code 3 after 0.2 s; its last words: no run 7 in /a/very/long/path/calib.db';
    const lines = (width: number | undefined): string[] =>
      tableLines([{ head: 'ERROR', isWrapped: true, shorten: shortError }], [[error]], width).slice(1);
    expect(lines(undefined)).toEqual([error]);
    expect(lines(70)).toEqual(['fit.sh ended with exit code 3: no run 7 in …/path/calib.db']);
    expect(lines(40)).toEqual(['fit.sh ended with exit code 3: no run 7', 'in …/path/calib.db']);
    expect(lines(27)).toEqual(['no run 7 in …/path/calib.db']);
  });

  it('shows the subject of a message first, and its other fields by name', () => {
    const result = { slice_id: 2, tf_filename: 't.tf', error: 'no geometry', slice_filename: 'a.tf', state: 'failed' };
    expect(bodyOf({ ...result, outputs: ['x'], simulation_tick: 3 })).toBe(
      'a.tf failed no geometry slice_id=2 outputs=["x"]',
    );
    expect(bodyOf({ state: 'completed', reason: 'completed', stf_count: 3 })).toBe('completed stf_count=3');
    expect(bodyOf('not JSON')).toBe('not JSON');
  });
});
