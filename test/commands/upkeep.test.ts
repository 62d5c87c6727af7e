import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  renameSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { differences, outcomeIn } from '../../faults/outcome.ts';
import { batch } from '../../src/db/maintenance/prune.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { registerProcess, takeOwnership } from '../../src/db/presence/leases.ts';
import { alterStore } from '../alter-store.ts';
import { codeOf, expectErrors } from '../codes.ts';
import {
  runWorkflowProcess,
  ask,
  connectInProcess,
  makeRunningStore,
  refusal,
  runCli,
  runWorkflow,
  startCli,
  temporaryFolder,
} from '../helpers.ts';
import { receiverOf } from '../receive.ts';

const first = 'stf_datataking-tester-0001';
const dataOf = (folder: string, id: string): string => join(folder, 'swf.db.data', id);

describe('check', () => {
  it('of a sound store prints a line per check, and exits with 0', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    await runWorkflow(folder, '--stf-count', '4', '--set', 'fast_processing.stf_sampling_rate=0.5');
    const { code, stdout, stderr } = await runCli(['check'], { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'ok    integrity  no damage in the file',
        'ok    schema     as this version creates it',
        'ok    blocks     the indexes on times, words and counts cover all rows',
        `ok    ${first}  completed, balanced: 2 STF files, 2 TF samples, 30 of 30 TF slices completed`,
        `ok    ${first}  4 files in ${dataOf(folder, first)}`,
        'ok    stf_datataking-tester-0002  completed, balanced: 4 STF files, 2 TF samples, 30 of 30 TF slices completed',
        `ok    stf_datataking-tester-0002  6 files in ${dataOf(folder, 'stf_datataking-tester-0002')}`,
        '',
      ].join('\n'),
    );
  });

  it('says that lists may be missing rows if the counts of messages are wrong', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    alterStore(folder, `INSERT INTO message_totals VALUES ('x', 1)`);
    const { code, stdout } = await runCli(['check'], { folder });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail {2}blocks {5}.*; lists may be missing rows: restore a backup$/m);
  });

  it('of a run whose slices all failed says that their data was not processed', async () => {
    const folder = temporaryFolder();
    const failing = ['--set', 'worker.payload=["false"]', '--set', 'worker.max_retries=0'];
    await runCli(['run', '--speed', 'max', '--stf-count', '1', ...failing], { folder });
    const { code, stdout } = await runCli(['check', 'latest', '--skip-files'], { folder });
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      `ok    ${first}  completed, balanced: 1 STF file, 1 TF sample, 0 of 15 TF slices completed`,
      `left  ${first}  15 slices failed permanently: their data is not processed`,
      '',
    ]);
  });

  it('says that a run has lost its driver', async () => {
    const { path, store } = await makeRunningStore();
    await store.write((tx) => {
      const driver = registerProcess(tx, { pid: 999_999_999, pid_started: '', hostname: hostname() }, '0');
      takeOwnership(tx, first, driver, () => true);
    });
    const { stdout } = await runCli(['check', '--skip-files'], { folder: dirname(path), env: { SWF_DB: path } });
    expect(stdout).toMatch(/^open {2}stf_datataking-tester-0001 {2}running without a driver, open: /m);
  });

  it('lists by id what a stopped run left undone, and does not count that as a failure', async () => {
    const folder = temporaryFolder();
    const slow = ['--set', 'fast_processing.slice_processing_time=200'];
    const run = startCli(['run', '--speed', '20', '--stf-count', '3', ...slow], { folder });
    await run.saw(/end_run/);
    const made = async () => (await runCli(['slices', 'latest'], { folder })).stdout.split('\n').length;
    await expect.poll(made).toBeGreaterThan(20);
    run.child.kill('SIGTERM');
    await run.finished;
    const { code, stdout } = await runCli(['check', 'latest'], { folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^ok {4}${first} {2}terminated before everything was done, and the records agree: 3 STF files`, 'm'),
    );
    expect(stdout).not.toMatch(/^broken/m);
    expect(stdout).toMatch(
      /^left .* results \d+ of \d+, TF slices have no final result: swf\.100010\.\S+_slice_\d{3}\.tf, .* and \d+ more$/m,
    );
  });

  const harms: [what: string, harm: (folder: string) => void, line: RegExp][] = [
    [
      'a missing file',
      (folder) => rmSync(join(dataOf(folder, first), 'swf.100010.000002.stf')),
      /files in .*: swf\.100010\.000002\.stf is missing$/m,
    ],
    [
      'an STF file with changed content',
      (folder) => writeFileSync(join(dataOf(folder, first), 'swf.100010.000001.stf'), 'x', { flag: 'r+' }),
      /swf\.100010\.000001\.stf does not have the checksum sha256:/,
    ],
    [
      'a truncated TF file',
      (folder) => truncateSync(join(dataOf(folder, first), 'swf.100010.000001_tf_001.tf'), 1000),
      /swf\.100010\.000001_tf_001\.tf has 1000 bytes, not 9600/,
    ],
    [
      'a missing STF row',
      alter('DELETE FROM stf_files WHERE sequence = 2'),
      /stf_announced 1 of 2, .*: swf\.100010\.000002\.stf$/m,
    ],
    [
      'a missing sample',
      alter(`DELETE FROM fastmon_files WHERE tf_filename LIKE '%000002%'`),
      /samples 1 of 2, .*: swf\.100010\.000002_tf_001\.tf$/m,
    ],
    [
      'a missing slice',
      alter(`DELETE FROM tf_slices WHERE slice_filename LIKE '%000001_slice_003.tf'`),
      /slices 29 of 30, planned TF slices are missing: swf\.100010\.000001_slice_003\.tf$/m,
    ],
    [
      'a gap between slices',
      alter(`UPDATE tf_slices SET tf_first = tf_first + 1 WHERE slice_filename LIKE '%000001_slice_003.tf'`),
      /coverage 1 of 2, .*: swf\.100010\.000001_tf_001\.tf$/m,
    ],
    [
      'a slice without a result',
      alter(`UPDATE tf_slices SET status = 'processing' WHERE slice_filename LIKE '%000001_slice_003.tf'`),
      /results 29 of 30, 29 attempts have ended, and 30 results count: swf\.100010\.000001_slice_003\.tf$/m,
    ],
    [
      'a wrong count',
      alter('UPDATE run_states SET slices_completed = 31'),
      /counts .*slices_completed is 31, but there are 30 rows: slices_completed$/m,
    ],
    [
      'a missing table of search words',
      alter('DROP TABLE word_parts'),
      /^fail {2}schema {5}word_parts is missing; restore a backup$/m,
    ],
    [
      'a missing index',
      alter('DROP INDEX tf_slices_stf'),
      /^fail {2}schema {5}tf_slices_stf is missing; restore a backup$/m,
    ],
  ];

  it.each(harms)('finds and reports %s', async (_, harm, line) => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    harm(folder);
    const { code, stdout } = await runCli(['check'], { folder });
    expect(code).toBe(1);
    const failures = stdout.split('\n').filter((text) => text.startsWith('fail'));
    expect(failures.join('\n')).toMatch(line);
  });

  it('finds a changed output of a payload', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, 'histogram', '--stf-count', '1');
    const outputs = join(dataOf(folder, first), 'outputs');
    const output = readdirSync(outputs, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.json'));
    expect((await runCli(['check'], { folder })).code).toBe(0);
    // The length stays the same.
    writeFileSync(join(outputs, output ?? ''), '!', { flag: 'r+' });
    const { code, stdout } = await runCli(['check'], { folder });
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/^fail .*histogram\.json does not have the checksum/m),
    });
  });
});

const alter =
  (sql: string) =>
  (folder: string): void =>
    alterStore(folder, sql);

describe('backup', () => {
  it('during a run makes a copy that can be resumed with the same outcome', async () => {
    const folder = temporaryFolder();
    const settings = ['--stf-count', '20', '--set', 'fast_processing.slice_processing_time=4'];
    const run = startCli(['run', '--speed', '15', ...settings], { folder });
    await run.saw(/start_run/);
    const copy = temporaryFolder();
    expect(await runCli(['backup', join(copy, 'swf.db')], { folder })).toMatchObject({ code: 0, stderr: '' });
    expect(await run.finished).toMatchObject({ code: 0 });
    expect(statSync(join(copy, 'swf.db')).mode & 0o777).toBe(0o600);
    expect(readdirSync(copy)).toEqual(['swf.db']);
    expect((await runCli(['check', '--skip-files'], { folder: copy })).code).toBe(0);
    // Both would write into the same data folder.
    const aside = await runCli(['resume', 'latest', '--speed', 'max'], { folder: copy });
    expect(aside).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^EXECUTION_IN_USE: [^\n]+\n$/),
    });
    const original = outcomeIn(folder);
    renameSync(join(copy, 'swf.db'), join(folder, 'swf.db'));
    expect((await runCli(['resume', 'latest', '--speed', 'max'], { folder })).code).toBe(0);
    expect(differences(original, outcomeIn(folder))).toEqual({ lost: [], added: [] });
  });

  it('can be pruned without touching the original data files', async () => {
    const folder = temporaryFolder();
    await runWorkflowProcess(folder, '--stf-count', '2');
    const copy = join(temporaryFolder(), 'open', 'swf.db');
    mkdirSync(join(copy, '..'));
    expect((await runCli(['backup', copy], { folder })).code).toBe(0);
    const pruned = await runCli(['--db', copy, 'prune', '--keep', '0'], { folder });
    expect(pruned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^removed stf_datataking-tester-0001\n/) });
    expect(pruned.stderr).toMatch(
      /^WARNING the folder .*tester-0001 was not removed: it belongs to the store .*swf\.db, of which this one is a copy\n$/,
    );
    expect((await runCli(['check'], { folder })).code).toBe(0);
    // A backup does not replace an earlier one.
    const again = await runCli(['backup', copy], { folder });
    expect(codeOf(again.stderr)).toBe('STORE_UNAVAILABLE');
    expect(readdirSync(join(copy, '..'))).toEqual(['swf.db']);
  });

  it('overwrites no file, and leaves nothing behind if it fails', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    writeFileSync(join(folder, 'mine'), 'precious');
    const before = readdirSync(folder).toSorted();
    const errors: Record<string, string> = {};
    for (const target of ['mine', 'nowhere/copy.db', '/dev/full']) {
      const { code, stderr } = await runCli(['backup', target], { folder });
      expect({ target, code }).toEqual({ target, code: 1 });
      errors[target] = stderr.replaceAll(/[\w-]+\.part\b/g, 'PART');
    }
    await expectErrors('backups', errors);
    expect(readFileSync(join(folder, 'mine'), 'utf8')).toBe('precious');
    expect(readdirSync(folder).toSorted()).toEqual(before);
  });
});

describe('prune', () => {
  it('removes whole executions with their files, keeps all other executions, and reuses no number', async () => {
    const folder = temporaryFolder();
    for (let run = 0; run < 4; run += 1) await runWorkflowProcess(folder, '--stf-count', '2');
    const store = await openStore(join(folder, 'swf.db'));
    await store.write((tx) => receiverOf(store)(tx, '/topic/epictopic', '{"msg_type":"heartbeat"}'));
    store.close();
    const dry = await runCli(['prune', '--keep', '2', '--dry-run'], { folder });
    expect(dry.stdout).toMatch(
      /^would remove stf_datataking-tester-0001, completed .*\nwould remove .*-0002, .*\n2 executions would be removed\n$/,
    );
    const { code, stdout } = await runCli(['prune', '--keep', '2'], { folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^removed stf_datataking-tester-0001, with the folder .*\nremoved .*-0002, with .*\n2 executions removed; /,
    );
    expect(readdirSync(join(folder, 'swf.db.data')).toSorted()).toEqual([
      'stf_datataking-tester-0003',
      'stf_datataking-tester-0004',
    ]);

    const db = new Database(join(folder, 'swf.db'), { readonly: true });
    const tables = db
      .prepare<[], { name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .all();
    for (const { name } of tables.filter((table) => !['removals', 'names'].includes(table.name))) {
      const rows = db.prepare(`SELECT * FROM ${name}`).all();
      expect({ name, left: rows.filter((row) => /tester-000[12]\b/.test(JSON.stringify(row))) }).toEqual({
        name,
        left: [],
      });
    }
    db.close();
    expect((await runCli(['check'], { folder })).code).toBe(0);
    const client = await connectInProcess(join(folder, 'swf.db'));
    expect(await ask(client, 'list_workflow_executions')).toMatchObject({
      total_count: 2,
      note: expect.stringMatching(
        /^stf_datataking-tester-000[12] was removed at 20\S+Z by tester, and 1 before it; removed executions are not listed\.$/,
      ) as string,
    });
    expect(codeOf(await refusal(client, 'get_workflow_monitor', { execution_id: first }))).toBe('EXECUTION_REMOVED');
    const sql = 'SELECT execution_id, removed_by FROM v_removed ORDER BY 1';
    const removed = await runCli(['call', 'query_store', `sql=${sql}`], { folder });
    expect(JSON.parse(removed.stdout)).toMatchObject({
      rows: [
        [first, 'tester'],
        ['stf_datataking-tester-0002', 'tester'],
      ],
    });
    expect(await ask(client, 'list_messages', { message_type: 'heartbeat' })).toMatchObject({ total_count: 1 });
    expect(await runWorkflow(folder, '--stf-count', '1')).toMatchObject({
      execution_id: 'stf_datataking-tester-0005',
      run_number: 100_014,
    });
  });

  it('by age keeps executions that are newer or have not ended', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const killed = startCli(['run', '--speed', '5'], { folder });
    await killed.saw(/execution /);
    killed.child.kill('SIGKILL');
    await killed.finished;
    expect((await runCli(['prune', '--older-than', '1h'], { folder })).stdout).toMatch(/^0 executions removed/);
    alter(
      `UPDATE workflow_executions SET start_time = '2026-01-01T00:00:00.000Z', end_time = iif(status = 'running', NULL, '2026-01-01T01:00:00.000Z')`,
    )(folder);
    expect((await runCli(['prune', '--older-than', '30d'], { folder })).stdout).toMatch(
      /^removed stf_datataking-tester-0001, with .*\n1 execution removed/,
    );
    expect((await runCli(['resume', 'latest', '--speed', 'max'], { folder })).code).toBe(0);
  });

  it('that is killed is finished by the next prune, while a run continues', async () => {
    const folder = temporaryFolder();
    await runWorkflowProcess(folder, '--stf-count', '60');
    const run = startCli(
      ['run', '--speed', '30', '--stf-count', '1000', '--set', 'fast_processing.slice_processing_time=4'],
      { folder },
    );
    await run.saw(/start_run/);
    const db = new Database(join(folder, 'swf.db'));
    const slices = db.prepare('SELECT count(*) FROM tf_slices WHERE execution_id = ?').pluck();
    const before = slices.get(first);
    // The second of its transactions that remove slices takes longer than any test, so the kill always interrupts it.
    const rows = ['a', 'b', 'c', 'd'].map((name) => `message_rows AS ${name}`).join(', ');
    db.exec(
      `CREATE TRIGGER hold BEFORE DELETE ON tf_slices
       WHEN (SELECT count(*) FROM tf_slices WHERE execution_id = OLD.execution_id) <= ${Number(before) - batch}
       BEGIN SELECT count(*) FROM ${rows}; END`,
    );
    const killed = startCli(['prune', '--keep', '0'], { folder });
    await expect.poll(() => slices.get(first)).toBeLessThan(Number(before));
    killed.child.kill('SIGKILL');
    await killed.finished;
    db.exec('DROP TRIGGER hold');
    expect(db.prepare('SELECT execution_id FROM removals').all()).toEqual([{ execution_id: first }]);
    const left = db.prepare('SELECT count(*) FROM tf_slices').pluck().get();
    db.close();
    expect((await runCli(['check', '--skip-files'], { folder })).stdout).toMatch(
      new RegExp(`^open {2}${first} {2}is being removed; .* prune`, 'm'),
    );
    expect((await runCli(['prune', '--keep', '100', '--dry-run'], { folder })).stdout).toContain(
      `would continue removing ${first}`,
    );
    const client = await connectInProcess(join(folder, 'swf.db'));
    expect((await ask(client, 'list_tf_slices', {}))['total_count']).toBeGreaterThanOrEqual(Number(left));
    const { code, stdout } = await runCli(['prune', '--keep', '100'], { folder });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/executions? removed/) });
    expect(existsSync(dataOf(folder, first))).toBe(false);
    expect(await runCli(['stop', 'latest'], { folder })).toMatchObject({ code: 0 });
    expect(await run.finished).toMatchObject({ code: 4 });
    const check = await runCli(['check'], { folder });
    expect({ code: check.code, isNamed: check.stdout.includes(first) }).toEqual({ code: 0, isNamed: false });
  });

  it.each([[[]], [['--keep', '-1']], [['--older-than', 'x']]])(
    'with %j exits with a usage error, and removes nothing',
    async (args) => {
      const folder = temporaryFolder();
      await runWorkflow(folder, '--stf-count', '1');
      const { code, stderr } = await runCli(['prune', ...args], { folder });
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^(?:error|ARGUMENT_INVALID): /) });
      expect((await runCli(['status', first], { folder })).code).toBe(0);
    },
  );
});
