import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Broker } from '../test/brokers/broker.ts';
import { brokerKinds } from '../test/brokers/kinds.ts';
import { temporaryFolder } from '../test/folder.ts';
import { monitorOf } from './monitor.ts';

/**
 * The highest rate that the experiment names: 116 slices a second, for 300 slots of ten worker processes, with files and the placeholder payload. They keep
 * up where the delay to a slice's start does not grow: slots are free for 232 slices at a time.
 */
const seconds = Number(process.argv[2] ?? 60);
const only = process.argv[3];
const rate = 116;
const slicesAnStf = 15;
const [processes, slots] = [10, 30];
const sliceSeconds = 2;
const cli = resolve('dist/cli.js');

const sets = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair]);

async function keepUp(broker: Broker): Promise<string> {
  const folder = temporaryFolder();
  const db = join(folder, 'swf.db');
  const children: ChildProcess[] = [];
  const start = (args: string[], isReady: RegExp): Promise<ChildProcess> => {
    const env = { ...process.env, ...broker.env, SWF_DB: db, SWF_USER: 'bench' };
    const words = [cli, ...args, '--broker', broker.url, ...common];
    const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    children.push(child);
    return new Promise((ready) =>
      child.stderr.on('data', (chunk: Buffer) => void (isReady.test(String(chunk)) && ready(child))),
    );
  };
  const common = sets(
    'testbed.namespace=ceiling',
    'broker.listen_seconds=0',
    `data.dir=${join(folder, 'files')}`,
    `fast_processing.target_worker_count=${slots}`,
    `fast_processing.slice_processing_time=${sliceSeconds}`,
    `daq_state_machine.stf_interval=${slicesAnStf / rate}`,
    ...['no_beam_not_ready_delay', 'beam_not_ready_delay', 'beam_ready_delay', 'broadcast_delay'].map(
      (key) => `daq_state_machine.${key}=0.2`,
    ),
  );
  try {
    const works = /works in namespace/;
    await Promise.all(['data', 'fastmon'].map((type) => start(['agent', type], works)));
    for (let index = 1; index <= processes; index += 1)
      await start(['agent', 'worker', '--index', String(index)], works);
    const stfs = Math.round((seconds * rate) / slicesAnStf);
    const elsewhere = sets('agents.data.enabled=false', 'agents.fastmon.enabled=false', 'agents.worker.enabled=false');
    const run = await start(['run', '--json', '--speed', '1', '--stf-count', String(stfs), ...elsewhere], /execution/);
    await new Promise((end) => run.once('close', end));
    const { latency, slices_completed, slices_failed, duration_seconds } = await monitorOf(db);
    const delay = latency.find(({ stage }) => stage === 'slice → slice_started');
    if (slices_completed !== stfs * slicesAnStf || slices_failed > 0)
      throw new Error(`${slices_completed} slices were completed, ${slices_failed} failed`);
    const ms = (value: number | undefined): string => `${Math.round(1000 * (value ?? Number.NaN))} ms`;
    return `${slices_completed} slices in ${duration_seconds.toFixed(1)} s; slice → slice_started p50 ${ms(delay?.p50)}, p95 ${ms(delay?.p95)}, longest ${ms(delay?.max)}`;
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

console.log(
  `${rate} slices/s for ${seconds} s, of ${sliceSeconds} s each, ${processes} worker processes with ${slots} slots each`,
);
for (const { kind, missing, start } of brokerKinds) {
  if (missing() !== undefined || (only !== undefined && only !== kind)) continue;
  const broker = await start();
  try {
    console.log(`${kind.padEnd(10)}  ${await keepUp(broker)}`);
  } finally {
    await broker.stop();
  }
}
