import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { schema } from '../../src/db/migrations/schema.ts';
import { createTables } from '../../src/db/opening/create-tables.ts';
import { openReader } from '../../src/db/opening/open-reader.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { oldestReadable, schemaVersion } from '../../src/db/opening/schema-version.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { codeOf, expectErrors } from '../codes.ts';
import { makeRunningStore, runCli, temporaryFolder } from '../helpers.ts';

const freshPath = (): string => join(temporaryFolder(), 'deep', 'er', 'swf.db');

describe('a store', () => {
  it('is created with its folders, accessible only to its owner', async () => {
    const path = freshPath();
    const store = await openStore(path);
    store.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('has the schema in the golden file', async () => {
    const store = await openStore(freshPath());
    const made = store.db
      .prepare<[], { sql: string }>(
        `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name`,
      )
      .all()
      .map((row) => `${row.sql};`)
      .join('\n\n');
    store.close();
    await expect(`${made}\n`).toMatchFileSnapshot('../golden/schema.sql');
  });

  // A new message type changes the conditions of partial indexes, and with them the schema.
  it('has the schema digest that is recorded for its version', () => {
    const digest = createHash('sha256').update(schema).digest('hex').slice(0, 16);
    const noted = JSON.parse(readFileSync('test/golden/schema-version.json', 'utf8')) as unknown;
    // If this fails, raise schemaVersion in src/db/opening/schema-version.ts and record both in the JSON file.
    expect({ version: schemaVersion, digest }).toEqual(noted);
  });

  it('keeps its log when it is opened again', async () => {
    const { path, store } = await makeRunningStore();
    const rows = () => store.db.prepare('SELECT * FROM workflow_messages').all();
    const before = rows();
    const again = await openStore(path);
    again.close();
    expect(rows()).toEqual(before);
  });

  it('can be created by several connections at once', async () => {
    const path = freshPath();
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(path)));
    for (const store of stores) store.close();
    const db = openReader(path);
    expect(db.pragma('user_version', { simple: true })).toBe(schemaVersion);
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

  it('is not created again if another process has just created it and written to it', async () => {
    const { store } = await makeRunningStore();
    await store.write((tx) => registerProcess(tx, currentProcess(), '0.1.0'));
    await expect(store.write(() => createTables(store.db))).resolves.toBeUndefined();
    store.close();
  });
});

function makeOlder(path: string, version: number) {
  const db = new Database(path);
  db.exec('CREATE TABLE t (a TEXT)');
  db.pragma(`application_id = 1398228589`);
  db.pragma(`user_version = ${version}`);
  db.close();
}

describe('opening a store', () => {
  const makers: [what: string, make: (path: string) => void][] = [
    [
      'a text file',
      (path) => writeFileSync(path, 'this is a text, and longer than the header of a SQLite file would be '.repeat(4)),
    ],
    ['a folder', (path) => mkdirSync(path)],
    [
      'a SQLite file of another program',
      (path) => {
        const db = new Database(path);
        db.exec('CREATE TABLE recipes (name TEXT)');
        db.close();
      },
    ],
    [
      'a newer store',
      (path) => {
        const db = new Database(path);
        db.pragma(`application_id = 1398228589`);
        db.pragma(`user_version = ${schemaVersion + 1}`);
        db.close();
      },
    ],
    ['an older store', (path) => makeOlder(path, schemaVersion - 1)],
    ['a store that is too old to be upgraded', (path) => makeOlder(path, oldestReadable - 1)],
  ];

  it('refuses a file that is not a store of this version, and leaves it unchanged', async () => {
    const errors: Record<string, string> = {};
    for (const [what, make] of makers) {
      const folder = temporaryFolder();
      const path = join(folder, 'swf.db');
      make(path);
      const before = statSync(path).isFile() ? readFileSync(path) : undefined;
      for (const args of [['run', '--stf-count', '1', '--speed', 'max'], ['status'], ['resume', 'latest']]) {
        const { code, stdout, stderr } = await runCli(args, { folder });
        expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
        errors[what] ??= stderr;
        expect(stderr).toBe(errors[what]);
      }
      if (before !== undefined) expect(readFileSync(path)).toEqual(before);
    }
    await expectErrors('stores', errors);
  });

  it('turns an empty file into a store for a writer, but refuses it for a reader', async () => {
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
      expect(codeOf(stderr)).toBe('STORE_UNAVAILABLE');
    }
    expect(existsSync(join(folder, 'swf.db'))).toBe(false);
  });

  it('refuses a path below a file, with a one-line error', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const { code, stderr } = await runCli(['run', '--db', join(folder, 'file', 'swf.db'), '--speed', 'max'], {
      folder,
    });
    expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(codeOf(stderr)).toBe('STORE_UNAVAILABLE');
    chmodSync(folder, 0o700);
  });
});
