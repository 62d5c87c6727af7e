import { describe, expect, it } from 'vitest';

import { inFlags } from '../../../src/commands/shared/flag-words.ts';

const flags = new Map([
  ['start_time', '--since'],
  ['order_by', '--order-by'],
  ['order', '--order'],
  ['status', '--status'],
  ['list_messages', '"swf-mcp messages"'],
]);

describe('a sentence about arguments, for a person at a terminal', () => {
  it.each([
    ['order_by = "foo": must be one of recorded, retries', '--order-by "foo": must be one of recorded, retries'],
    ['status = "done": no state; status: State of it', '--status "done": no state; --status: State of it'],
    ['status = 2999-01: to come', '--status 2999-01: to come'],
    ['start_time = 8: as start_time', '--since 8: as --since'],
    ['give order=newest or order_by=seconds', 'give --order newest or --order-by seconds'],
    ['none; list_messages lists all', 'none; "swf-mcp messages" lists all'],
    ['ask list_messages(order=newest)', 'ask list_messages(--order newest)'],
    // What is no flag of the command, what a user wrote, and plain words.
    ['end_time = "start_time": after start_time', 'end_time = "start_time": after --since'],
    ['the status is "status = 1" in order, status: none', 'the status is "status = 1" in order, status: none'],
    ['broker.status = "x"', 'broker.status = "x"'],
    ['config.order_by and a "quote \\" start_time"', 'config.order_by and a "quote \\" start_time"'],
  ])('%s', (sentence, shown) => {
    expect(inFlags(sentence, flags)).toBe(shown);
  });
});
