import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { openReader } from '../src/db/opening/open-reader.ts';
import { createQueries, type Queries } from '../src/db/queries.ts';
import { SwfError } from '../src/lib/errors.ts';
import { isAlive } from '../src/lib/process-identity.ts';
import { tools } from '../src/tools/index.ts';
import { callTool } from '../src/tools/run-tool.ts';
import { alterStore } from './alter-store.ts';
import { columnsOf, damage, extremesOf, tablesReadBy } from './damaged-rows.ts';
import { runCli, startHttp, temporaryFolder } from './helpers.ts';
import { contextOf, noPast } from './past/questions.ts';
import { rounds } from './rounds.ts';

const execution_id = 'stf_datataking-tester-0001';

/** The columns are tried in this many parts. */
const parts = 8;
let folder = '';

/** Each call with the tables that it reads. */
const readers: { name: string; args: object; tables: ReadonlySet<string> }[] = [];

/** A run with a payload, outputs, retries, failures and a log. */
beforeAll(async () => {
  folder = temporaryFolder();
  const payload = join(folder, 'payload.sh');
  writeFileSync(payload, '#!/bin/sh\ntest "$SWF_SLICE_ID" != 3 || { echo oops >&2; exit 1; }\necho hi > out.txt\n');
  chmodSync(payload, 0o755);
  const words = ['run', '--speed', 'max', '--stf-count', '2', '--set', `worker.payload=["${payload}"]`];
  expect((await runCli([...words, '--set', 'worker.max_retries=1'], { folder })).code).toBe(3);
  // Everything is in one file, which is copied.
  const db = new Database(join(folder, 'swf.db'));
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  for (const [name, args] of calls) readers.push({ name, args, tables: await tablesOf(name, args) });
});

const slice = 'swf.100010.000001_slice_003.tf';

/** Calls of every tool that asks, with arguments that reach its rows. */
const calls: readonly [name: string, args: object][] = [
  ...tools
    .filter(
      ({ handle, input }) =>
        handle !== undefined && Object.values(input.shape).every((one) => one.safeParse(undefined).success),
    )
    .map(({ name, input }): [string, object] => [name, 'execution_id' in input.shape ? { execution_id } : {}]),
  ['get_workflow_monitor', { execution_id }],
  ['compare_executions', { execution_id, with_execution_id: execution_id }],
  ['trace_data_product', { filename: 'swf.100010.000001.stf' }],
  ['trace_data_product', { filename: slice }],
  ['list_agents', { include_exited: true }],
  ['list_messages', { search: 'stf' }],
  ['list_tf_slices', { order_by: 'seconds', execution_id }],
];

/** The tables that a call reads. A value in another table cannot change its answer. */
async function tablesOf(name: string, args: object): Promise<ReadonlySet<string>> {
  const path = join(folder, 'swf.db');
  const spy = vi.spyOn(Database.prototype, 'prepare');
  const reader = openReader(path);
  await answerTo(name, args, createQueries(reader, isAlive));
  reader.close();
  const sql = spy.mock.calls.map(([text]) => text).join('\n');
  spy.mockRestore();
  return tablesReadBy(path, sql);
}

/** Acceptable errors in place of an answer: the requested row is no longer the one that it was, or a row of its record. */
const isClear = (error: unknown): boolean =>
  error instanceof SwfError &&
  (['EXECUTION_NOT_FOUND', 'RUN_NOT_FOUND', 'ARGUMENT_INVALID', 'CONFIG_INVALID'].includes(error.code) ||
    error.message.startsWith('the record of '));

async function answerTo(name: string, args: object, queries: Queries): Promise<string> {
  const tool = tools.find((one) => one.name === name);
  if (tool?.handle === undefined) throw new Error(`there is no tool ${name} that asks`);
  return JSON.stringify(await callTool(tool, args, contextOf(queries, Date.now(), noPast)));
}

/** The error of a call, unless the call succeeds or refuses clearly. */
async function faultOf(name: string, args: object, queries: Queries): Promise<string | undefined> {
  try {
    await answerTo(name, args, queries);
    return undefined;
  } catch (error) {
    return isClear(error) ? undefined : String(error);
  }
}

describe('a damaged row', () => {
  // In parts, so that none takes minutes on a busy machine.
  it.each(Array.from({ length: Math.min(parts, rounds(parts)) }, (_, part) => part))(
    'makes no tool fail, with any extreme value in any column: part %i',
    async (part) => {
      const base = join(folder, 'swf.db');
      const path = join(folder, 'damaged.db');
      const failures: string[] = [];
      let tried = 0;
      for (const column of columnsOf(base).filter((_, at) => at % parts === part))
        for (const value of extremesOf(column)) {
          if (!damage(base, path, column, value)) continue;
          let reader: ReturnType<typeof openReader>;
          try {
            reader = openReader(path);
          } catch (error) {
            expect(error).toBeInstanceOf(SwfError);
            continue;
          }
          const queries = createQueries(reader, isAlive);
          for (const { name, args, tables } of readers) {
            if (!tables.has(column.table)) continue;
            const error = await faultOf(name, args, queries);
            if (error === undefined) tried += 1;
            else failures.push(`${name}: ${column.table}.${column.column} = ${String(value).slice(0, 40)}: ${error}`);
          }
          reader.close();
          rmSync(path);
        }
      expect(failures).toEqual([]);
      expect(tried).toBeGreaterThan(500);
    },
  );

  it.each([
    ['a size too large for any sum', `UPDATE runs SET dataset_bytes = 9007199254740993`],
    ['invalid times', `UPDATE tf_slices SET completed_at = 'never', assigned_at = ''`],
    ['invalid bodies', `UPDATE message_rows SET body = '{"broken' WHERE seq % 2 = 0`],
    ['invalid outputs', `UPDATE payload_results SET outputs = '[1'`],
    ['an invalid start', `UPDATE workflow_executions SET start_time = 'x', end_time = '+275760-09-13T00:00:00.000Z'`],
  ])('makes no command, route, report or export fail: %s', async (_, sql) => {
    const here = temporaryFolder();
    for (const name of ['swf.db']) writeFileSync(join(here, name), readFileSync(join(folder, name)), { mode: 0o600 });
    alterStore(here, sql);
    const html = join(here, 'report.html');
    const commands =
      `status|status --json|list|slices|messages|logs|agents|files|summarize slices --group-by cause|report|report --since -8h
      |trace ${slice}|report --html ${html}|export latest --out ${join(here, 'export')}|check`
        .split('|')
        .map((words) => words.trim().split(' '));
    for (const view of ['attempts', 'messages', 'executions', 'agents'])
      commands.push(['call', 'query_store', JSON.stringify({ sql: `SELECT * FROM v_${view}` })]);
    for (const words of commands) {
      const { code, stderr } = await runCli(words, { folder: here });
      expect({ words, code, stderr }).toEqual({
        words,
        code: words[0] === 'check' ? expect.toSatisfy((n: number) => n < 2) : 0,
        stderr: expect.not.stringMatching(/has a bug|STORE_CORRUPT/),
      });
    }
    const { url } = await startHttp({ folder: here });
    for (const path of ['metrics', 'healthz', 'workflow-executions/latest/'])
      expect((await fetch(url.replace(/mcp$/, path))).status).toBe(200);
  });

  it('for the start of a driver leaves only its time in the status', async () => {
    const here = temporaryFolder();
    writeFileSync(join(here, 'swf.db'), readFileSync(join(folder, 'swf.db')), { mode: 0o600 });
    alterStore(here, `UPDATE message_rows SET body = '{"broken' WHERE short_id LIKE '%/driver_started/%'`);
    const { drivers } = JSON.parse((await runCli(['status', '--json'], { folder: here })).stdout) as {
      drivers: object[];
    };
    expect(drivers).toHaveLength(1);
    expect(drivers[0]).toMatchObject({ since: expect.any(String), host: 'unknown' });
    expect(drivers[0]).not.toHaveProperty('speed');
    expect(drivers[0]).not.toHaveProperty('pid');
  });
});
