import { describe, expect, it } from 'vitest';

import { errorInFlags, helpInFlags, inFlags } from '../../../src/commands/shared/flag-words.ts';

const words = {
  flags: new Map([
    ['start_time', '--since'],
    ['order_by', '--order-by'],
    ['order', '--order'],
    ['status', '--status'],
  ]),
  commands: new Map([['list_messages', '"swf-mcp messages"']]),
};

describe("a tool's sentence in a terminal", () => {
  it.each([
    ['order_by = "foo": must be one of recorded, retries', '--order-by "foo": must be one of recorded, retries'],
    ['status = "done": no state; status: State of it', '--status "done": no state; --status: State of it'],
    ['status = 2999-01: to come', '--status 2999-01: to come'],
    ['order_by "foo" is not found', '--order-by "foo" is not found'],
    ['give order=newest or order_by=seconds', 'give --order newest or --order-by seconds'],
    ['none; list_messages lists all', 'none; "swf-mcp messages" lists all'],
    // Unchanged: names that are not flags of the command, fields of items, calls, user input, and plain words.
    ['end_time = "start_time": below it', 'end_time = "start_time": below it'],
    ['give some of seq, start_time, order_by', 'give some of seq, start_time, order_by'],
    ['ask list_messages(order_by="x")', 'ask list_messages(order_by="x")'],
    ['the status is "status = 1" in order, status: none', 'the status is "status = 1" in order, status: none'],
    ['broker.status = "x"', 'broker.status = "x"'],
    ['a-status = "x"', 'a-status = "x"'],
    ['config.order_by and a "quote \\" start_time = "', 'config.order_by and a "quote \\" start_time = "'],
  ])('names flags in place of arguments, but only where an argument is meant: %s', (sentence, shown) => {
    expect(inFlags(sentence, words)).toBe(shown);
  });

  it.each([
    ['CONFIG_INVALID', '/tmp/order=newest/a.toml: status = "x": unknown key status; order_by: 3'],
    ['STORE_UNAVAILABLE', 'there is no store at /tmp/list_messages/order=newest/x.db yet'],
    ['EXECUTION_NOT_FOUND', 'the nearest: order_by-alice-0001, list_messages-0001'],
  ] as const)('leaves file names, keys and ids unchanged in error %s', (code, sentence) => {
    expect(errorInFlags(code, sentence, words)).toBe(sentence);
  });

  it('names the command in place of the tool', () => {
    expect(errorInFlags('EXECUTION_NOT_FOUND', 'no execution "x", list_messages lists all', words)).toBe(
      'no execution "x", "swf-mcp messages" lists all',
    );
  });

  it.each([
    ['Time that start_time and order_by mean', 'time that --since and --order-by mean'],
    ['Of start_time: ISO 8601', 'of --since: ISO 8601'],
    ['with order=newest the largest', 'with --order newest the largest'],
    ['As list_messages', 'as "swf-mcp messages"'],
    ['One of status, start_time, order_by', 'one of status, start_time, order_by'],
  ])('is reworded in help: %s', (description, shown) => {
    expect(helpInFlags(description, words)).toBe(shown);
  });
});
