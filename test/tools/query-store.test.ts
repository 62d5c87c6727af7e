import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { answerSql } from '../../src/db/query-store/answer-sql.ts';
import { checkSql, viewNames } from '../../src/db/query-store/check-sql.ts';
import { codeOf, expectErrors } from '../codes.ts';
import { ask, connectStdio, refusal, runWorkflow, startCli, temporaryFolder } from '../helpers.ts';

async function asked() {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '3');
  return { folder, client: await connectStdio({ folder }) };
}

describe('an SQL query', () => {
  it('reads every documented view, with the columns that the tool description lists', async () => {
    const { client, folder } = await asked();
    const rows = async (sql: string): Promise<unknown[][]> => (await ask(client, 'query_store', { sql }))['rows'];
    expect(await rows('SELECT status, count(*) FROM v_slices GROUP BY 1')).toEqual([['completed', 45]]);
    expect(await ask(client, 'query_store', { sql: 'SELECT 1' })).toMatchObject({
      data_as_of: expect.stringMatching(/Z$/),
    });
    const { tools } = await client.listTools();
    const description = tools.find(({ name }) => name === 'query_store')?.description ?? '';
    const db = openReader(join(folder, 'swf.db'));
    onTestFinished(() => void db.close());
    for (const view of viewNames) {
      const { columns } = answerSql(db, `SELECT * FROM ${view} LIMIT 1`);
      const named = new RegExp(String.raw`\b${view}\(([^)]+)\)`).exec(description)?.[1]?.split(/\s+/) ?? [];
      expect({ view, columns }).toEqual({ view, columns: expect.arrayContaining(named) });
    }
    expect(
      await rows(`WITH slow AS (SELECT stf_filename, max(seconds) AS s FROM v_slices GROUP BY 1)
        SELECT f.sequence, row_number() OVER (ORDER BY s DESC) FROM slow JOIN v_stf_files AS f USING (stf_filename) ORDER BY 1`),
    ).toHaveLength(3);
    expect(
      await rows(
        `SELECT payload FROM v_messages WHERE message_type = 'run_workflow' UNION ALL SELECT 'x' IS DISTINCT FROM NULL`,
      ),
    ).toEqual([[null], [1]]);
  });

  it('returns at most 200 rows and 10 KB, and marks a longer answer as truncated', async () => {
    const { client } = await asked();
    const many = await ask(client, 'query_store', { sql: 'SELECT a.slice_id FROM v_slices a, v_slices b' });
    expect(many).toMatchObject({ truncated: true });
    expect(many['rows']).toHaveLength(200);
    const large = await ask(client, 'query_store', { sql: 'SELECT payload FROM v_messages' });
    expect(large['truncated']).toBe(true);
    expect(JSON.stringify(large['rows']).length).toBeLessThanOrEqual(10_000);
    const long = await ask(client, 'query_store', { sql: `SELECT replace(printf('%.20000d', 1), '0', 'ab')` });
    expect(long['truncated']).toBe(true);
  });

  it('other than one finite SELECT over the views is refused, and changes nothing', async () => {
    const refused = [
      ['a write', `INSERT INTO v_slices VALUES (1)`],
      ['a write after WITH', `WITH x AS (SELECT 1) DELETE FROM tf_slices`],
      ['a second statement', 'SELECT 1; DROP TABLE tf_slices'],
      ['ATTACH', `ATTACH 'x.db' AS x`],
      ['a pragma', 'PRAGMA writable_schema = ON'],
      ['a pragma as a table', 'SELECT * FROM pragma_table_info(1)'],
      ['a table', 'SELECT * FROM v_slices JOIN message_rows ON 1'],
      ['a table after a comma', 'SELECT * FROM v_slices AS s, "run_states"'],
      ['a table after IN', 'SELECT 1 WHERE 1 IN names'],
      ['a table name in quotes', `SELECT * FROM 'names'`],
      ['a table in brackets', 'SELECT * FROM [names]'],
      ['a table in a subquery', 'SELECT (SELECT name FROM names LIMIT 1)'],
      ['a table after a comment', 'SELECT * FROM/**/names'],
      ['a schema name', 'SELECT * FROM main.tf_slices'],
      ['a byte order mark, which SQLite takes for a space', 'SELECT * FROM \uFEFFrun_states'],
      [
        'a table with the name of a CTE, both with such a mark',
        'SELECT * FROM (WITH \uFEFFrun_states AS (SELECT 1) SELECT 1), \uFEFFrun_states',
      ],
      ['a function with the name of a CTE', 'WITH randomblob(a) AS (SELECT 1) SELECT 1, randomblob(8)'],
      ['the schema table', 'SELECT sql FROM sqlite_schema'],
      ['a table-valued function', `SELECT * FROM json_each('[1]')`],
      [
        'a table with the name of a CTE in a subquery',
        'SELECT (WITH workflow_executions AS (SELECT 1) SELECT 1), params FROM workflow_executions',
      ],
      ['a module with the name of a CTE in a subquery', 'SELECT (WITH dbstat AS (SELECT 1) SELECT 1), * FROM dbstat'],
      ['a table after an alias that is a keyword', 'SELECT w.params FROM v_slices window, workflow_executions w'],
      [
        'an extension function with the name of a CTE',
        "WITH load_extension AS (SELECT 1) SELECT load_extension('x') FROM load_extension",
      ],
      ['a non-breaking space as a name', 'SELECT DISTINCT \u00a0 FROM (SELECT 1 AS "\u00a0"), workflow_executions'],
      ['a function that loads an extension', `SELECT load_extension('x')`],
      ['a parameter', 'SELECT ?'],
      ['no statement', '  -- nothing'],
      ['an unknown column', 'SELECT state FROM v_slices'],
      ['a syntax error', 'SELECT FROM v_slices'],
      ['endless recursion', 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n'],
    ];
    const { folder, client } = await sharedStore();
    const digest = (): string =>
      createHash('sha256')
        .update(readFileSync(join(folder, 'swf.db')))
        .digest('hex');
    const before = digest();
    const errors: Record<string, string> = {};
    for (const [what = '', sql] of refused) errors[what] = await refusal(client, 'query_store', { sql });
    // Memory may end before the time.
    const large =
      'SELECT group_concat(a.payload || b.payload) FROM v_messages a, v_messages b, v_messages c, v_messages d';
    expect(codeOf(await refusal(client, 'query_store', { sql: large }))).toBe('ARGUMENT_INVALID');
    expect(digest()).toBe(before);
    // The server answers on, also after a process that had to be killed.
    expect((await ask(client, 'query_store', { sql: 'SELECT count(*) FROM v_slices' }))['rows']).toEqual([[45]]);
    await expectErrors('query-store', errors);
  });

  it('is answered while eleven others run, and may end in thousands of semicolons', async () => {
    const { client } = await sharedStore();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => ask(client, 'query_store', { sql: 'SELECT count(*) FROM v_slices' })),
    );
    for (const { rows } of answers) expect(rows).toEqual([[45]]);
    expect(() => checkSql(`SELECT 1${';'.repeat(9900)}`)).not.toThrow();
  });

  it('ends soon after its server is killed', async () => {
    const { folder } = await sharedStore();
    const server = startCli(['serve'], { folder });
    const call = (id: number, method: string, params: object): void =>
      void server.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    const sql = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n';
    call(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } });
    await server.saw(/"id":1/);
    call(2, 'tools/call', { name: 'query_store', arguments: { sql } });
    const children = (): string => {
      try {
        return readFileSync(`/proc/${server.child.pid}/task/${server.child.pid}/children`, 'utf8').trim();
      } catch {
        return '';
      }
    };
    await expect.poll(children).not.toBe('');
    const pid = Number(children().split(' ')[0]);
    server.child.kill('SIGKILL');
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  });

  it('is accepted if something in it only looks like a table', () => {
    for (const sql of [
      `SELECT 'FROM names' AS "from names" FROM v_slices`,
      'SELECT s.status IN (1, 2), count(*) FILTER (WHERE seconds > 1) FROM v_slices AS s GROUP BY 1 HAVING count(*) > 1',
      'WITH a(x) AS MATERIALIZED (SELECT 1), b AS (SELECT x FROM a) SELECT * FROM a, b WHERE a.x IN b',
      'SELECT * FROM (SELECT 1), (SELECT 2 FROM v_logs LEFT JOIN v_agents ON agent = agent_name, v_executions)',
      'SELECT avg(seconds) OVER w FROM v_attempts WINDOW w AS (PARTITION BY worker_id ORDER BY started_at ROWS 3 PRECEDING)',
      'SELECT CAST(x AS TEXT) FROM (SELECT 1 AS x) -- the end;',
      'SELECT CASE WHEN (1) THEN (2) ELSE (3) END;',
    ])
      expect(() => checkSql(sql)).not.toThrow();
  });
});

let shared: ReturnType<typeof makeShared> | undefined;

async function makeShared() {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '3');
  return folder;
}

/** One store for all refusals, with a server for each. */
async function sharedStore() {
  shared ??= makeShared();
  const folder = await shared;
  return { folder, client: await connectStdio({ folder }) };
}
