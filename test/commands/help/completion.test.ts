import { describe, expect, it } from 'vitest';

import { plainIds } from '../../../src/commands/help/completion.ts';

describe('the ids that a shell completes', () => {
  it('are of plain characters: a shell would run what a stranger wrote into another', () => {
    const plain = ['stf_datataking-alice-0001', 'prompt.102070', '7', 'run~2026-11'];
    const others = ['a b', '$(reboot)', '`reboot`', "a'b", 'a;b', 'a:b', 'a\nb', '-x', '{a,b}', '~', '*', ''];
    expect(plainIds([...others, ...plain])).toEqual(plain);
  });
});
