import { createHash } from 'node:crypto';
import { chmodSync, existsSync, linkSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { roomFor, upgradeStore } from '../../../src/db/maintenance/upgrade.ts';
import { schemaChanges, viewsFor } from '../../../src/db/migrations/older-schemas.ts';
import { schemaVersion } from '../../../src/db/opening/schema-version.ts';
import type { SwfError } from '../../../src/lib/errors.ts';
import { currentProcess } from '../../../src/lib/process-identity.ts';
import { runCli, temporaryFolder } from '../../helpers.ts';
import { olderStore, storedVersions } from '../../stores/older-store.ts';

type Row = Record<string, unknown>;

/** For a comparison of files that is quick and says little. */
const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

function rowsOf(path: string, select: string, before = ''): Row[] {
  const db = new Database(path);
  db.exec(before);
  const rows = db.prepare<[], Row>(select).all();
  db.close();
  return rows;
}

/** What no message states, by the columns that a store of schema 18 has too. */
const copied = {
  app_logs: 'log_id, timestamp, level, agent, message, execution_id, run_id, context',
  processes: 'process_id, pid, hostname, version, registered_at, last_beat, ended, logged_n',
  system_agents: 'seq, agent_name, agent_type, state, last_heartbeat, process_id, current_execution_id',
  execution_owners: '*',
  cursors: '*',
  counters: '*',
  store_meta: '*',
  late_messages: '*',
};

/** What only later versions have. */
const copiedLater = {
  hearings: 'namespace, since_ms, until_ms, process_id, may_send',
  past_agents: 'agent_name, since, until, agent_type, state, process_id',
  past_leases: '*',
  recorded_blocks: '*',
};

const log = `SELECT seq, message_id, message_type, destination, payload, sent_at, recorded_at,
  effect, effect_code, goes_out, outbox_sent_at FROM workflow_messages`;

const never = () => {};
const runOf = 'stf_datataking-tester-0001';
const killed = 'stf_datataking-tester-0002';
const others = 'stf_datataking-shifter-0001';

describe.each(storedVersions)('a store of schema version %i', (version) => {
  it('keeps its log, byte for byte, and all data outside the log when upgraded', async () => {
    const folder = olderStore(version);
    const path = join(folder, 'swf.db');
    const before = digestOf(path);
    const { code, stdout } = await runCli(['upgrade'], { folder });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${path}: upgraded from schema version ${version} to ${schemaVersion}; the older store is kept as ${path}.schema-${version}\n`,
    });
    const kept = `${path}.schema-${version}`;
    expect(digestOf(kept)).toBe(before);
    expect(readdirSync(folder).toSorted()).toEqual(['swf.db', `swf.db.schema-${version}`]);
    expect(rowsOf(path, log)).toEqual(rowsOf(kept, log));
    for (const [table, columns] of Object.entries(version < 30 ? copied : { ...copied, ...copiedLater })) {
      const select = `SELECT ${columns} FROM ${table} ORDER BY 1, 2`;
      expect({ table, rows: rowsOf(path, select) }).toEqual({ table, rows: rowsOf(kept, select, viewsFor(version)) });
    }
    expect(rowsOf(path, 'PRAGMA foreign_key_check')).toEqual([]);
  });

  it('is sound after the upgrade, answers questions about each execution, and can resume a killed run', async () => {
    const folder = olderStore(version);
    const cli = (...args: string[]) => runCli(args, { folder });
    await cli('upgrade');
    expect(await cli('check', '--deep', '--skip-files')).toMatchObject({ code: 0 });
    const monitor = async (id: string) => JSON.parse((await cli('status', id, '--json')).stdout) as Row;
    expect(await monitor(runOf)).toMatchObject({ status: 'completed', slices_created: 8, slices_failed: 2 });
    if (version >= 20) expect(await monitor(others)).toMatchObject({ origin: 'observed', slices_created: 218 });
    expect((await cli('logs', runOf, '--level', 'WARNING')).stdout).toMatch(/no vertex/);
    expect(await cli('resume', killed, '--speed', 'max')).toMatchObject({ code: 0 });
    expect(await monitor(killed)).toMatchObject({ status: 'completed', slices_created: 36, slices_completed: 36 });
    expect(await cli('check', '--deep', '--skip-files')).toMatchObject({ code: 0 });
  });
});

describe('an upgrade', () => {
  it('that fails at any of its steps leaves the older store unchanged, and succeeds when repeated', async () => {
    const folder = olderStore(18);
    const path = join(folder, 'swf.db');
    const before = digestOf(path);
    const steps: string[] = [];
    for (let isDone = false; !isDone;) {
      const said: string[] = [];
      const failsAt = steps.length;
      const fault = new Error('no power');
      const say = (line: string) => {
        said.push(line);
        if (said.length > failsAt) throw fault;
      };
      const outcome = await upgradeStore(path, say).catch((error: unknown) => error);
      if (outcome !== fault) {
        isDone = true;
        expect(outcome).toMatchObject({ from: 18, changes: [] });
      } else {
        expect(digestOf(path)).toBe(before);
        expect(readdirSync(folder)).toEqual(['swf.db']);
        steps.push(said.at(-1) as string);
      }
    }
    expect(steps.map((line) => line.replaceAll(/\d+|\/\S+/g, 'N'))).toEqual([
      'the new store needs up to N MB in N where N MB is free',
      ...Array.from({ length: 10 }, () => 'reading the log: N of N messages'),
      'copying what is not in the log',
      'comparing the new store with the older one',
      'putting the new store in its place',
    ]);
    expect(rowsOf(path, log)).toEqual(rowsOf(`${path}.schema-18`, log));
  });

  it('finishes an upgrade that was killed after linking the older store to its second name', async () => {
    const path = join(olderStore(18), 'swf.db');
    linkSync(path, `${path}.schema-18`);
    writeFileSync(`${path}.upgrading`, 'half of a store');
    expect(await upgradeStore(path, never)).toMatchObject({ from: 18 });
    expect(existsSync(`${path}.upgrading`)).toBe(false);
    expect(rowsOf(path, 'PRAGMA user_version')).toEqual([{ user_version: schemaVersion }]);
    expect(rowsOf(`${path}.schema-18`, 'PRAGMA user_version')).toEqual([{ user_version: 18 }]);
  });

  it('is refused while another upgrade of the same store is running', async () => {
    const path = join(olderStore(18), 'swf.db');
    const attempts: Promise<unknown>[] = [];
    const upgradeToo = () => attempts.push(upgradeStore(path, never).catch((error: unknown) => error));
    expect(await upgradeStore(path, upgradeToo)).toMatchObject({ from: 18 });
    const refused = new Set((await Promise.all(attempts)).map((error) => (error as SwfError).line));
    expect([...refused]).toEqual([
      `STORE_IN_USE: the store ${path} is used by a process that keeps it locked, as an upgrade does; end all processes that use it, then upgrade`,
    ]);
  });

  it('keeps the permissions of the store', async () => {
    const path = join(olderStore(18), 'swf.db');
    chmodSync(path, 0o640);
    await upgradeStore(path, never);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it('is refused while a process has the store open, and the error names that process', async () => {
    const path = join(olderStore(18), 'swf.db');
    const { pid, pid_started, hostname } = currentProcess();
    const other = new Database(path);
    other.pragma('journal_mode = WAL');
    const sign = other.prepare(
      `INSERT INTO processes (pid, pid_started, hostname, version, registered_at, last_beat)
        VALUES (?, ?, ?, '0.0.9', 'then', 'then')`,
    );
    sign.run(pid, pid_started, hostname);
    await expect(upgradeStore(path, never)).rejects.toMatchObject({
      code: 'STORE_IN_USE',
      message: `the store ${path} is used by process ${pid} on ${hostname} (swf-mcp 0.0.9); end all processes that use it, then upgrade`,
    });
    expect(other.prepare('SELECT count(*) FROM message_rows').pluck().get()).toBe(180);
    other.close();
    expect(await upgradeStore(path, never)).toMatchObject({ from: 18 });
  });

  it('includes what a killed process left in the write-ahead log', async () => {
    const folder = olderStore(18);
    const other = new Database(join(folder, 'swf.db'));
    other.pragma('journal_mode = WAL');
    other.exec(`UPDATE app_logs SET message = 'the last words' WHERE log_id = 1`);
    const path = join(temporaryFolder(), 'swf.db');
    for (const name of ['swf.db', 'swf.db-wal'])
      writeFileSync(path + name.slice('swf.db'.length), readFileSync(join(folder, name)));
    other.close();
    await upgradeStore(path, never);
    expect(rowsOf(path, 'SELECT message FROM app_logs WHERE log_id = 1')).toEqual([{ message: 'the last words' }]);
  });

  it('gives log lines their places among the messages, which older schemas did not record', async () => {
    const path = join(olderStore(18), 'swf.db');
    await upgradeStore(path, never);
    const places = `SELECT after_seq, coalesce(
      (SELECT max(seq) FROM workflow_messages WHERE recorded_at <= timestamp), 0) AS expected FROM app_logs`;
    const lines = rowsOf(path, places);
    expect(lines.map((line) => line['after_seq'])).toEqual(lines.map((line) => line['expected']));
    expect(new Set(lines.map((line) => line['after_seq'])).size).toBeGreaterThan(5);
  });

  it('assigns no number twice, even if the rows with the last numbers were pruned', async () => {
    const path = join(olderStore(18), 'swf.db');
    rowsOf(
      path,
      'SELECT 1',
      `DELETE FROM app_logs WHERE log_id > 40;
      DELETE FROM message_rows WHERE seq > 170`,
    );
    await upgradeStore(path, never);
    const sequences = `SELECT name, seq FROM sqlite_sequence
      WHERE name IN ('app_logs', 'message_rows') ORDER BY name`;
    expect(rowsOf(path, sequences)).toEqual([
      { name: 'app_logs', seq: 51 },
      { name: 'message_rows', seq: 180 },
    ]);
  });

  it('keeps track of the messages that are still to be sent', async () => {
    const path = join(olderStore(18), 'swf.db');
    const sent = `UPDATE message_rows SET goes_out = 1 WHERE seq <= 20;
      UPDATE message_rows SET outbox_sent_at = '2026-12-01T00:00:00.000Z' WHERE seq <= 10`;
    rowsOf(path, 'SELECT 1', sent);
    await upgradeStore(path, never);
    expect(rowsOf(path, log)).toEqual(rowsOf(`${path}.schema-18`, log));
    expect(
      rowsOf(path, `SELECT count(*) AS n FROM message_rows WHERE goes_out = 1 AND outbox_sent_at IS NULL`),
    ).toEqual([{ n: 10 }]);
  });

  it('keeps the time at which the monitor of an observed run was read', async () => {
    const path = join(olderStore(storedVersions.at(-1) as number), 'swf.db');
    rowsOf(path, 'SELECT 1', 'UPDATE observed_runs SET read_ms = 7');
    await upgradeStore(path, never);
    expect(rowsOf(path, 'SELECT read_ms FROM observed_runs')).toEqual([{ read_ms: 7 }]);
  });

  const prepared = (sql: string, name = '') => {
    const path = join(olderStore(18), 'swf.db');
    rowsOf(path, 'SELECT 1', sql);
    if (name !== '') writeFileSync(`${path}${name}`, 'of somebody');
    return path;
  };
  const refusals: [what: string, make: () => string, code: string, words: RegExp][] = [
    ['a missing store', () => join(temporaryFolder(), 'swf.db'), 'STORE_UNAVAILABLE', /there is no store/],
    [
      'a store that is too old',
      () => prepared('PRAGMA user_version = 17'),
      'STORE_TOO_OLD',
      /can upgrade schema version 18 and later/,
    ],
    ['a newer store', () => prepared('PRAGMA user_version = 99'), 'STORE_TOO_NEW', /has schema version 99/],
    ['a store of another program', () => prepared('PRAGMA application_id = 7'), 'STORE_UNAVAILABLE', /another program/],
    [
      'to replace an older store that was kept',
      () => prepared('', '.schema-18'),
      'STORE_UNAVAILABLE',
      /already exists; move it away/,
    ],
    // An id that does not follow from what the message says.
    [
      'a log in which an id does not follow from its message',
      () => prepared(`UPDATE message_rows SET message_id = 'x' WHERE seq = 9`),
      'STORE_CORRUPT',
      /message 9 \(x\)/,
    ],
  ];
  it.each(refusals)('refuses %s, and changes nothing', async (_, make, code, words) => {
    const path = make();
    const before = existsSync(path) ? digestOf(path) : undefined;
    await expect(upgradeStore(path, never)).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
    if (before !== undefined) expect(digestOf(path)).toBe(before);
    expect(existsSync(`${path}.upgrading`)).toBe(false);
  });

  it('is suggested by other commands, for the store that they were given', async () => {
    const folder = olderStore(18);
    const { code, stderr } = await runCli(['--db', join(folder, 'swf.db'), 'status'], { folder });
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^STORE_TOO_OLD: .* run "swf-mcp --db \S+swf\.db upgrade"\n$/),
    });
  });

  it('leaves a store with the newest schema unchanged', async () => {
    const folder = olderStore(18);
    await runCli(['upgrade'], { folder });
    const again = await runCli(['upgrade'], { folder });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/; nothing to do\n$/), stderr: '' });
  });

  it('says how much disk space it needs, and is refused if there is less', () => {
    expect(roomFor('/data', 200e6, 301e6)).toBe('the new store needs up to 301 MB in /data, where 301 MB is free');
    expect(() => roomFor('/data', 200e6, 300e6)).toThrow(
      'the new store needs up to 301 MB in /data, where 300 MB is free; free some space, then upgrade',
    );
  });
});

describe('each change of the schema', () => {
  it('says how to read an older store, and comes with a test store of the previous version', () => {
    // If this fails: make a store with the build before the change (test/stores/make.js),
    // and add the version to schemaChanges.
    expect(storedVersions.at(-1)).toBeGreaterThanOrEqual(schemaVersion - 1);
    const changed = schemaChanges.map(({ version }) => version);
    expect(changed).toEqual(expect.arrayContaining(Array.from({ length: schemaVersion - 38 }, (_, at) => 39 + at)));
    expect(Math.max(...changed)).toBeLessThanOrEqual(schemaVersion);
  });
});
