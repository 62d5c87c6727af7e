import { beforeAll, describe, expect, it } from 'vitest';

import { codeOf, expectErrors } from '../codes.ts';
import { ask, connectInProcess, refusal, runCli, runWorkflow, temporaryFolder } from '../helpers.ts';

const folder = temporaryFolder();

beforeAll(() => runWorkflow(folder, '--stf-count', '2'));

const client = () => connectInProcess(`${folder}/swf.db`);

const refusals: [tool: string, args: unknown][] = [
  ['list_messages', { executionid: 'latest' }],
  ['list_stf_files', { machine_state: 'physics' }],
  ['list_messages', { limit: 0 }],
  ['list_messages', { limit: 201 }],
  ['list_messages', { limit: 'many' }],
  ['list_messages', { limit: 2.5 }],
  ['list_messages', { limit: null }],
  ['list_messages', { limit: true }],
  ['list_messages', { agent: 7 }],
  ['list_messages', { order: 'up' }],
  ['list_messages', { start_time: 'yesterday' }],
  ['list_messages', { start_time: '2026-02-30' }],
  ['list_messages', { start_time: '8h' }],
  ['list_messages', { end_time: '2026-13-01T00:00:00Z' }],
  ['list_messages', { end_time: '-5x' }],
  ['list_messages', { start_time: '-999999999w' }],
  ['list_messages', { start_time: '2026-02-01', end_time: '2026-01-01' }],
  ['list_messages', { cursor: 'nonsense' }],
  ['list_messages', { message_id: 'no/such' }],
  ['list_messages', { execution_id: 'stf_datataking-tester-0002' }],
  ['list_messages', { run_number: 99 }],
  ['list_stf_files', { run_number: 99 }],
  ['list_tf_slices', { execution_id: 'nobody' }],
  ['list_logs', { run_number: '99' }],
  ['list_agents', { execution_id: 'nobody' }],
  ['list_tf_slices', { status: 'done' }],
  ['list_stf_files', { status: 'PROCESSED' }],
  ['list_stf_files', { fields: 'size' }],
  ['list_workflow_executions', { status: 'ended' }],
  ['list_logs', { level: 'LOUD' }],
  ['list_logs', { agent: 'a', app_name: 'b' }],
  ['list_agents', { agent_type: 'DATA' }],
  ['list_logs', { app_name: 7 }],
  ['list_agents', { include_exited: 'yes' }],
  ['get_workflow_monitor', {}],
  ['get_workflow_monitor', { execution_id: 'x'.repeat(301) }],
  ['get_workflow_monitor', { execution_id: '' }],
  ['get_workflow_status', {}],
];

describe('a wrong argument', () => {
  it('is refused in one short line', async () => {
    const asking = await client();
    const errors: Record<string, string> = {};
    for (const [tool, args] of refusals) {
      const text = await refusal(asking, tool, args);
      expect(text.length).toBeLessThan(500);
      expect(text).not.toMatch(/SELECT|\.ts:|node_modules/);
      errors[`${tool} ${JSON.stringify(args).slice(0, 80)}`] = text;
    }
    await expectErrors('arguments', errors);
  });

  it('on the command line prints one line to stderr only, and exits with 2 if no store would accept it', async () => {
    const errors: Record<string, string> = {};
    for (const [tool, json, exit = 1] of [
      ['list_messages', '{"limit":0}', 2],
      ['list_messages', '{limit', 2],
      ['list_messages', '[]'],
      ['list_massages', '{}'],
    ] as const) {
      const { code, stdout, stderr } = await runCli(['call', tool, json], { folder });
      expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
        code: exit,
        stdout: '',
        lines: 1,
      });
      errors[`call ${tool} ${json}`] = stderr;
    }
    await expectErrors('call', errors);
  });

  it('can be the cursor of a call with other arguments; only the limit may differ', async () => {
    const asking = await client();
    const { next_cursor } = await ask(asking, 'list_tf_slices', { status: 'completed', limit: 5 });
    expect(codeOf(await refusal(asking, 'list_tf_slices', { status: 'failed', cursor: next_cursor }))).toBe(
      'CURSOR_INVALID',
    );
    expect(
      codeOf(await refusal(asking, 'list_tf_slices', { status: 'completed', order: 'oldest', cursor: next_cursor })),
    ).toBe('CURSOR_INVALID');
    expect(codeOf(await refusal(asking, 'list_stf_files', { cursor: next_cursor }))).toBe('CURSOR_INVALID');
    expect(
      (await ask(asking, 'list_tf_slices', { status: 'completed', limit: 7, cursor: next_cursor }))['items'],
    ).toHaveLength(7);
  });
});

describe('other spellings', () => {
  it('that the testbed uses for an agent are accepted', async () => {
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
