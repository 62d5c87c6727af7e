import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { schemaVersion } from '../../src/db/migrations/schema.ts';
import { activeMq, startBroker } from '../brokers/activemq.ts';
import type { Broker } from '../brokers/broker.ts';
import { type Answer, cliPath, runCli, type Started, startProcess, temporaryFolder } from '../helpers.ts';
import { inProcess, outcome } from '../remote/outcome.ts';
import { sets, Site } from '../remote/site.ts';

const quick = sets('fast_processing.slice_processing_time=2', 'fast_processing.target_worker_count=8');

/** This program with one more schema migration, as the next release may have. */
function makeNewerBuild(): string {
  const packed = dirname(dirname(cliPath));
  const folder = temporaryFolder();
  for (const name of ['dist', 'workflows', 'package.json'])
    cpSync(join(packed, name), join(folder, name), { recursive: true });
  symlinkSync(join(packed, 'node_modules'), join(folder, 'node_modules'));
  const step = `steps:[{name:"test",sql:"ALTER TABLE workflow_executions ADD COLUMN note TEXT"}]`;
  let changed = 0;
  const built = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' });
  for (const name of built.filter((each) => each.endsWith('.js'))) {
    const path = join(folder, 'dist', name);
    const text = readFileSync(path, 'utf8');
    if (!text.includes('steps:[]')) continue;
    writeFileSync(path, text.replaceAll('steps:[]', step));
    changed += 1;
  }
  if (changed === 0) throw new Error('the build has no list of steps to add to');
  return join(folder, 'dist/cli.js');
}

describe.skipIf(activeMq.missing() !== undefined)('an upgrade', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.stop());

  const versionOf = (folder: string): unknown => {
    const db = new Database(join(folder, 'swf.db'), { readonly: true });
    try {
      return db.pragma('user_version', { simple: true });
    } finally {
      db.close();
    }
  };

  it('waits for the recorder of the older version, then migrates the store and resumes its run', async () => {
    const newer = makeNewerBuild();
    const here = new Site(() => broker, quick);
    const older = await here.recorder();
    await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker')]);
    const recorder = (): Started => {
      const args = [
        'agent',
        'daq_simulator',
        '--broker',
        broker.url,
        ...sets(`testbed.namespace=${here.namespace}`),
        ...quick,
      ];
      return startProcess(process.execPath, [newer, ...args], { folder: here.folder, env: broker.env });
    };
    const ask = sets(`testbed.namespace=${here.namespace}`);
    await here.request({ stf_count: 20 }, 5);
    await expect.poll(async () => (await here.monitor())['slices_completed']).toBeGreaterThan(10);
    const early = await recorder().finished;
    expect(early).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(
        new RegExp(`STORE_IN_USE: the store .* is written by process ${older.child.pid} on .*swf-mcp`),
      ),
    });
    expect(versionOf(here.folder)).toBe(schemaVersion);
    older.child.kill('SIGTERM');
    expect(await older.finished).toMatchObject({ code: 0 });
    const next = recorder();
    await next.saw(/is resumed: its driver was gone/);
    expect(versionOf(here.folder)).toBe(schemaVersion + 1);
    const env = { ...broker.env };
    const status = async (): Promise<Answer> => {
      const { stdout } = await startProcess(process.execPath, [newer, 'status', '--json', 'latest'], {
        folder: here.folder,
        env,
      }).finished;
      return JSON.parse(stdout) as Answer;
    };
    await expect
      .poll(status, { interval: 500 })
      .toMatchObject({ status: 'completed', slices_completed: 300, slices_failed: 0 });
    next.child.kill('SIGTERM');
    await next.finished;
    // A forgotten process of the older version says so and leaves the store alone.
    const { code, stderr } = await runCli(['agent', 'daq_simulator', '--broker', broker.url, ...ask], {
      folder: here.folder,
      env,
    });
    expect({ code, stderr }).toMatchObject({ code: 75, stderr: expect.stringMatching(/^STORE_TOO_NEW: /m) });
    const db = new Database(join(here.folder, 'swf.db'));
    db.pragma(`user_version = ${schemaVersion}`);
    db.close();
    expect(await outcome(here.folder)).toEqual(await inProcess(20, ...quick));
  });

  it('of the store under a recorder ends it within five seconds, and nothing more is written', async () => {
    const here = new Site(() => broker, quick);
    const recorder = await here.recorder();
    await here.request({ stf_count: 100 }, 1);
    await expect.poll(async () => (await here.askAll('list_stf_files')).length).toBeGreaterThan(0);
    // Its last messages cannot be confirmed: nothing is left to wait for.
    await broker.kill();
    const db = new Database(join(here.folder, 'swf.db'));
    db.pragma('busy_timeout = 5000');
    db.pragma('user_version = 99');
    const newest = db.prepare('SELECT max(seq) AS seq FROM message_rows').get();
    const began = performance.now();
    const { code, stderr } = await recorder.finished;
    expect({ code, stderr }).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/STORE_TOO_NEW: .* 99 /),
    });
    expect(performance.now() - began).toBeLessThan(5000);
    expect(stderr.match(/STORE_TOO_NEW/g)).toHaveLength(1);
    expect(db.prepare('SELECT max(seq) AS seq FROM message_rows').get()).toEqual(newest);
    db.close();
    await broker.start();
  });
});
