import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { type Ended, startCli, storeIn } from '../../faults/cli.ts';
import { startBroker } from '../brokers/activemq.ts';
import type { Broker } from '../brokers/broker.ts';
import { temporaryFolder } from '../folder.ts';
import { type HistoryRow, readHistory, replay } from './log-file.ts';
import { outcomeOf } from './outcome.ts';

/**
 * Makes the recorded histories anew: real executions, their logs, and the outcome of reading these. Only for a new kind of history, or if
 * the meaning of a log is changed on purpose: `npm run histories` makes those that are missing.
 */
const target = resolve('test/histories');

const set = (key: string, value: string | number | boolean): string[] => ['--set', `${key}=${value}`];

async function finish(folder: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  Object.assign(process.env, env);
  return startCli(folder, args).ended;
}

/** Waits until the monitor of the last execution has these values. */
async function until(folder: string, fits: (monitor: Record<string, unknown>) => boolean): Promise<void> {
  for (;;) {
    const { stdout } = await finish(folder, ['call', 'get_workflow_monitor', '{"execution_id":"latest"}']);
    if (stdout !== '' && fits(JSON.parse(stdout) as Record<string, unknown>)) return;
    await delay(50);
  }
}

async function complete(folder: string): Promise<void> {
  await finish(folder, ['run', '--stf-count', '3', '--speed', 'max']);
}

async function sampled(folder: string): Promise<void> {
  const sets = [
    ...set('fast_processing.stf_sampling_rate', 0.4),
    ...set('fast_processing.physics_period_count', 3),
    ...set('fastmon.tf_samples_per_stf', 2),
    ...set('fast_processing.slices_per_sample', 4),
  ];
  await finish(folder, ['run', '--stf-count', '5', '--speed', 'max', ...sets]);
}

async function pausedAndStopped(folder: string): Promise<void> {
  const sets = [
    ...set('fast_processing.slice_processing_time', 20),
    ...set('fast_processing.target_worker_count', 4),
    ...set('fast_processing.slices_per_sample', 3),
  ];
  const run = startCli(folder, ['run', '--stf-count', '30', '--speed', '10', ...sets]);
  await until(folder, ({ stf_count }) => (stf_count as number) >= 2);
  await finish(folder, ['pause', 'latest']);
  await finish(folder, ['pause', 'latest']);
  await finish(folder, ['continue', 'latest']);
  await until(folder, ({ slices_processing, slices_completed }) => slices_processing === 4 && slices_completed !== 0);
  await finish(folder, ['stop', 'latest', '--reason', 'the beam is gone']);
  await run.ended;
}

/** Fails every fifth slice once, and slice 2 always. */
const payload = `#!/bin/sh
case "$SWF_SLICE_ID/$SWF_ATTEMPT" in
  2/*) echo "no vertex" >&2; exit 3 ;;
  0/1) exit 1 ;;
esac
echo done > result.txt
`;

async function failingWithRetries(folder: string): Promise<void> {
  const script = join(folder, 'recon.sh');
  writeFileSync(script, payload);
  chmodSync(script, 0o755);
  const sets = [
    ...set('worker.payload', '["./recon.sh"]'),
    ...set('worker.max_retries', 2),
    ...set('fast_processing.slices_per_sample', 4),
  ];
  await finish(folder, ['run', '--stf-count', '2', '--speed', 'max', ...sets]);
}

async function overBrokerWithKills(folder: string, broker: Broker): Promise<void> {
  const common = [
    '--broker',
    broker.url,
    ...set('testbed.namespace', 'history'),
    ...set('fast_processing.slice_processing_time', 4),
    ...set('fast_processing.target_worker_count', 3),
    ...set('fast_processing.slices_per_sample', 6),
  ];
  const agent = (type: string, index = 1) =>
    startCli(folder, [
      'agent',
      type,
      '--index',
      String(index),
      ...common,
      ...set('data.dir', join(folder, 'swf.db.data')),
    ]);
  Object.assign(process.env, broker.env);
  const agents = [agent('data'), agent('fastmon'), agent('worker'), agent('worker', 2)];
  await delay(1500);
  const enabled = ['data', 'fastmon', 'worker'].flatMap((type) => set(`agents.${type}.enabled`, false));
  const run = startCli(folder, ['run', '--stf-count', '6', '--speed', '10', ...common, ...enabled]);
  await until(folder, ({ slices_processing }) => (slices_processing as number) > 3);
  agents[2]?.child.kill('SIGKILL');
  agents.push(agent('worker'));
  await delay(500);
  run.child.kill('SIGKILL');
  await run.ended;
  agents[0]?.child.kill('SIGKILL');
  agents.push(agent('data'));
  await delay(500);
  await finish(folder, ['resume', 'latest', '--broker', broker.url]);
  for (const { child } of agents) child.kill('SIGTERM');
  await Promise.all(agents.map(({ ended }) => ended));
}

/** An STF file that is damaged before it is measured: the data agent gives up. */
async function failed(folder: string): Promise<void> {
  const data = join(folder, 'swf.db.data', 'stf_datataking-tester-0001');
  const run = startCli(folder, [
    'run',
    '--stf-count',
    '20',
    '--speed',
    '5',
    ...set('fast_processing.slices_per_sample', 3),
  ]);
  await until(folder, ({ stf_count }) => (stf_count as number) >= 2);
  // Nobody can read a folder as a file.
  for (let sequence = 3; sequence < 8; sequence += 1) {
    const path = join(data, `swf.100010.${String(sequence).padStart(6, '0')}.stf`);
    if (!existsSync(path)) mkdirSync(path);
  }
  await run.ended;
}

const broker = await startBroker();
const makers: Record<string, (folder: string) => Promise<void>> = {
  complete,
  sampled,
  'paused-and-stopped': pausedAndStopped,
  'failing-with-retries': failingWithRetries,
  'over-broker-with-kills': (folder) => overBrokerWithKills(folder, broker),
  failed,
};
for (const [name, make] of Object.entries(makers)) {
  const [log, expected] = [join(target, `${name}.log.jsonl`), join(target, `${name}.expected.json`)];
  if (existsSync(log)) continue;
  const folder = temporaryFolder();
  await make(folder);
  const history = readHistory(storeIn(folder)).map((row) => withoutPlaces(row, folder));
  writeFileSync(log, history.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const again = join(temporaryFolder(), 'again.db');
  await replay(
    readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as HistoryRow),
    again,
  );
  writeFileSync(expected, `${JSON.stringify(outcomeOf(again), null, 1)}\n`);
  console.log(`${name}: ${history.length} messages`);
}
await broker.stop();

/** A history names no machine, folder or port of ours. */
function withoutPlaces(row: HistoryRow, folder: string): HistoryRow {
  const body = row.body
    .replaceAll(folder, '/data')
    .replaceAll(`"${hostname()}"`, '"daq01"')
    .replaceAll(/stomp:\/\/127\.0\.0\.1:\d+/g, 'stomp://broker:61613');
  return { ...row, body };
}
