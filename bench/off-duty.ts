import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Broker } from '../test/brokers/broker.ts';
import { brokerKinds } from '../test/brokers/kinds.ts';
import { temporaryFolder } from '../test/folder.ts';
import { monitorOf } from './monitor.ts';

/**
 * The pace of a worker with eight slots that has the payload, alone and beside one with eight slots that has not. Slices take a second. Seconds are those from
 * the first to the last slice; the floor is the pace alone in the same round.
 */
const only = process.argv[2];
const rounds = Number(process.argv[3] ?? 3);
const cli = process.env['SWF_BENCH_CLI'] ?? resolve('dist/cli.js');
const slots = 8;
const stfs = 10;

const sets = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair]);

async function measure(broker: Broker, isBeside: boolean): Promise<{ seconds: number; returned: number }> {
  const folder = temporaryFolder();
  const db = join(folder, 'swf.db');
  const children: ChildProcess[] = [];
  const payload = join(folder, 'recon.sh');
  writeFileSync(payload, '#!/bin/sh\nsleep 1\n', { mode: 0o755 });
  const common = sets(
    'testbed.namespace=duty',
    'broker.listen_seconds=0',
    `data.dir=${join(folder, 'files')}`,
    `fast_processing.target_worker_count=${slots}`,
    'daq_state_machine.stf_interval=0.2',
    ...['no_beam_not_ready_delay', 'beam_not_ready_delay', 'beam_ready_delay', 'broadcast_delay'].map(
      (key) => `daq_state_machine.${key}=0.2`,
    ),
  );
  const start = (args: string[], isReady: RegExp): Promise<ChildProcess> => {
    const env = { ...process.env, ...broker.env, SWF_DB: db, SWF_USER: 'bench' };
    const words = [cli, ...args, '--broker', broker.url, ...common];
    const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    children.push(child);
    return new Promise((ready) =>
      child.stderr.on('data', (chunk: Buffer) => void (isReady.test(String(chunk)) && ready(child))),
    );
  };
  const has = sets(`worker.payload=["${payload}"]`);
  try {
    const works = /works in namespace/;
    await start(['agent', 'worker', ...has], works);
    if (isBeside) await start(['agent', 'worker', '--index', '2'], works);
    const run = await start(
      ['run', '--json', '--speed', '1', '--stf-count', String(stfs), ...sets('agents.worker.enabled=false'), ...has],
      /execution/,
    );
    await new Promise((end) => run.once('close', end));
    const { slices_completed } = await monitorOf(db);
    if (slices_completed !== stfs * 15) throw new Error(`${slices_completed} slices were completed`);
    const { default: Database } = await import('better-sqlite3');
    const store = new Database(db, { readonly: true });
    const seconds = store
      .prepare(`SELECT unixepoch(max(completed_at), 'subsec') - unixepoch(min(assigned_at), 'subsec') FROM tf_slices`)
      .pluck()
      .get() as number;
    const returned = store
      .prepare(`SELECT count(*) FROM workflow_messages WHERE message_type = 'slice_returned'`)
      .pluck();
    const found = { seconds, returned: returned.get() as number };
    store.close();
    return found;
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

for (const { kind, missing, start } of brokerKinds) {
  if (missing() !== undefined || (only !== undefined && only !== kind)) continue;
  const broker = await start();
  try {
    const pairs: { alone: number; beside: number; returned: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const alone = await measure(broker, false);
      const beside = await measure(broker, true);
      pairs.push({ alone: alone.seconds, beside: beside.seconds, returned: beside.returned });
    }
    const of = (key: 'alone' | 'beside' | 'returned'): number => median(pairs.map((pair) => pair[key]));
    const ratio = median(pairs.map(({ alone, beside }) => alone / beside));
    console.log(
      `${kind.padEnd(10)}  alone ${of('alone').toFixed(1)} s, beside ${slots} slots that are off duty ${of('beside').toFixed(1)} s: pace ${ratio.toFixed(2)} of alone; ${of('returned')} slices came back`,
    );
  } finally {
    await broker.stop();
  }
}
