import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Broker } from '../test/brokers/broker.ts';
import { brokerKinds } from '../test/brokers/kinds.ts';
import { temporaryFolder } from '../test/folder.ts';

const cli = process.env['SWF_BENCH_CLI'] ?? resolve('dist/cli.js');

/** Settings as `--set` arguments. */
export const sets = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair]);

/** Processes of the command line that use one broker and share a folder. */
interface Site {
  folder: string;
  /** The recorder's store. */
  db: string;
  /** Starts a command. Resolves when the command has reported that it is ready. */
  start: (args: string[], isReady: RegExp) => Promise<ChildProcess>;
}

/** Does work at a site that begins a run at once; afterwards its processes are killed and its folder is removed. */
export async function atSite<T>(
  broker: Broker,
  settings: readonly string[],
  work: (site: Site) => Promise<T>,
): Promise<T> {
  const folder = temporaryFolder();
  const db = join(folder, 'swf.db');
  const common = sets(
    'broker.listen_seconds=0',
    `data.dir=${join(folder, 'files')}`,
    ...['no_beam_not_ready_delay', 'beam_not_ready_delay', 'beam_ready_delay', 'broadcast_delay'].map(
      (key) => `daq_state_machine.${key}=0.2`,
    ),
    ...settings,
  );
  const children: ChildProcess[] = [];
  const start: Site['start'] = (args, isReady) => {
    const env = { ...process.env, ...broker.env, SWF_DB: db, SWF_USER: 'bench' };
    const words = [cli, ...args, '--broker', broker.url, ...common];
    const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    children.push(child);
    return new Promise((ready, fail) => {
      child.stderr.on('data', (chunk: Buffer) => void (isReady.test(String(chunk)) && ready(child)));
      child.once('close', (code) => fail(new Error(`${args[0]} ended with ${code} before it was ready`)));
    });
  };
  try {
    return await work({ folder, db, start });
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Prints a line for each broker that is installed. @param only the one kind that is wanted */
export async function onEachBroker(
  only: string | undefined,
  measure: (broker: Broker) => Promise<string>,
): Promise<void> {
  for (const { kind, missing, start } of brokerKinds) {
    if (missing() !== undefined || (only !== undefined && only !== kind)) continue;
    const broker = await start();
    try {
      console.log(`${kind.padEnd(10)}  ${await measure(broker)}`);
    } finally {
      await broker.stop();
    }
  }
}
