import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { codeOf } from '../codes.ts';
import { ask, askAll, connectStdio, runCli, temporaryFolder } from '../helpers.ts';

const tables = ['alarms', 'attempts', 'logs', 'messages', 'notes', 'quality', 'slices', 'stf_files', 'tf_files'];

/** DuckDB, as far as it is used here. */
interface DuckDb {
  DuckDBInstance: {
    create(path: string): Promise<{
      connect(): Promise<{ runAndReadAll(sql: string): Promise<{ getRowsJson(): unknown[][] }> }>;
    }>;
  };
}

/** A Parquet reader that is independent of the writer; undefined if it is not installed. */
function duckDb(): DuckDb | undefined {
  try {
    return createRequire(join(import.meta.dirname, '..', 'clients', 'package.json'))('@duckdb/node-api') as DuckDb;
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    console.log('Parquet is not read by DuckDB: npm ci --prefix test/clients --ignore-scripts');
    return undefined;
  }
}
const duck = duckDb();

/** Parses records as in RFC 4180, with quotes, commas and line breaks within fields. */
function recordsOf(text: string): string[][] {
  const fields = [...text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)];
  const records: string[][] = [[]];
  for (const [, quoted, plain = '', end] of fields) {
    records.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\r\n') records.push([]);
  }
  return records.slice(0, -1);
}

describe('export', () => {
  let folder = '';
  const exported = async (format: string): Promise<string> => {
    const out = join(temporaryFolder(), 'out');
    const { code, stderr } = await runCli(['export', 'latest', '--out', out, '--format', format], { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readdirSync(out).toSorted()).toEqual(tables.map((name) => `${name}.${format}`));
    return out;
  };

  beforeAll(async () => {
    folder = temporaryFolder();
    // The payload prints text that CSV has to quote.
    const payload = `worker.payload=["/bin/sh","-c","case $SWF_SLICE_ID in 5) echo 'bad, \\"very\\" bad' >&2; exit 3;; esac"]`;
    const args = ['--set', payload, '--set', 'worker.max_retries=1', '--set', 'worker.timeout_seconds=60'];
    const { code } = await runCli(['run', '--speed', 'max', '--stf-count', '2', ...args], { folder });
    expect(code).toBe(3);
  });

  it('as JSON Lines has every row, and its counts match the monitor', async () => {
    const out = await exported('jsonl');
    const rowsOf = (name: string): Record<string, unknown>[] =>
      readFileSync(join(out, `${name}.jsonl`), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const client = await connectStdio({ folder });
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(rowsOf('slices')).toHaveLength(monitor['slices_created'] as number);
    expect(rowsOf('messages')).toHaveLength(monitor['message_count'] as number);
    expect(rowsOf('stf_files')).toHaveLength(2);
    expect(rowsOf('tf_files')).toHaveLength(2);
    const logs = await askAll(client, 'list_logs', { execution_id: 'latest', limit: 200 });
    expect(rowsOf('logs').map((row) => row['log_id'])).toEqual(logs.map((row) => row['log_id']).toReversed());
    // Slice 5 of each STF failed twice, all others succeeded at once.
    const attempts = rowsOf('attempts').map(
      ({ slice_filename, attempt, state }) => `${String(slice_filename)} ${String(attempt)} ${String(state)}`,
    );
    expect(attempts).toHaveLength(32);
    expect(attempts.filter((one) => /_005/.test(one))).toEqual([
      'swf.100010.000001_slice_005.tf 1 failed',
      'swf.100010.000001_slice_005.tf 2 failed',
      'swf.100010.000002_slice_005.tf 1 failed',
      'swf.100010.000002_slice_005.tf 2 failed',
    ]);
    expect(rowsOf('attempts').filter((row) => row['exit_code'] === 3)).toHaveLength(4);
    expect(rowsOf('logs').map((row) => row['level'])).toEqual(logs.map((row) => row['level']).toReversed());
    // The rest of a configuration is not exported.
    const [start] = rowsOf('messages').filter((row) => row['message_type'] === 'run_workflow');
    expect(start?.['payload']).not.toMatch(/very/);
  });

  it('as CSV has the same rows as JSON Lines, quoted as in RFC 4180', async () => {
    const records = recordsOf(readFileSync(join(await exported('csv'), 'slices.csv'), 'utf8'));
    const rows = readFileSync(join(await exported('jsonl'), 'slices.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string | number | null>);
    const [head = [], ...rest] = records;
    expect(head).toEqual(Object.keys(rows[0] ?? {}));
    expect(rest).toEqual(rows.map((row) => head.map((name) => String(row[name] ?? ''))));
    expect(rest.filter((record) => record.join('').includes('bad, "very" bad'))).toHaveLength(2);
  });

  it.skipIf(duck === undefined)('as Parquet can be read by DuckDB, with types for times and numbers', async () => {
    const out = await exported('parquet');
    const instance = await duck?.DuckDBInstance.create(':memory:');
    const connection = await instance?.connect();
    const asked = async (sql: string): Promise<unknown[][]> =>
      (await connection?.runAndReadAll(sql))?.getRowsJson() ?? [];
    const from = (name: string): string => `'${join(out, `${name}.parquet`)}'`;
    expect(
      await asked(`SELECT status, count(*)::INT, max(attempt)::INT FROM ${from('slices')} GROUP BY 1 ORDER BY 1`),
    ).toEqual([
      ['completed', 28, 1],
      ['failed', 2, 2],
    ]);
    const [seconds] = await asked(
      `SELECT bool_and(completed_at >= started_at), typeof(any_value(started_at)) FROM ${from('attempts')}`,
    );
    expect(seconds?.[0]).toBe(true);
    expect(seconds?.[1]).toMatch(/^TIMESTAMP/);
    const rows = readFileSync(join(await exported('jsonl'), 'messages.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(await asked(`SELECT payload FROM ${from('messages')} ORDER BY seq`)).toEqual(
      rows.map((line) => [(JSON.parse(line) as { payload: string }).payload]),
    );
  });

  it('overwrites nothing, and only the user can read its file', async () => {
    const out = temporaryFolder();
    writeFileSync(join(out, 'mine.txt'), 'mine');
    const refused = await runCli(['export', 'latest', '--out', out], { folder });
    expect(refused.code).toBe(1);
    expect(codeOf(refused.stderr)).toBe('ARGUMENT_INVALID');
    expect(readdirSync(out)).toEqual(['mine.txt']);
    const proc = await runCli(['export', 'latest', '--out', '/proc/none'], { folder });
    expect(codeOf(proc.stderr)).toBe('DATA_UNAVAILABLE');
    const missing = await runCli(['export', 'none-such-0001', '--out', join(out, 'new')], { folder });
    expect(codeOf(missing.stderr)).toBe('EXECUTION_NOT_FOUND');
    for (const format of ['csv', 'parquet']) {
      const made = await exported(format);
      expect(statSync(made).mode & 0o777).toBe(0o700);
      for (const name of readdirSync(made)) expect(statSync(join(made, name)).mode & 0o077).toBe(0);
    }
  });
});
