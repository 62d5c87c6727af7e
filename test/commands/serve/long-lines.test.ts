import { describe, expect, it } from 'vitest';

import { withoutLongLines } from '../../../src/commands/serve/long-lines.ts';

/** Runs chunks through, and returns the lines that come out and how many were dropped. */
async function passed(chunks: readonly string[], most: number) {
  const dropped: (string | number | null)[] = [];
  const lines = withoutLongLines(most, (id) => dropped.push(id));
  for (const chunk of chunks) lines.write(chunk);
  lines.end();
  let out = '';
  for await (const chunk of lines) out += String(chunk);
  return { out, dropped };
}

describe('lines of a client', () => {
  it.each([
    ['pass, several in a chunk', ['a\nbb\nccc\n'], 'a\nbb\nccc\n', []],
    ['pass, each in several chunks', ['a', 'a\nb', 'b', '\n'], 'aa\nbb\n', []],
    ['are dropped where they are longer, and the next passes', ['aaaaaaaa\nb\n'], 'b\n', [null]],
    ['… in several chunks', ['aaaa', 'aaaa', 'aaaa', '\nb\n', 'cccccc\n'], 'b\n', [null, null]],
    ['pass at the limit', ['aaaa\n'], 'aaaa\n', []],
    ['wait for their end', ['a\nb'], 'a\n', []],
    ['are dropped without an end too', ['a\nbbbbbbb'], 'a\n', [null]],
    ['are answered by the id in front', ['{"jsonrpc":"2.0","id":', '7,"method":"x"}\n'], '', [7], 30],
    ['… or at the end', ['{"method":"x","params":{"id":1},"jsonrpc":"2.0","id', '":"b"}\n'], '', ['b'], 30],
    ['… and by no other', ['{"method":"x","params":{"text":"long","id":1}}\n'], '', [null], 30],
  ])('%s', async (_, chunks, out, dropped, most = 5) => {
    expect(await passed(chunks, most)).toEqual({ out, dropped });
  });
});
