import { execFileSync, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';

import { codeOf } from '../codes.ts';
import {
  connectProcess,
  ask,
  connectStdio,
  refusal,
  runCli,
  runWorkflow,
  startCli,
  temporaryFolder,
} from '../helpers.ts';
import { giveAway, hasOtherUser, openFolder, runAsOther } from '../other-user.ts';

const storeFiles = ['swf.db', 'swf.db-wal', 'swf.db-shm'];
const inCi = process.env['CI'] === 'true';

/** A run of about two seconds, in the middle of its physics. */
async function runInPhysics(folder: string) {
  const started = startCli(
    ['run', '--speed', '30', '--stf-count', '10', '--set', 'fast_processing.slice_processing_time=4'],
    { folder },
  );
  await started.saw(/start_run/);
  return started;
}

/** The stderr of a command that a fault of the store ends: one line, without a stack trace. */
const oneLine = (code: string): RegExp => new RegExp(`^(WARNING [^\\n]*\\n)*${code}: [^\\n]+\\n$`);

async function resumesToTheEnd(folder: string): Promise<void> {
  const { code, stdout, stderr } = await runCli(['resume', 'latest', '--speed', 'max', '--json'], { folder });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', stf_count: 10, slices_completed: 150 });
  const check = await runCli(['check'], { folder });
  expect(check).toMatchObject({ code: 0, stderr: '' });
}

describe('a run', () => {
  it('waits while another program locks its store for several seconds', async () => {
    const folder = temporaryFolder();
    const run = await runInPhysics(folder);
    const other = new Database(join(folder, 'swf.db'));
    other.exec('BEGIN IMMEDIATE');
    await delay(2500);
    other.exec('COMMIT');
    other.close();
    expect(await run.finished).toMatchObject({ code: 0 });
    expect((await runCli(['check'], { folder })).code).toBe(0);
  });

  it('ends with a one-line error if its store is removed, and resumes once it is back', async () => {
    const folder = temporaryFolder();
    const run = await runInPhysics(folder);
    for (const file of storeFiles) renameSync(join(folder, file), join(folder, `${file}.away`));
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(oneLine('STORE_UNAVAILABLE')) });
    expect(stderr).toMatch(/was removed while it was open; restore it, and resume/);
    for (const file of storeFiles)
      if (existsSync(join(folder, `${file}.away`))) renameSync(join(folder, `${file}.away`), join(folder, file));
    await resumesToTheEnd(folder);
  });

  it('ends with a one-line error if its store is replaced, and damages neither store', async () => {
    const folder = temporaryFolder();
    const other = temporaryFolder();
    await runWorkflow(other, '--stf-count', '1');
    const run = await runInPhysics(folder);
    for (const file of storeFiles) renameSync(join(folder, file), join(folder, `${file}.away`));
    copyFileSync(join(other, 'swf.db'), join(folder, 'swf.db'));
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(oneLine('STORE_UNAVAILABLE')) });
    expect(stderr).toMatch(/was replaced by another file while it was open/);
    expect((await runCli(['check', '--skip-files'], { folder })).stdout).toMatch(
      /^ok {4}stf_datataking-tester-0001 {2}completed, balanced: 1 STF/m,
    );
    for (const file of storeFiles)
      if (existsSync(join(folder, `${file}.away`))) renameSync(join(folder, `${file}.away`), join(folder, file));
    await resumesToTheEnd(folder);
  });

  it('ends cleanly or with a one-line error if its write-ahead log is truncated, and so does resume', async () => {
    const folder = temporaryFolder();
    const run = await runInPhysics(folder);
    const wal = join(folder, 'swf.db-wal');
    truncateSync(wal, Math.floor(statSync(wal).size / 2));
    for (const end of [await run.finished, await runCli(['resume', 'latest', '--speed', 'max'], { folder })]) {
      if (end.code !== 0) expect(end.stderr).toMatch(oneLine('STORE_[A-Z]+'));
      expect(end).toMatchObject({ signal: null, stderr: expect.not.stringMatching(/\n {4}at /) });
    }
  });
});

/** Overwrites the root page of a table with bytes that SQLite cannot read. */
function damageTable(path: string, table: string): void {
  const db = new Database(path);
  db.pragma('wal_checkpoint(TRUNCATE)');
  const pageSize = db.pragma('page_size', { simple: true }) as number;
  const root = db
    .prepare<[string], { rootpage: number }>('SELECT rootpage FROM sqlite_schema WHERE name = ?')
    .get(table);
  db.close();
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(pageSize, 0xaa), 0, pageSize, ((root?.rootpage ?? 0) - 1) * pageSize);
  closeSync(file);
}

describe('a damaged store', () => {
  it('answers from its readable tables, reports the damaged ones, and fails "swf-mcp check"', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'swf.db');
    await runWorkflow(folder, '--stf-count', '2');
    copyFileSync(path, `${path}.good`);
    damageTable(path, 'app_logs');
    const client = await connectStdio({ folder });
    expect(await ask(client, 'list_stf_files', { execution_id: 'latest' })).toMatchObject({ total_count: 2 });
    expect(codeOf(await refusal(client, 'list_logs', { execution_id: 'latest' }))).toBe('STORE_CORRUPT');
    expect(await ask(client, 'list_tf_slices', { execution_id: 'latest' })).toMatchObject({ total_count: 30 });
    const check = await runCli(['check'], { folder });
    expect(check).toMatchObject({ code: 1, stderr: '' });
    expect(check.stdout).toMatch(/^fail {2}integrity {2}.*restore /m);
    expect(check.stdout).toMatch(/^ok {4}stf_datataking-tester-0001 {2}completed, balanced/m);
    // The running server finds a restored copy.
    renameSync(`${path}.good`, path);
    expect(await ask(client, 'list_logs', { execution_id: 'latest' })).toMatchObject({ total_count: 14 });
  });

  const [corrupt, unavailable] = ['STORE_CORRUPT', 'STORE_UNAVAILABLE'];
  it.each<[string, (path: string) => void, Record<'tools' | 'commands' | 'run', string | undefined>]>([
    [
      'cut in half',
      (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
      { tools: corrupt, commands: corrupt, run: corrupt },
    ],
    [
      'emptied',
      (path) => truncateSync(path, 0),
      // Without a log beside it, an empty file is a new store; its folder has the data of another one.
      { tools: corrupt, commands: unavailable, run: 'CONFIG_INVALID' },
    ],
    [
      'overwritten at its beginning',
      (path) => writeFileSync(path, Buffer.alloc(200, 0x55), { flag: 'r+' }),
      // An open store does not read its beginning again.
      { tools: undefined, commands: unavailable, run: unavailable },
    ],
  ])('causes only one-line errors if it is %s while a server has it open', async (_, damage, codes) => {
    const folder = temporaryFolder();
    const path = join(folder, 'swf.db');
    await runWorkflow(folder, '--stf-count', '20');
    const client = await connectProcess({ folder });
    await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    damage(path);
    for (const tool of ['list_tf_slices', 'list_messages', 'list_logs', 'list_stf_files']) {
      const result = await client.callTool({ name: tool, arguments: { limit: 200, order: 'oldest' } });
      const [{ text = '' } = {}] = result.content as { text?: string }[];
      const code = result.isError === true ? /^([A-Z_]+): [^\n]+$/.exec(text)?.[1] : undefined;
      expect({ tool, isError: result.isError === true, code }).toEqual({
        tool,
        isError: codes.tools !== undefined,
        code: codes.tools,
      });
    }
    await client.close();
    for (const args of [
      ['status'],
      ['check'],
      ['backup', 'copy.db'],
      ['resume', 'latest'],
      ['run', '--speed', 'max'],
    ]) {
      const { code, stderr } = await runCli(args, { folder });
      expect({ args, code }).toEqual({ args, code: 1 });
      expect(stderr).toMatch(oneLine((args[0] === 'run' ? codes.run : codes.commands) as string));
    }
  });
});

describe('a store that is emptied or missing while its write-ahead log remains', () => {
  it.each(['emptied', 'moved away'])(
    'is reported by every command, and the run resumes once it is restored: %s',
    async (how) => {
      const folder = temporaryFolder();
      const path = join(folder, 'swf.db');
      const run = await runInPhysics(folder);
      run.child.kill('SIGKILL');
      await run.finished;
      copyFileSync(path, `${path}.kept`);
      if (how === 'emptied') truncateSync(path, 0);
      else renameSync(path, `${path}.away`);
      for (const args of [
        ['status'],
        ['check'],
        ['backup', 'x.db'],
        ['resume', 'latest'],
        ['stop', 'latest'],
        ['run', '--speed', 'max'],
      ]) {
        const { code, stderr } = await runCli(args, { folder });
        expect({ args, code, stderr }).toEqual({
          args,
          code: 1,
          stderr: expect.stringMatching(oneLine('STORE_(CORRUPT|UNAVAILABLE)')),
        });
      }
      renameSync(`${path}.kept`, path);
      await resumesToTheEnd(folder);
    },
  );

  it('ends the run that has it open with a one-line error', async () => {
    const folder = temporaryFolder();
    const run = await runInPhysics(folder);
    truncateSync(join(folder, 'swf.db'), 0);
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(oneLine('STORE_UNAVAILABLE')) });
    expect(stderr).toMatch(/was emptied while it was open/);
  });
});

describe.skipIf(!hasOtherUser && !inCi)('a user without permissions', () => {
  it('gets a one-line error for the store of another user', async () => {
    const folder = openFolder();
    await runWorkflow(folder, '--stf-count', '1');
    for (const args of [
      ['status'],
      ['run', '--speed', 'max'],
      ['resume', 'latest'],
      ['check'],
      ['backup', 'x.db'],
      ['prune', '--keep', '1'],
    ]) {
      const { code, stdout, stderr } = runAsOther(folder, ['--db', 'swf.db', ...args]);
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
      expect(codeOf(stderr)).toBe('STORE_UNAVAILABLE');
      expect(stderr).toMatch(/cannot be opened/);
    }
  });

  it('can read, but not write, a finished store in a read-only folder', async () => {
    const folder = openFolder();
    await runWorkflow(folder, '--stf-count', '2');
    chmodSync(join(folder, 'swf.db'), 0o644);
    const status = runAsOther(folder, ['--db', 'swf.db', 'status']);
    expect(status).toMatchObject({ code: 0, stderr: '' });
    expect(status.stdout).toMatch(/TF slices {3}30 of 30: 30 completed/);
    const run = runAsOther(folder, ['--db', 'swf.db', 'run', '--speed', 'max']);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(codeOf(run.stderr)).toBe('STORE_READ_ONLY');
  });

  it('gets a one-line error in a read-only folder, and can run with a store in their own folder', () => {
    const folder = openFolder();
    const closed = runAsOther(folder, ['--db', 'new/swf.db', 'run', '--speed', 'max']);
    expect(closed).toMatchObject({ code: 1, stdout: '' });
    expect(codeOf(closed.stderr)).toBe('STORE_UNAVAILABLE');
    mkdirSync(join(folder, 'mine'));
    giveAway(join(folder, 'mine'));
    const own = runAsOther(folder, ['--db', 'mine/swf.db', 'run', '--speed', 'max', '--stf-count', '1', '--json']);
    expect(own.code).toBe(0);
    expect(statSync(join(folder, 'mine/swf.db')).mode & 0o777).toBe(0o600);
  });
});

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** An SSH file system without SSH: a local SFTP server answers in place of ssh. */
function mountNetwork(folder: string): string | undefined {
  const [remote, place, answer] = ['remote', 'mounted', 'answer'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const made of [remote, place]) mkdirSync(made);
  writeFileSync(answer, '#!/bin/sh\nexec /usr/lib/openssh/sftp-server\n', { mode: 0o755 });
  const { status } = spawnSync('sshfs', ['-o', `ssh_command=${answer}`, `localhost:${remote}`, place]);
  if (status !== 0) return undefined;
  onTestFinished(() => void execFileSync('fusermount3', ['-u', place]));
  return place;
}

/** The reason why none can be mounted here; undefined if one can. */
const missing =
  spawnSync('sshfs', ['--version']).status !== 0
    ? 'install sshfs'
    : mayWrite('/dev/fuse')
      ? undefined
      : 'it needs the right to write to /dev/fuse';
if (missing !== undefined) console.log(`a store on a network file system is not tried: ${missing}`);

describe.skipIf(missing !== undefined && !inCi)('a store on a network file system', () => {
  it('is neither created nor read, and the error says what to do instead', async () => {
    const folder = temporaryFolder();
    const place = mountNetwork(folder) ?? expect.fail('sshfs cannot be mounted here');
    for (const args of [['run', '--speed', 'max'], ['status']]) {
      const { code, stderr } = await runCli(['--db', join(place, 'swf.db'), ...args], { folder });
      expect(code).toBe(1);
      expect(codeOf(stderr)).toBe('STORE_UNAVAILABLE');
      expect(stderr).toMatch(/is on a network file system \(sshfs\).*name a file on a local disk with --db/);
    }
    expect(existsSync(join(place, 'swf.db'))).toBe(false);
    symlinkSync(join(place, 'swf.db'), join(folder, 'link.db'));
    expect((await runCli(['--db', 'link.db', 'run', '--speed', 'max'], { folder })).stderr).toMatch(
      /network file system/,
    );
    expect((await runCli(['--db', join(place, 'swf.db'), 'doctor'], { folder })).stdout).toMatch(
      /^fail {2}file system .*is on sshfs/m,
    );
  });
});
