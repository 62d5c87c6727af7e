import { describe, expect, it } from 'vitest';

import { lastPrintable } from '../../src/lib/printable.ts';

describe('the end of a text as it is shown', () => {
  it.each([
    ['the whole text if it fits', 'no space left', 20, 'no space left'],
    ['its last characters otherwise', 'no space left', 4, 'left'],
    ['cut without splitting an escape', 'a\u{E0153}\u{E0153}b', 10, 'b'],
    ['cut to as many whole escapes as fit', 'a\u{E0153}\u{E0153}b', 12, String.raw`\u{e0153}b`],
    ['cut to what fits as JSON', '"""', 4, '""'],
    ['cut without splitting a character', '😀abcdefg', 8, 'abcdefg'],
  ])('is %s', (_, text, most, shown) => {
    expect(lastPrintable(text, most)).toBe(shown);
  });
});
