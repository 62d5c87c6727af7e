import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { openStore } from '../../src/db/sqlite/open-store.ts';
import { startCli, temporaryFolder } from '../helpers.ts';

describe('the write-ahead log of a store', () => {
  it('is moved into the store by a thread while a run goes on, and is gone at its end', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'swf.db');
    const run = startCli(['run', '--speed', '20', '--stf-count', '40', '--set', 'data.write_files=false'], { folder });
    // A page is all that a new store has. SQLite alone would move the next ones when there are 10,000, which this run does not come to.
    await vi.waitFor(() => expect(statSync(path).size).toBeGreaterThan(100_000), { timeout: 30_000, interval: 50 });
    expect(statSync(`${path}-wal`).size).toBeLessThan(30e6);
    run.child.kill('SIGINT');
    expect((await run.finished).code).toBe(130);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it('is moved by SQLite itself where the thread cannot run, as in a process that has no bundle', async () => {
    const path = join(temporaryFolder(), 'swf.db');
    const store = await openStore(path);
    const write = (number: number) =>
      store.write(({ sql }) => {
        sql(`INSERT INTO store_meta (key, value) VALUES (?, ?)`).run(`note ${number}`, 'x'.repeat(400_000));
      });
    for (let number = 0; number < 100; number += 1) await write(number);
    await vi.waitFor(() => expect(store.db.pragma('wal_autocheckpoint', { simple: true })).toBe(3000));
    await write(100);
    expect(statSync(path).size).toBeGreaterThan(30e6);
    store.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});
