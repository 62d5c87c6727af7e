import { describe, expect, it } from 'vitest';

import { withoutLongLines } from '../../src/mcp/stdio.ts';

/** Passes chunks through, and returns the lines that come out and the ids of those that were dropped. */
async function passed(chunks: readonly string[], most: number) {
  const dropped: (string | number | null)[] = [];
  const lines = withoutLongLines(most, (id) => dropped.push(id));
  for (const chunk of chunks) lines.write(chunk);
  lines.end();
  let out = '';
  for await (const chunk of lines) out += String(chunk);
  return { out, dropped };
}

describe('lines from a client', () => {
  it.each([
    ['pass if several come in one chunk', ['a\nbb\nccc\n'], 'a\nbb\nccc\n', []],
    ['pass if each comes in several chunks', ['a', 'a\nb', 'b', '\n'], 'aa\nbb\n', []],
    ['are dropped if they are too long, and the next line passes', ['aaaaaaaa\nb\n'], 'b\n', [null]],
    [
      'are dropped if they are too long and come in several chunks',
      ['aaaa', 'aaaa', 'aaaa', '\nb\n', 'cccccc\n'],
      'b\n',
      [null, null],
    ],
    ['pass if they are exactly as long as allowed', ['aaaa\n'], 'aaaa\n', []],
    ['are held back until their end', ['a\nb'], 'a\n', []],
    ['are dropped if they are too long and have no end', ['a\nbbbbbbb'], 'a\n', [null]],
    [
      'are dropped, and the id at their beginning is reported',
      ['{"jsonrpc":"2.0","id":', '7,"method":"x"}\n'],
      '',
      [7],
      30,
    ],
    [
      'are dropped, and the id at their end is reported',
      ['{"method":"x","params":{"id":1},"jsonrpc":"2.0","id', '":"b"}\n'],
      '',
      ['b'],
      30,
    ],
    [
      'are dropped, and no id is reported if the only one is in the params',
      ['{"method":"x","params":{"text":"long","id":1}}\n'],
      '',
      [null],
      30,
    ],
  ])('%s', async (_, chunks, out, dropped, most = 5) => {
    expect(await passed(chunks, most)).toEqual({ out, dropped });
  });
});
