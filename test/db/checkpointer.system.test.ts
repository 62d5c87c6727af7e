import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { startCli, temporaryFolder } from '../helpers.ts';

describe('the write-ahead log of a store', () => {
  it('is checkpointed by a thread during a run, and removed when the run ends', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'swf.db');
    const run = startCli(['run', '--speed', '20', '--stf-count', '40', '--set', 'data.write_files=false'], { folder });
    // A new store has one page. SQLite alone would checkpoint at 10,000 pages, which this run does not reach.
    await vi.waitFor(() => expect(statSync(path).size).toBeGreaterThan(100_000), { timeout: 120_000, interval: 50 });
    expect(statSync(`${path}-wal`).size).toBeLessThan(30e6);
    run.child.kill('SIGINT');
    expect((await run.finished).code).toBe(130);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it.each([
    ['cannot be created', 'class { constructor() { throw new Error("no thread") } }'],
    [
      'exits immediately',
      'class extends threads.Worker { constructor() { super("throw new Error()", { eval: true }) } }',
    ],
  ])('is removed after a complete run even if the checkpoint thread %s', async (_, worker) => {
    const folder = temporaryFolder();
    const hook = `import { createRequire, syncBuiltinESMExports } from 'node:module';
      const threads = createRequire('file:///')('node:worker_threads');
      threads.Worker = ${worker};
      syncBuiltinESMExports();`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}` };
    const args = ['run', '--json', '--speed', 'max', '--stf-count', '60', '--set', 'data.write_files=false'];
    const { code, stdout, stderr } = await startCli(args, { folder, env }).finished;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    // Each message once: a committed write that was taken for a failed one would be repeated.
    expect(JSON.parse(stdout)).toMatchObject({ slices_completed: 900, messages: 60 * 48 + 7 });
    expect(existsSync(join(folder, 'swf.db-wal'))).toBe(false);
  });

  it('is checkpointed by SQLite if the checkpoint thread cannot run', async () => {
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
