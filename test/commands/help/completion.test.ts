import { describe, expect, it } from 'vitest';

import { plainIds } from '../../../src/commands/help/completion.ts';

describe('the ids that a shell completes', () => {
  it('contain only plain characters, since a shell could execute others', () => {
    const plain = [
      'SLICES_FAILED/stf_datataking-alice-0001',
      'swf.100010.000001.stf',
      'stf_datataking-alice-0001',
      'prompt.102070',
      '7',
      'run~2026-11',
    ];
    const others = ['a b', '$(reboot)', '`reboot`', "a'b", 'a;b', 'a:b', 'a\nb', '-x', '{a,b}', '~', '*', ''];
    expect(plainIds([...others, ...plain])).toEqual(plain);
  });
});
