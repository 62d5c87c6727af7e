import { describe, expect, it } from 'vitest';

import { createPaint } from '../../../src/commands/shared/palette.ts';
import { bodyOf } from '../../../src/commands/tables/cells.ts';
import { tableLines } from '../../../src/commands/tables/layout.ts';

const columns = [{ head: 'STATUS', isState: true }, { head: 'REASON' }];

describe('a table', () => {
  it('marks the states that are not normal on a terminal with colours, and no other words', () => {
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

  it('shows of a message what it is about first, and its other fields by their names', () => {
    expect(bodyOf({ slice_id: 2, error: 'no geometry', slice_filename: 'a.tf', payload: { name: 'sh' } })).toBe(
      'a.tf no geometry slice_id=2 payload={"name":"sh"}',
    );
    expect(bodyOf('not JSON')).toBe('not JSON');
  });
});
