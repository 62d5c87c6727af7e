import { describe, expect, it } from 'vitest';

import { withoutLongLines } from '../../../src/commands/serve/long-lines.ts';

/** Runs chunks through, and returns the lines that come out and how many were dropped. */
async function passed(chunks: readonly string[], most: number): Promise<{ out: string; dropped: number }> {
  let dropped = 0;
  const lines = withoutLongLines(most, () => (dropped += 1));
  for (const chunk of chunks) lines.write(chunk);
  lines.end();
  let out = '';
  for await (const chunk of lines) out += String(chunk);
  return { out, dropped };
}

describe('lines of a client', () => {
  it.each([
    ['pass, several in a chunk', ['a\nbb\nccc\n'], 'a\nbb\nccc\n', 0],
    ['pass, each in several chunks', ['a', 'a\nb', 'b', '\n'], 'aa\nbb\n', 0],
    ['are dropped where they are longer, and the next passes', ['aaaaaaaa\nb\n'], 'b\n', 1],
    ['… in several chunks', ['aaaa', 'aaaa', 'aaaa', '\nb\n', 'cccccc\n'], 'b\n', 2],
    ['pass at the limit', ['aaaa\n'], 'aaaa\n', 0],
    ['wait for their end', ['a\nb'], 'a\n', 0],
  ])('%s', async (_, chunks, out, dropped) => {
    expect(await passed(chunks, 5)).toEqual({ out, dropped });
  });
});
