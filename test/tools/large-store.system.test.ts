import { join } from 'node:path';

import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';

import { generate } from '../../bench/generate.ts';
import { realRuns } from '../../bench/shapes.ts';
import { type Answer, ask, askAll, connectInProcess, runCli, temporaryFolder } from '../helpers.ts';

/** Keys and times of rows, read from the tables themselves, to compare answers with. */
interface Truth {
  key: unknown;
  time: string;
}

const folder = temporaryFolder();
const path = join(folder, 'swf.db');

beforeAll(async () => {
  // More rows than are scanned for one page, and not a whole number of blocks.
  await generate(path, realRuns(30_000));
});

function truth(table: 'workflow_messages' | 'app_logs' | 'tf_slices', where: string): Truth[] {
  const columns = {
    workflow_messages: 'message_id AS key, sent_at AS time FROM workflow_messages',
    app_logs: 'log_id AS key, timestamp AS time FROM app_logs',
    tf_slices: 'slice_filename AS key, created_at AS time FROM tf_slices',
  }[table];
  const order = table === 'app_logs' ? 'log_id' : 'seq';
  const db = new Database(path, { readonly: true });
  const rows = db.prepare<[], Truth>(`SELECT ${columns} WHERE ${where} ORDER BY ${order}`).all();
  db.close();
  return rows;
}

const keyOf = { list_messages: 'message_id', list_logs: 'log_id', list_tf_slices: 'slice_filename' } as const;
const tableOf = { list_messages: 'workflow_messages', list_logs: 'app_logs', list_tf_slices: 'tf_slices' } as const;

/** Queries that an index answers, and others, each with the condition that selects the same rows from the table. */
const questions: [tool: keyof typeof keyOf, args: Answer, where: string][] = [
  ['list_messages', { message_type: 'end_run' }, `message_type = 'end_run'`],
  [
    'list_messages',
    { message_type: 'stf_ready', namespace: 'ns1' },
    `message_type = 'stf_ready' AND namespace = 'ns1'`,
  ],
  ['list_messages', { agent: 'data-agent-user3-3' }, `sender_agent = 'data-agent-user3-3'`],
  ['list_messages', { search: 'segmentation violation' }, `payload LIKE '%segmentation violation%'`],
  [
    'list_messages',
    { search: 'SEGMENT*', execution_id: 'stf_datataking-user3-0004' },
    `payload LIKE '%segment%' AND execution_id = 'stf_datataking-user3-0004'`,
  ],
  [
    'list_messages',
    { search: 'swf.100013.000003.stf', message_type: 'stf_gen' },
    `message_id LIKE '%stf_gen/swf.100013.000003.stf'`,
  ],
  ['list_messages', { search: 'workflow_ended' }, `message_id LIKE '%workflow_ended%'`],
  ['list_logs', { level: 'ERROR' }, 'level >= 40'],
  ['list_logs', { level: 'WARNING', search: 'attempt 1 of 4' }, `level >= 30 AND message LIKE '%attempt 1 of 4%'`],
  ['list_logs', { agent: 'data-agent-user0-0' }, `agent = 'data-agent-user0-0'`],
  ['list_tf_slices', { status: 'failed' }, `status = 'failed'`],
  ['list_tf_slices', { stf_filename: 'swf.100013.000003.stf' }, `stf_filename = 'swf.100013.000003.stf'`],
];

describe('in a large store', () => {
  it.each(questions)(
    '%s %j returns the matching rows, page by page, and counts no others',
    async (tool, args, where) => {
      const rows = truth(tableOf[tool], where);
      expect(rows.length).toBeGreaterThan(0);
      const client = await connectInProcess(path);
      for (const order of ['oldest', 'newest'] as const) {
        const expected = rows.map(({ key }) => key);
        const items = await askAll(client, tool, { ...args, order, limit: 200 });
        expect(items.map((item) => item[keyOf[tool]])).toEqual(order === 'oldest' ? expected : expected.toReversed());
        const { total_count, total_is_lower_bound } = await ask(client, tool, { ...args, order });
        if (total_is_lower_bound === true) expect(total_count).toBeLessThanOrEqual(rows.length);
        else expect(total_count).toBe(rows.length);
      }
    },
  );

  it.each(['list_messages', 'list_tf_slices'] as const)(
    '%s returns all rows of a time window, and no others',
    async (tool) => {
      const all = truth(tableOf[tool], '1');
      const times = all.map(({ time }) => time).toSorted();
      const client = await connectInProcess(path);
      for (const [first, last] of [
        [0.4, 0.41],
        [0.999, 1],
        [0, 0.005],
      ] as const) {
        const at = (part: number): string => times[Math.min(times.length - 1, Math.floor(part * times.length))] ?? '';
        const [start_time, end_time] = [at(first), at(last)];
        const expected = all.filter(({ time }) => time >= start_time && time <= end_time).map(({ key }) => key);
        const items = await askAll(client, tool, { start_time, end_time, order: 'oldest', limit: 200 });
        expect(items.map((item) => item[keyOf[tool]])).toEqual(expected);
      }
      expect(await askAll(client, tool, { start_time: '2001-01-01', end_time: '2001-01-02' })).toEqual([]);
      expect(await askAll(client, tool, { start_time: '2101-01-01' })).toEqual([]);
    },
  );

  it('a query without an index returns short pages, with a note on how to continue', async () => {
    const client = await connectInProcess(path);
    // This agent has many messages, and none of this type.
    const args = { agent: 'worker-agent-user3-3', message_type: 'stf_ready' };
    const page = await ask(client, 'list_messages', args);
    expect(page).toMatchObject({ items: [], has_more: true, total_count: 0, total_is_lower_bound: true });
    expect(page['note']).toContain('next_cursor');
    expect(await askAll(client, 'list_messages', args)).toEqual([]);
  });

  it("a search for an agent's words finds its newest messages on the first page", async () => {
    const client = await connectInProcess(path);
    const agent = 'worker-agent-user0-0';
    const rows = truth('workflow_messages', `sender_agent = '${agent}'`);
    expect(rows.length).toBeGreaterThan(300);
    const { items } = await ask(client, 'list_messages', { agent, search: 'slice', limit: 20 });
    const newest = rows.toReversed().slice(0, 20);
    expect(items.map((item: Answer) => item['message_id'])).toEqual(newest.map(({ key }) => key));
  });

  it('a list with rows ends without a note, and its count never falls from page to page', async () => {
    const client = await connectInProcess(path);
    const args = { search: 'swf', message_type: 'stf_gen', start_time: '2001-01-01', limit: 200 };
    const totals: number[] = [];
    let given = 0;
    for (let cursor: string | undefined, isLast = false; !isLast;) {
      const page = await ask(client, 'list_messages', { ...args, cursor });
      given += page['items'].length;
      totals.push(page['total_count']);
      expect(page['total_count']).toBeGreaterThanOrEqual(given);
      [cursor, isLast] = [page['next_cursor'], page['has_more'] === false];
      if (!isLast) continue;
      expect(page).not.toHaveProperty('note');
      // Now all have been seen.
      expect(page).not.toHaveProperty('total_is_lower_bound');
      expect(page['total_count']).toBe(given);
    }
    expect(given).toBe(truth('workflow_messages', `message_type = 'stf_gen'`).length);
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
  });

  it('messages of a namespace are found on the first page, however old they are', async () => {
    const client = await connectInProcess(path);
    const args = { namespace: 'ns0', effect: 'applied' };
    const rows = truth('workflow_messages', `namespace = 'ns0' AND effect = 'applied'`);
    for (const order of ['newest', 'oldest'] as const) {
      expect((await ask(client, 'list_messages', { ...args, order }))['items']).not.toEqual([]);
      const found = await askAll(client, 'list_messages', { ...args, order, limit: 200 });
      const expected = rows.map(({ key }) => key);
      expect(found.map((item) => item['message_id'])).toEqual(order === 'oldest' ? expected : expected.toReversed());
    }
    expect(await askAll(client, 'list_messages', { namespace: 'nobody' })).toEqual([]);
  });

  it('a count that would take long is marked as a lower bound, and a stored count is exact', async () => {
    const client = await connectInProcess(path);
    const all = truth('workflow_messages', '1').length;
    expect(await ask(client, 'list_messages', {})).toMatchObject({ total_count: all });
    expect(await ask(client, 'list_messages', {})).not.toHaveProperty('total_is_lower_bound');
    const worker = await ask(client, 'list_messages', { agent: 'worker-agent-user3-3' });
    expect(worker).toMatchObject({ total_count: 10_000, total_is_lower_bound: true });
    expect(truth('workflow_messages', `sender_agent = 'worker-agent-user3-3'`).length).toBeGreaterThan(10_000);
  });

  it('a search for the beginning of a word finds nothing, and suggests a search with *', async () => {
    const client = await connectInProcess(path);
    for (const tool of ['list_messages', 'list_logs'] as const) {
      const word = tool === 'list_messages' ? 'segmentat' : 'sampl';
      const answer = await ask(client, tool, { search: word });
      expect(answer).toMatchObject({ items: [], total_count: 0, has_more: false });
      expect(answer['note']).toContain(`"${word}*"`);
      expect((await ask(client, tool, { search: `${word}*` }))['items']).not.toEqual([]);
      const { note } = await ask(client, tool, { search: 'xyzzy' });
      expect(note).toContain('whole words');
      expect(note).not.toContain('xyzzy');
    }
  });

  it('a search treats operators and quotes as text, and is refused if it has no letters or digits', async () => {
    const client = await connectInProcess(path);
    for (const search of ['a" OR text : b', 'NOT NEAR(a b)', "it's; DROP TABLE", 'a\u0000b', '"', '*', '—'])
      for (const tool of ['list_messages', 'list_logs']) {
        const result = await client.callTool({ name: tool, arguments: { search } });
        const { text } = (result.content as { text: string }[])[0] ?? { text: '' };
        if (/[\p{L}\p{N}]/u.test(search))
          expect({ search, isError: result.isError }).toEqual({ search, isError: undefined });
        else expect(text).toContain('give letters or digits');
      }
  });

  it('a search does not find parameters that are not shown', async () => {
    const client = await connectInProcess(path);
    // The generated executions have this parameter, which only the store keeps.
    expect(truth('workflow_messages', `payload LIKE '%write_files%'`).length).toBeGreaterThan(0);
    expect(await askAll(client, 'list_messages', { search: 'write_files' })).toEqual([]);
  });

  it('lists neither return nor count what was pruned', async () => {
    const { code } = await runCli(['prune', '--keep', '1'], { folder });
    expect(code).toBe(0);
    const client = await connectInProcess(path);
    const rows = truth('workflow_messages', '1');
    expect((await ask(client, 'list_messages', {}))['total_count']).toBe(rows.length);
    const { total_count } = await ask(client, 'list_messages', { message_type: 'slice_result' });
    expect(total_count).toBe(truth('workflow_messages', `message_type = 'slice_result'`).length);
    const found = await askAll(client, 'list_messages', { search: 'segmentation', limit: 200 });
    expect(found).toHaveLength(truth('workflow_messages', `payload LIKE '%segmentation%'`).length);
    expect((await runCli(['check'], { folder })).code).toBe(0);
  });
});
