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
    const result = { slice_id: 2, tf_filename: 't.tf', error: 'no geometry', slice_filename: 'a.tf', state: 'failed' };
    expect(bodyOf({ ...result, outputs: ['x'], simulation_tick: 3 })).toBe(
      'a.tf failed no geometry slice_id=2 outputs=["x"]',
    );
    expect(bodyOf({ state: 'completed', reason: 'completed', stf_count: 3 })).toBe('completed stf_count=3');
    expect(bodyOf('not JSON')).toBe('not JSON');
  });
});
