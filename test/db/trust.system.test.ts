import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { schemaVersion } from '../../src/db/opening/schema-version.ts';
import { currentProcess, isAlive } from '../../src/lib/process-identity.ts';
import { alterStore } from '../alter-store.ts';
import {
  runCliProcess,
  runWorkflowProcess,
  ask,
  connectStdio,
  runCli,
  runWorkflow,
  startCli,
  temporaryFolder,
} from '../helpers.ts';
import { giveAway, hasOtherUser, openFolder, runAsOther } from '../other-user.ts';

const first = 'stf_datataking-tester-0001';

const hasNamespaces = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;
if (!hasNamespaces) console.log('namespaces of processes are not tried: unshare --pid needs root');

async function finished(...args: string[]): Promise<string> {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '2', ...args);
  return folder;
}

describe('prune', () => {
  it('leaves folders that do not belong to executions of its store, and lists them in a dry run', async () => {
    const folder = await finished();
    const precious = join(folder, 'precious', 'x-0001');
    mkdirSync(precious, { recursive: true });
    writeFileSync(join(precious, 'thesis.tex'), 'words');
    const link = join(folder, 'y-0001');
    symlinkSync(precious, link);
    // Another store of the same user.
    const other = await finished();
    const victim = join(other, 'swf.db.data', first);
    // A store from another source: its place is not recorded, so it does not count as a copy.
    alterStore(
      folder,
      `INSERT INTO removals VALUES ('x-0001', '${precious}', NULL, NULL), ('elsewhere', '${precious}', NULL, NULL), ('y-0001', '${link}', NULL, NULL), ('${first}', '${victim}', NULL, NULL), ('relative', 'relative', NULL, NULL);
       DELETE FROM store_meta WHERE key = 'home'`,
    );
    const dry = await runCli(['prune', '--keep', '100', '--dry-run'], { folder });
    for (const [id, place] of [
      ['x-0001', precious],
      ['elsewhere', precious],
      ['y-0001', link],
    ])
      expect(dry.stdout).toContain(`would continue removing ${id}; the folder ${place} would be left in place: it `);
    const { code, stderr } = await runCli(['prune', '--keep', '100'], { folder });
    expect(code).toBe(0);
    expect(stderr.trimEnd().split('\n').toSorted()).toEqual(
      [
        'WARNING the folder relative was not removed: it is not named relative',
        `WARNING the folder ${precious} was not removed: it contains thesis.tex, which does not belong to an execution`,
        `WARNING the folder ${precious} was not removed: it is not named elsewhere`,
        `WARNING the folder ${link} was not removed: it is a link, or not a folder`,
        `WARNING the folder ${victim} was not removed: it is in the data folder of the store ${join(other, 'swf.db')}`,
      ].toSorted(),
    );
    expect(existsSync(join(precious, 'thesis.tex'))).toBe(true);
    expect((await runCli(['check'], { folder: other })).code).toBe(0);
  });

  it('removes folders that a payload nested deeper than the longest possible path', async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'deep.sh'),
      `#!/bin/sh\nexport LC_ALL=C\nn=0\nwhile [ $n -lt 300 ]; do mkdir abcdefghijklmnopqrst && cd -P abcdefghijklmnopqrst || exit 1; n=$((n+1)); done\necho x > deepest\n`,
    );
    chmodSync(join(folder, 'deep.sh'), 0o755);
    await runWorkflowProcess(folder, '--stf-count', '1', '--set', 'worker.payload=["./deep.sh"]');
    expect(await runCli(['prune', '--keep', '0'], { folder })).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(folder, 'swf.db.data'))).toEqual([]);
  });
});

describe('a store that is damaged or changed from outside', () => {
  it('is shown without its invalid values, and the answer names them', async () => {
    const folder = await finished();
    alterStore(folder, `PRAGMA ignore_check_constraints = 1; UPDATE tf_slices SET status = 'lost' WHERE slice_id = 4`);
    const { items, note } = await ask(await connectStdio({ folder }), 'list_tf_slices', { limit: 200 });
    expect(note).toMatch(/^The store contains values that cannot be shown: items\.\d+\.status/);
    const rows = items as { slice_id: number; status?: string }[];
    expect(rows.filter(({ status }) => status === undefined).map(({ slice_id }) => slice_id)).toEqual([4, 4]);
    expect(rows.filter(({ status }) => status === 'completed').length).toBe(rows.length - 2);
  });

  it('is reported as damaged, not as a bug, if a table is missing', async () => {
    const folder = await finished();
    alterStore(folder, 'DROP TABLE app_logs');
    for (const words of [['logs'], ['call', 'list_logs', '{}']])
      expect(await runCli(words, { folder })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^STORE_CORRUPT: .*"swf-mcp check"/),
      });
  });

  it('is compared with a replay of its own log, row by row', async () => {
    const folder = temporaryFolder();
    await runWorkflowProcess(folder, '--stf-count', '1');
    await runWorkflow(folder, '--stf-count', '3', '--set', 'fast_processing.stf_sampling_rate=0.5');
    await runCli(['prune', '--keep', '1'], { folder });
    const sound = await runCli(['check', '--deep'], { folder });
    expect(sound).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ok {4}log {8}a replay gives the same rows$/m),
    });
    alterStore(
      folder,
      `PRAGMA ignore_check_constraints = 1;
       UPDATE tf_slices SET assigned_worker = 'nobody' WHERE slice_id = 3;
       DELETE FROM fastmon_files;
       INSERT INTO stf_files (stf_filename, run_number, execution_id, sequence, status, tf_count, created_at)
         SELECT 'swf.9.000009.stf', run_number, execution_id, 99, status, tf_count, created_at FROM stf_files LIMIT 1`,
    );
    const { code, stdout } = await runCli(['check', '--deep', '--skip-files'], { folder });
    expect(code).toBe(1);
    const lines = stdout.split('\n').filter((line) => line.startsWith('fail  log'));
    expect(lines).toEqual([
      'fail  log        stf_files swf.9.000009.stf stf_datataking-tester-0002 is not in the log',
      'fail  log        fastmon_files swf.100011.000002_tf_001.tf stf_datataking-tester-0002 is missing',
      expect.stringMatching(
        /^fail {2}log {8}tf_slices swf\.100011\.000002_slice_003\.tf stf_datataking-tester-0002: assigned_worker is nobody, but the log gives worker-agent-/,
      ),
    ]);
  });

  it.each(['swf.db', 'link.db'])(
    'ends the run if its write-ahead log is removed, and the run can be resumed: %s',
    async (named) => {
      const folder = temporaryFolder();
      if (named === 'link.db') symlinkSync(join(folder, 'swf.db'), join(folder, named));
      if (named === 'link.db') (await openStore(join(folder, 'swf.db'))).close();
      const run = startCli(
        [
          '--db',
          join(folder, named),
          'run',
          '--speed',
          '30',
          '--stf-count',
          '10',
          '--set',
          'fast_processing.slice_processing_time=4',
        ],
        { folder },
      );
      await run.saw(/start_run/);
      const before = new Database(join(folder, 'swf.db'), { readonly: true });
      const count = before.prepare('SELECT count(*) FROM message_rows').pluck().get() as number;
      before.close();
      for (const name of ['swf.db-wal', 'swf.db-shm']) rmSync(join(folder, name));
      const { code, stderr } = await run.finished;
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(
          /STORE_UNAVAILABLE: .*swf\.db-wal, a part of the store, was removed while it was open; earlier writes are in the store/,
        ),
      });
      expect(count).toBeGreaterThan(2);
      const after = new Database(join(folder, 'swf.db'), { readonly: true });
      expect(after.prepare('SELECT count(*) FROM message_rows').pluck().get()).toBeGreaterThanOrEqual(count);
      after.close();
      const resumed = await runCli(['resume', 'latest', '--speed', 'max', '--json'], { folder });
      expect(resumed.code).toBe(0);
      expect(JSON.parse(resumed.stdout)).toMatchObject({
        execution_id: first,
        slices_completed: 150,
        status: 'completed',
      });
      expect((await runCli(['check', '--deep'], { folder })).code).toBe(0);
    },
  );

  it('ends the run if it is upgraded to a newer schema', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', '5', '--stf-count', '10'], { folder });
    await run.saw(/start_run/);
    alterStore(folder, `PRAGMA user_version = ${schemaVersion + 1}`);
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /STORE_TOO_NEW: .* was upgraded to schema version \d+ by another swf-mcp .* this process has stopped writing/,
      ),
    });
  });

  it('can be read by many processes at once just after its writer was killed', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', 'max', '--stf-count', '400'], { folder });
    while (!existsSync(join(folder, 'swf.db-wal')) || statSync(join(folder, 'swf.db-wal')).size < 2_000_000)
      await new Promise(setImmediate);
    run.child.kill('SIGKILL');
    await run.finished;
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => runCliProcess(['call', 'list_workflow_executions', '{}'], { folder })),
    );
    for (const { code, stderr } of answers) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('a file that cannot be used as a store', () => {
  it('is refused and left unchanged even if it is only one byte long', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'swf.db'), 'x');
    for (const words of [['run', '--speed', 'max'], ['status'], ['prune', '--keep', '1']])
      expect(await runCli(words, { folder })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^STORE_UNAVAILABLE: .*swf\.db is not a swf-mcp store; name another file with --db\n$/,
        ),
      });
    expect(readFileSync(join(folder, 'swf.db'), 'utf8')).toBe('x');
  });

  it.skipIf(!hasNamespaces)('is reported as read-only if it is on a read-only disk', async () => {
    const folder = await finished();
    const inside = `mount --bind '${folder}' '${folder}' && mount -o remount,bind,ro '${folder}' && exec "$@"`;
    for (const words of [
      ['run', '--speed', 'max'],
      ['resume', 'latest'],
    ]) {
      const cli = [process.execPath, join(process.cwd(), 'dist/cli.js'), '--db', join(folder, 'swf.db'), ...words];
      const { status, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', inside, 'sh', ...cli], {
        cwd: '/',
        encoding: 'utf8',
        env: { ...process.env, SWF_USER: 'tester' },
      });
      expect({ words, status, stderr }).toEqual({
        words,
        status: 1,
        stderr: expect.stringMatching(/^STORE_READ_ONLY: /),
      });
    }
  });
});

describe('backups to the same file', () => {
  it('produce one complete file, one error and nothing else if two run at once', async () => {
    const folder = await finished();
    for (let round = 0; round < 6; round += 1) {
      const target = join(folder, `b${round}.db`);
      const ends = await Promise.all([1, 2].map(() => runCliProcess(['backup', target], { folder })));
      expect(ends.map(({ code }) => code).toSorted()).toEqual([0, 1]);
      expect((await runCli(['--db', target, 'check', '--skip-files'], { folder })).code).toBe(0);
    }
    expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([]);
  });

  it('remove only the partial files of backups that were killed', async () => {
    const folder = await finished();
    const target = join(folder, 'b.db');
    const { pid, pid_started } = currentProcess();
    const [started = '', ...where] = pid_started.split(' ');
    const mark = (of: string, place: string) =>
      `${target}.${of}-${started}-${createHash('sha256').update(place).digest('hex').slice(0, 8)}.part`;
    const here = where.join(' ');
    const dead = mark(String(2 ** 22 - 9), here);
    const living = mark(String(pid), here);
    const ofAnotherHost = mark('17', 'another boot');
    for (const path of [dead, `${dead}-journal`, living, ofAnotherHost]) writeFileSync(path, 'half');
    expect((await runCliProcess(['backup', target], { folder })).code).toBe(0);
    expect([dead, `${dead}-journal`, living, ofAnotherHost].map((path) => existsSync(path))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

describe.skipIf(!hasOtherUser)('the owner of a store and of its data', () => {
  it('must be the user who writes, and nobody else may have write permission', async () => {
    const folder = openFolder();
    const db = (name: string) => join(folder, 'work', name);
    mkdirSync(join(folder, 'work'));
    giveAway(join(folder, 'work'));
    // Created beforehand by somebody who will change it.
    writeFileSync(db('open.db'), '');
    giveAway(db('open.db'));
    chmodSync(db('open.db'), 0o666);
    expect(runAsOther(folder, ['--db', db('open.db'), 'run', '--speed', 'max', '--stf-count', '1'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^STORE_UNAVAILABLE: .*\(mode 666\)/),
    });
    const own = ['--db', db('own.db'), 'run', '--speed', 'max', '--stf-count', '1'];
    expect(runAsOther(folder, own)).toMatchObject({ code: 0 });
    chmodSync(db('own.db.data'), 0o777);
    expect(runAsOther(folder, own)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^DATA_UNAVAILABLE: .*\(mode 777\).*"chmod 700"/),
    });
    const { code, stdout } = runAsOther(folder, ['--db', db('own.db'), 'doctor']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^fail {2}data +DATA_UNAVAILABLE: .*own\.db\.data is not used: anyone may write to it \(mode 777\)/m,
    );
    chmodSync(db('own.db.data'), 0o700);
    chmodSync(db('own.db'), 0o644);
    expect(runAsOther(folder, ['--db', db('own.db'), 'doctor']).stdout).toMatch(
      /^warn {2}rights +.*own\.db: other users may read or write it \(mode 644\); chmod 600 it/m,
    );
    // Planted beside a store that does not exist yet, to read and write what goes into it.
    chmodSync(db('own.db'), 0o600);
    for (const ending of ['-wal', '-shm']) {
      writeFileSync(`${db('planted.db')}${ending}`, '');
      giveAway(`${db('planted.db')}${ending}`);
      chmodSync(`${db('planted.db')}${ending}`, 0o666);
    }
    const planted = ['--db', db('planted.db'), 'run', '--speed', 'max', '--stf-count', '1'];
    expect(runAsOther(folder, planted)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^STORE_UNAVAILABLE: .*planted\.db-wal /),
    });
    // Owned by a third user: its content cannot be trusted.
    execFileSync('chown', ['12345', db('own.db')]);
    chmodSync(db('own.db'), 0o660);
    execFileSync('chgrp', ['65534', db('own.db')]);
    expect(runAsOther(folder, own)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^STORE_UNAVAILABLE: .*\(id 12345\)/),
    });
  });
});

describe('a process in another PID namespace', () => {
  it('cannot be checked by its PID, even if the host name is the same', () => {
    const here = currentProcess();
    expect(isAlive(here)).toBe(true);
    expect(isAlive({ ...here, pid: 2 ** 22 - 9 })).toBe(false);
    expect(isAlive({ ...here, pid_started: here.pid_started.replace('pid:[', 'pid:[9') })).toBeUndefined();
    expect(isAlive({ ...here, pid_started: `${here.pid_started}x` })).toBeUndefined();
  });

  it.skipIf(!hasNamespaces)('keeps its execution while it sends heartbeats: resume is refused', async () => {
    const folder = temporaryFolder();
    const words = ['--pid', '--fork', '--kill-child', process.execPath, join(process.cwd(), 'dist/cli.js')];
    const inside = spawn('unshare', [...words, 'run', '--speed', '10', '--stf-count', '6'], {
      cwd: folder,
      env: { ...process.env, SWF_DB: join(folder, 'swf.db'), SWF_USER: 'tester' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const begun = new Promise<void>((resolve) =>
      inside.stdout.on('data', (data: Buffer) => {
        said += data.toString();
        if (/start_run/.test(said)) resolve();
      }),
    );
    const ended = once(inside, 'close');
    await begun;
    expect(await runCli(['resume', 'latest'], { folder })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^EXECUTION_IN_USE/),
    });
    expect((await ended)[0]).toBe(0);
  });
});
