import { describe, expect, it } from 'vitest';

import { contentOf } from '../../src/messages/identity.ts';
import type { Message } from '../../src/messages/message.ts';

const start = (params: object): Message =>
  ({
    msg_type: 'run_workflow',
    sender: 'tester',
    command_id: 'c1',
    workflow_name: 'stf_datataking',
    params,
    plan_version: 1,
    executed_by: 'tester',
    speed: 1,
  }) as unknown as Message;

describe('the content of a message', () => {
  const content = contentOf(start({ daq: { stf_interval: 2, phases: [1, { name: 'a' }] }, data: null }));

  it('does not depend on the sender, the time or the order of its fields', () => {
    const other = start({ data: null, daq: { phases: [1, { name: 'a' }], stf_interval: 2 } });
    expect(contentOf({ ...other, sender: 'other', timestamp: '2026-01-01T00:00:00Z' })).toBe(content);
  });

  it.each<[string, object]>([
    ['a value', { daq: { stf_interval: 3, phases: [1, { name: 'a' }] }, data: null }],
    ['a name', { daq: { interval: 2, phases: [1, { name: 'a' }] }, data: null }],
    ['a value in a list', { daq: { stf_interval: 2, phases: [1, { name: 'b' }] }, data: null }],
    ['the order of a list', { daq: { stf_interval: 2, phases: [{ name: 'a' }, 1] }, data: null }],
    ['an extra field', { daq: { stf_interval: 2, phases: [1, { name: 'a' }] }, data: null, more: 1 }],
    ['a null', { daq: { stf_interval: 2, phases: [1, { name: 'a' }] }, data: false }],
  ])('differs with %s', (_, params) => {
    expect(contentOf(start(params))).not.toBe(content);
  });
});
