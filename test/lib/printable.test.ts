import { describe, expect, it } from 'vitest';

import { lastPrintable } from '../../src/lib/printable.ts';

describe('the end of a text as it is shown', () => {
  it.each([
    ['whole, if it fits', 'no space left', 20, 'no space left'],
    ['its last characters', 'no space left', 4, 'left'],
    ['with whole escapes', 'a\u{E0153}\u{E0153}b', 10, 'b'],
    ['… as many as fit', 'a\u{E0153}\u{E0153}b', 12, String.raw`\u{e0153}b`],
    ['… counted as JSON', '"""', 4, '""'],
    ['without half a character', '😀abcdefg', 8, 'abcdefg'],
  ])('is %s', (_, text, most, shown) => {
    expect(lastPrintable(text, most)).toBe(shown);
  });
});
