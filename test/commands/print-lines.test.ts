import { describe, expect, it } from 'vitest';

import { paintingStates } from '../../src/commands/shared/palette.ts';
import { printLines } from '../../src/commands/shared/print-lines.ts';

function printed(lines: readonly string[], columns?: number): string {
  let text = '';
  const terminal = columns === undefined ? undefined : ({ columns: () => columns } as never);
  printLines({ out: (part) => (text += part), terminal: () => terminal, db: undefined }, lines);
  return text;
}

describe('printed lines', () => {
  const long = 'fail  rights         the store can be written by others than its owner';

  it('stay whole in a pipe, and on a terminal that is wide enough', () => {
    expect(printed([long, 'second'])).toBe(`${long}\nsecond\n`);
    expect(printed([long], long.length)).toBe(`${long}\n`);
  });

  it.each([
    [
      'to the right of a label',
      long,
      44,
      [
        'fail  rights         the store can be',
        '                     written by others than',
        '                     its owner',
      ],
    ],
    [
      'to the right of a label of two words',
      '  paused by   rita at noon (beam dump)',
      29,
      ['  paused by   rita at noon', '              (beam dump)'],
    ],
    [
      'without splitting a command',
      '  error       DRIVER_GONE: nothing runs. Run "swf-mcp resume stf_datataking-kim-0001".',
      50,
      ['  error       DRIVER_GONE: nothing runs. Run', '              "swf-mcp resume stf_datataking-kim-0001".'],
    ],
    [
      'by the width of their characters',
      '  note        界界界界界界 界界界界界界',
      32,
      ['  note        界界界界界界', '              界界界界界界'],
    ],
    ['at their own indent', '    one two three', 12, ['    one two', '    three']],
    [
      'two columns in, below a label that takes half of the line',
      long,
      30,
      ['fail  rights', '  the store can be written by', '  others than its owner'],
    ],
    [
      'without splitting a word',
      `ok    data  /${'folder/'.repeat(5)}x of it`,
      30,
      [`ok    data  /${'folder/'.repeat(5)}x`, '            of it'],
    ],
  ])('wrap %s', (_, line, columns, expected) => {
    expect(
      printed([line], columns)
        .trimEnd()
        .split('\n')
        .map((one) => one.trimEnd()),
    ).toEqual(expected.map((one) => one.trimEnd()));
  });

  it('show times to the second and with their zone, except in commands meant for copying', () => {
    expect(
      printed(['from 2026-11-30T01:46:57.120Z: "swf-mcp status --as-of 2026-11-30T01:46:57Z", 2026-11-30T02:00:00Z']),
    ).toBe('from 2026-11-30 01:46:57 UTC: "swf-mcp status --as-of 2026-11-30T01:46:57Z", 2026-11-30 02:00:00 UTC\n');
  });

  it('contain no escape character', () => {
    expect(printed(['a\u001B[2Jb'])).not.toContain('\u001B');
  });
});

it('in a status, only words that state a condition are coloured', () => {
  const paint = paintingStates((shade, text) => `<${shade}:${text}>`);
  expect(paint('stf_datataking-a-0001: running, 3 slices failed, health stalled')).toBe(
    'stf_datataking-a-0001: running, 3 slices failed, health <failed:stalled>',
  );
  expect(paint('stf_datataking-a-0001: failed, health failed')).toBe(
    'stf_datataking-a-0001: <failed:failed>, health <failed:failed>',
  );
  expect(paint('  warning     SLOT_SLOW: the worker failed: failed')).toBe(
    '  <warning:warning>     SLOT_SLOW: the worker failed: failed',
  );
  expect(paint('  TF slices   40 of 40: 0 queued, 3 failed')).toBe('  TF slices   40 of 40: 0 queued, 3 failed');
});
