import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { migrate, schemaHistory, type SchemaHistory } from '../../src/db/opening/schema-version.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { makeRunningStore, runCli, temporaryFolder } from '../helpers.ts';

const freshPath = (): string => join(temporaryFolder(), 'deep', 'er', 'swf.db');

const newest = schemaHistory.baseVersion + schemaHistory.steps.length;

/** A history of one table, and further steps. */
const historyOf = (...steps: string[]): SchemaHistory => ({
  baseVersion: 1,
  base: 'CREATE TABLE t (a TEXT) STRICT;',
  steps: steps.map((sql, index) => ({ name: `step ${index + 1}`, sql })),
});

describe('a store', () => {
  it('is created with its folders, accessible only to its owner', async () => {
    const path = freshPath();
    const store = await openStore(path);
    store.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('has the schema of the golden file', async () => {
    const store = await openStore(freshPath());
    const schema = store.db
      .prepare<[], { sql: string }>(
        `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name`,
      )
      .all()
      .map((row) => `${row.sql};`)
      .join('\n\n');
    store.close();
    await expect(`${schema}\n`).toMatchFileSnapshot('../golden/schema.sql');
  });

  // A new message type changes the conditions of partial indexes, and with them the schema.
  it('has the schema digest that is recorded for its version', () => {
    const digest = createHash('sha256').update(schemaHistory.base).digest('hex').slice(0, 16);
    const noted = JSON.parse(readFileSync('test/golden/schema-version.json', 'utf8')) as unknown;
    // If this fails, raise schemaVersion in src/db/migrations/schema.ts and record both in the JSON file.
    expect({ version: schemaHistory.baseVersion, digest }).toEqual(noted);
  });

  it('keeps its log when it is opened a second time', async () => {
    const { path, store } = await makeRunningStore();
    const rows = () => store.db.prepare('SELECT * FROM workflow_messages').all();
    const before = rows();
    const again = await openStore(path);
    again.close();
    expect(rows()).toEqual(before);
  });

  it('is migrated from an older version, with its data', async () => {
    const path = freshPath();
    const first = await openStore(path, { history: historyOf() });
    first.db.exec(`INSERT INTO t VALUES ('kept')`);
    first.close();
    const second = await openStore(path, {
      history: historyOf(`ALTER TABLE t ADD COLUMN b TEXT NOT NULL DEFAULT 'new'`),
    });
    expect(second.db.prepare('SELECT * FROM t').all()).toEqual([{ a: 'kept', b: 'new' }]);
    expect(second.db.pragma('user_version', { simple: true })).toBe(2);
    second.close();
  });

  it('keeps its old version if a migration step fails', async () => {
    const path = freshPath();
    (await openStore(path, { history: historyOf() })).close();
    const half = historyOf('CREATE TABLE u (a TEXT) STRICT; CREATE TABLE t (a TEXT) STRICT');
    await expect(openStore(path, { history: half })).rejects.toThrow();
    const db = openReader(path, historyOf());
    expect(db.prepare(`SELECT name FROM sqlite_schema WHERE name = 'u'`).all()).toEqual([]);
    db.close();
  });

  it('of an older version is refused by readers, which name the commands that migrate it', async () => {
    const path = freshPath();
    (await openStore(path, { history: historyOf() })).close();
    expect(() => openReader(path, historyOf('CREATE TABLE u (a TEXT) STRICT'))).toThrow(
      /^the store .* has schema version 1, this program needs 2; any command that writes/,
    );
  });

  it('can be created by several connections at once', async () => {
    const path = freshPath();
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(path)));
    for (const store of stores) store.close();
    const db = openReader(path);
    expect(db.pragma('user_version', { simple: true })).toBe(newest);
    db.close();
  });

  it('waits for another writer instead of failing', async () => {
    const { path, say, store } = await makeRunningStore();
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const recorded = say('stop_workflow', { command_id: 'x' });
    // Longer than one try inside SQLite.
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    other.exec('COMMIT');
    other.close();
    await expect(recorded).resolves.toMatchObject({ isNew: true });
    expect(store.db.inTransaction).toBe(false);
  });

  it('is not migrated again if another process has created it meanwhile and already writes', async () => {
    const { store } = await makeRunningStore();
    await store.write((tx) => registerProcess(tx, currentProcess(), '0.1.0'));
    await expect(store.write(() => migrate(store.db, store.path, schemaHistory))).resolves.toBeUndefined();
    store.close();
  });
});

describe('opening a store', () => {
  const makers: [what: string, make: (path: string) => void, code: RegExp][] = [
    [
      'a text file',
      (path) => writeFileSync(path, 'this is a text, and longer than the header of a SQLite file would be '.repeat(4)),
      /^STORE_UNAVAILABLE: .*not a store/,
    ],
    ['a folder', (path) => mkdirSync(path), /^STORE_UNAVAILABLE: .*(folder|not a file)/],
    [
      'a SQLite file of another program',
      (path) => {
        const db = new Database(path);
        db.exec('CREATE TABLE recipes (name TEXT)');
        db.close();
      },
      /^STORE_UNAVAILABLE: .*another program/,
    ],
    [
      'a newer store',
      (path) => {
        const db = new Database(path);
        db.pragma(`application_id = 1398228589`);
        db.pragma(`user_version = ${newest + 1}`);
        db.close();
      },
      /^STORE_TOO_NEW: .*newer swf-mcp/,
    ],
    [
      'a store of a version that was never released',
      (path) => {
        const db = new Database(path);
        db.exec('CREATE TABLE t (a TEXT)');
        db.pragma(`application_id = 1398228589`);
        db.pragma(`user_version = ${schemaHistory.baseVersion - 1}`);
        db.close();
      },
      /^STORE_TOO_OLD: .*use the swf-mcp that created it, or another --db file/,
    ],
  ];

  it.each(makers)('refuses %s in one line, for writers and readers, and leaves it unchanged', async (_, make, line) => {
    const folder = temporaryFolder();
    const path = join(folder, 'swf.db');
    make(path);
    const before = statSync(path).isFile() ? readFileSync(path) : undefined;
    for (const args of [['run', '--stf-count', '1', '--speed', 'max'], ['status'], ['resume', 'latest']]) {
      const { code, stdout, stderr } = await runCli(args, { folder });
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
      expect(stderr.trimEnd()).toMatch(line);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
    if (before !== undefined) expect(readFileSync(path)).toEqual(before);
  });

  it('accepts an empty file as a store to be created, but not for reading', async () => {
    const path = join(temporaryFolder(), 'swf.db');
    writeFileSync(path, '');
    expect(() => openReader(path)).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }));
    (await openStore(path)).close();
    openReader(path).close();
  });

  it('does not create a missing store for status, call or resume', async () => {
    const folder = temporaryFolder();
    for (const args of [['status'], ['call', 'list_messages'], ['resume', 'latest']]) {
      const { code, stderr } = await runCli(args, { folder });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^STORE_UNAVAILABLE: [^\n]*"swf-mcp run"[^\n]*\n$/);
    }
    expect(existsSync(join(folder, 'swf.db'))).toBe(false);
  });

  it('refuses a path below a file in one line', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const { code, stderr } = await runCli(['run', '--db', join(folder, 'file', 'swf.db'), '--speed', 'max'], {
      folder,
    });
    expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toMatch(/^STORE_UNAVAILABLE: /);
    chmodSync(folder, 0o700);
  });
});
