import { beforeAll, describe, expect, it } from 'vitest';

import { ask, connectInProcess, refusal, runCli, runWorkflow, temporaryFolder } from '../helpers.ts';

const folder = temporaryFolder();

beforeAll(() => runWorkflow(folder, '--stf-count', '2'));

const client = () => connectInProcess(`${folder}/swf.db`);

const refusals: [tool: string, args: unknown, line: RegExp][] = [
  [
    'list_messages',
    { executionid: 'latest' },
    /^ARGUMENT_INVALID: unknown argument "executionid"; the nearest is execution_id, list_messages takes execution_id, run_number/,
  ],
  ['list_stf_files', { machine_state: 'physics' }, /^ARGUMENT_INVALID: unknown argument "machine_state"/],
  ['list_messages', { limit: 0 }, /^ARGUMENT_INVALID: limit = 0: must be at least 1; /],
  ['list_messages', { limit: 201 }, /^ARGUMENT_INVALID: limit = 201/],
  ['list_messages', { limit: 'many' }, /^ARGUMENT_INVALID: limit = "many"/],
  ['list_messages', { limit: 2.5 }, /^ARGUMENT_INVALID: limit = 2.5/],
  ['list_messages', { limit: null }, /^ARGUMENT_INVALID: limit = null/],
  ['list_messages', { limit: true }, /^ARGUMENT_INVALID: limit = true/],
  ['list_messages', { agent: 7 }, /^ARGUMENT_INVALID: agent = 7/],
  ['list_messages', { order: 'up' }, /^ARGUMENT_INVALID: order = "up": .*newest.*oldest/],
  [
    'list_messages',
    { start_time: 'yesterday' },
    /^ARGUMENT_INVALID: start_time = "yesterday" is not a time; give ISO 8601 .*-15m/,
  ],
  ['list_messages', { start_time: '2026-02-30' }, /^ARGUMENT_INVALID: start_time/],
  ['list_messages', { end_time: '2026-13-01T00:00:00Z' }, /^ARGUMENT_INVALID: end_time/],
  ['list_messages', { end_time: '-5x' }, /^ARGUMENT_INVALID: end_time/],
  ['list_messages', { start_time: '-999999999w' }, /^ARGUMENT_INVALID: start_time/],
  [
    'list_messages',
    { start_time: '2026-02-01', end_time: '2026-01-01' },
    /^ARGUMENT_INVALID: start_time .* is after end_time/,
  ],
  ['list_messages', { cursor: 'nonsense' }, /^CURSOR_INVALID: cursor "nonsense" was not made by this tool/],
  ['list_messages', { message_id: 'no/such' }, /^ARGUMENT_INVALID: there is no message "no\/such"/],
  [
    'list_messages',
    { execution_id: 'stf_datataking-tester-0002' },
    /^EXECUTION_NOT_FOUND: .*the nearest: stf_datataking-tester-0001/,
  ],
  ['list_messages', { run_number: 99 }, /^RUN_NOT_FOUND: there is no run 99; the newest are 100010/],
  ['list_stf_files', { run_number: 99 }, /^RUN_NOT_FOUND/],
  ['list_tf_slices', { execution_id: 'nobody' }, /^EXECUTION_NOT_FOUND/],
  ['list_logs', { run_number: '99' }, /^RUN_NOT_FOUND/],
  ['list_agents', { execution_id: 'nobody' }, /^EXECUTION_NOT_FOUND/],
  ['list_tf_slices', { status: 'done' }, /^ARGUMENT_INVALID: status = "done": .*queued.*processing.*completed.*failed/],
  ['list_stf_files', { status: 'PROCESSED' }, /^ARGUMENT_INVALID: status/],
  ['list_workflow_executions', { status: 'ended' }, /^ARGUMENT_INVALID: status .*terminated/],
  ['list_logs', { level: 'LOUD' }, /^ARGUMENT_INVALID: level = "LOUD" is not a log level; give DEBUG, INFO/],
  ['list_logs', { agent: 'a', app_name: 'b' }, /^ARGUMENT_INVALID: app_name is another spelling of agent/],
  ['list_agents', { agent_type: 'DATA' }, /^ARGUMENT_INVALID: agent_type = "DATA": .*fast_processing/],
  ['list_logs', { app_name: 7 }, /^ARGUMENT_INVALID: agent = 7/],
  ['list_agents', { include_exited: 'yes' }, /^ARGUMENT_INVALID: include_exited = "yes"/],
  ['get_workflow_monitor', {}, /^ARGUMENT_INVALID: execution_id is missing/],
  ['get_workflow_monitor', { execution_id: 'x'.repeat(301) }, /^ARGUMENT_INVALID: execution_id/],
  ['get_workflow_monitor', { execution_id: '' }, /^ARGUMENT_INVALID: execution_id/],
  [
    'get_workflow_status',
    {},
    /^TOOL_NOT_FOUND: there is no tool "get_workflow_status"; the nearest: get_workflow_monitor/,
  ],
];

describe('a wrong argument', () => {
  it.each(refusals)('for %s is refused in one short line: %j', async (tool, args, line) => {
    const text = await refusal(await client(), tool, args);
    expect(text).toMatch(line);
    expect(text.length).toBeLessThan(500);
    expect(text).not.toMatch(/\n|SELECT|\.ts:|node_modules/);
  });

  it('on the command line prints one line on stderr and nothing on stdout, and exits with 1', async () => {
    for (const [tool, json, line] of [
      ['list_messages', '{"limit":0}', /^ARGUMENT_INVALID: limit = 0/],
      ['list_messages', '{limit', /^ARGUMENT_INVALID: "\{limit" is neither JSON nor key=value/],
      ['list_messages', '[]', /^ARGUMENT_INVALID: the arguments of list_messages are not a JSON object/],
      ['list_massages', '{}', /^TOOL_NOT_FOUND: .*list_messages/],
    ] as const) {
      const { code, stdout, stderr } = await runCli(['call', tool, json], { folder });
      expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 });
      expect(stderr).toMatch(line);
    }
  });

  it('is a cursor from other arguments or another tool, but not one with another limit', async () => {
    const asking = await client();
    const { next_cursor } = await ask(asking, 'list_tf_slices', { status: 'completed', limit: 5 });
    expect(await refusal(asking, 'list_tf_slices', { status: 'failed', cursor: next_cursor })).toMatch(
      /^CURSOR_INVALID: .*other arguments/,
    );
    expect(
      await refusal(asking, 'list_tf_slices', { status: 'completed', order: 'oldest', cursor: next_cursor }),
    ).toMatch(/^CURSOR_INVALID: .*other arguments/);
    expect(await refusal(asking, 'list_stf_files', { cursor: next_cursor })).toMatch(/^CURSOR_INVALID/);
    expect(
      (await ask(asking, 'list_tf_slices', { status: 'completed', limit: 7, cursor: next_cursor }))['items'],
    ).toHaveLength(7);
  });
});

describe('other spellings', () => {
  it('of the testbed for an agent are accepted', async () => {
    const asking = await client();
    const args = { execution_id: 'latest' };
    const [log] = (await ask(asking, 'list_logs', args))['items'];
    for (const name of ['agent', 'instance_name', 'app_name']) {
      const { items } = await ask(asking, 'list_logs', { [name]: log.agent });
      expect(new Set(items.map(({ agent }: { agent: string }) => agent))).toEqual(new Set([log.agent]));
    }
  });

  it('of integers, as strings of digits, are accepted', async () => {
    expect((await ask(await client(), 'list_tf_slices', { run_number: '100010', limit: ' 3 ' }))['items']).toHaveLength(
      3,
    );
  });
});
