import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { shownTime } from '../../src/lib/words.ts';
import { codeOf, expectErrors } from '../codes.ts';
import {
  runWorkflowProcess,
  ask,
  connectInProcess,
  refusal,
  runCli,
  runWorkflow,
  temporaryFolder,
} from '../helpers.ts';

const folder = temporaryFolder();
const store = join(folder, 'swf.db');

describe('a moment', () => {
  it('is a time, a message, or both, and answers return it in a form that later calls accept', async () => {
    await runWorkflowProcess(folder, '--stf-count', '2');
    await runWorkflow(folder, '--stf-count', '1');
    const client = await connectInProcess(store);
    const countAt = (as_of: string) => ask(client, 'list_messages', { as_of, limit: 1 });
    const { items } = await ask(client, 'list_messages', { order: 'oldest', limit: 200 });
    const [first, tenth] = [items[0], items[9]];
    const later = new Date(Date.parse(tenth.sent_at) + 60_000).toISOString().replace('Z', '+00:00');
    const byMessage = await countAt(tenth.message_id);
    expect(byMessage).toMatchObject({ total_count: 10, as_of_exact: `${byMessage['as_of']}@${tenth.message_id}` });
    const before = new Date(Date.parse(first.sent_at) - 1).toISOString();
    expect(await countAt(before)).toMatchObject({ total_count: 0, as_of: before, as_of_exact: `${before}@none` });
    expect(await countAt(`${before}@none`)).toMatchObject({ total_count: 0 });
    const now = await ask(client, 'list_messages', { limit: 1 });
    expect(now).not.toHaveProperty('as_of');
    expect(await countAt(now['as_of_exact'])).toMatchObject({
      total_count: now['total_count'],
      as_of_exact: now['as_of_exact'],
    });
    // As a terminal and the page show it.
    const shown = shownTime(now['as_of_exact'].split('@')[0]);
    const byIso = await countAt(`${shown.slice(0, 19).replace(' ', 'T')}Z`);
    expect(await countAt(shown)).toMatchObject({ total_count: byIso['total_count'], as_of: byIso['as_of'] });
    const refused = (as_of: string) => refusal(client, 'list_messages', { as_of });
    await expectErrors('as-of', {
      'a time to come': await refused('2999-01-01T00:00:00Z'),
      'a time to come with an offset': await refused(later),
      'no time': await refused('soon'),
      'an unknown message': await refused(`${before}@gone/1`),
      'before the first execution': await refusal(client, 'get_workflow_monitor', {
        execution_id: 'latest',
        as_of: before,
      }),
    });
  });

  it.each(['own', 'H-1', 'F-2', 'PP-1', 'PP-4'])(
    'given as recorded_from in a timeline is the first at which the run is known: %s',
    async (name) => {
      const path = name === 'own' ? store : join(temporaryFolder(), 'swf.db');
      if (name !== 'own')
        await runCli(['observe', '--db', path, '--from', resolve('test/recordings', name, 'bus.jsonl.gz')], { folder });
      const client = await connectInProcess(path);
      const { items } = await ask(client, 'list_workflow_executions', { order: 'oldest' });
      const { execution_id } = items[0];
      const { recorded_from } = await ask(client, 'get_execution_timeline', { execution_id, detail: 'page' });
      expect(await ask(client, 'get_execution_timeline', { execution_id })).not.toHaveProperty('recorded_from');
      const then = (as_of: string) => ({ execution_id, as_of });
      expect(await ask(client, 'get_workflow_monitor', then(recorded_from))).toMatchObject({ execution_id });
      const before = new Date(Date.parse(recorded_from) - 1).toISOString();
      expect(codeOf(await refusal(client, 'get_workflow_monitor', then(before)))).toBe('EXECUTION_NOT_FOUND');
    },
  );

  it("is kept in a list's cursor, even if it was given as a relative time", async () => {
    const client = await connectInProcess(store);
    const list = (args: object) => ask(client, 'list_messages', { limit: 5, ...args });
    const page = await list({ as_of: '-0s', order: 'oldest' });
    const next = await list({ as_of: '-0s', order: 'oldest', cursor: page['next_cursor'] });
    expect(next).toMatchObject({ as_of: page['as_of'], total_count: page['total_count'] });
    const other = { order: 'oldest', limit: 5, cursor: page['next_cursor'] };
    expect(codeOf(await refusal(client, 'list_messages', { ...other, as_of: '-2s' }))).toBe('CURSOR_INVALID');
    expect(codeOf(await refusal(client, 'list_messages', other))).toBe('CURSOR_INVALID');
  });

  it('excludes executions removed since then, even if an earlier answer included them', async () => {
    const client = await connectInProcess(store);
    const { as_of_exact } = await ask(client, 'list_workflow_executions', {});
    const listed = async (): Promise<number> =>
      (await ask(client, 'list_workflow_executions', { as_of: as_of_exact }))['total_count'];
    expect(await listed()).toBe(2);
    expect(await runCli(['prune', '--keep', '1'], { folder })).toMatchObject({ code: 0 });
    expect(await listed()).toBe(1);
  });

  it('is shown by status, and refused together with --watch or -f', async () => {
    const { stdout } = await runCli(['status', '--as-of', '-0s'], { folder });
    expect(stdout).toMatch(/^ {2}as of {7}.+: everything below shows the state at that time$/m);
    expect(await runCli(['logs', '-f', '--as-of', '-1m'], { folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--follow cannot be combined with --as-of'),
    });
    expect(await runCli(['status', '--watch', '--as-of', '-1m'], { folder })).toMatchObject({
      stderr: expect.stringContaining('--watch cannot be combined with --as-of'),
    });
  });
});
