import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import Database from 'better-sqlite3';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { startProcess, temporaryFolder } from '../helpers.ts';
import { rows, slowHistory } from './migrating.ts';

/** Beside node_modules, so that the packages are found. */
const folder = mkdtempSync('dist-migrating-');
const program = join(folder, 'migrating.js');

beforeAll(async () => {
  await build({
    entryPoints: ['test/db/migrating.ts'],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a store whose migration is killed', () => {
  it('has all of the step or none of it, keeps its rows, and is migrated by the next process', async () => {
    const path = join(temporaryFolder(), 'swf.db');
    const old = await openStore(path, { history: { ...slowHistory, steps: [] } });
    old.db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO t (n, a) SELECT i, 'row ' FROM n`);
    old.close();
    const versions: unknown[] = [];
    for (const after of [20, 60, 120, 200]) {
      const migrating = startProcess(process.execPath, [program, path], { folder: process.cwd() });
      await migrating.saw(/begins/);
      await delay(after);
      migrating.child.kill('SIGKILL');
      await migrating.finished;
      const db = new Database(path);
      const version = db.pragma('user_version', { simple: true });
      const tables = db.prepare(`SELECT count(*) FROM sqlite_schema WHERE name IN ('done', 't_b')`).pluck().get();
      versions.push(version);
      // All of the step, or nothing.
      expect([
        [1, 0],
        [2, 2],
      ]).toContainEqual([version, tables]);
      expect(db.prepare('SELECT count(*) FROM t').pluck().get()).toBe(rows);
      db.close();
    }
    // A kill that comes too late proves nothing.
    expect(versions).toContain(1);
    (await openStore(path, { history: slowHistory })).close();
    const db = new Database(path);
    expect(db.prepare('SELECT b FROM t WHERE n = 7').pluck().get()).toBe('row 7');
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    db.close();
  });
});
