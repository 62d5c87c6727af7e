import { describe, expect, it } from 'vitest';

import { hasCode, stackOf, SwfError } from '../../src/lib/errors.ts';

const systemError = (code: string) => Object.assign(new Error('the system refused'), { code });

describe('an error code', () => {
  it.each([
    [new SwfError('CONFIG_INVALID', 'x'), true],
    [systemError('EEXIST'), true],
    [new SwfError('CONFIG_NOT_FOUND', 'x'), false],
    [systemError('ENOENT'), false],
    [new Error('EEXIST'), false],
    [{ code: 'EEXIST' }, false],
    [undefined, false],
  ])('of %s is among the requested codes: %s', (error, expected) => {
    expect(hasCode(error, 'CONFIG_INVALID', 'EEXIST')).toBe(expected);
  });
});

describe('a bug report', () => {
  it('says where an error was thrown, or what was thrown in place of an error', () => {
    expect(stackOf(new Error('lost'))).toMatch(/^Error: lost\n +at /);
    expect(stackOf('lost')).toBe('lost');
  });
});
