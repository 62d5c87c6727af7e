import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { BrokerConnection } from '../src/broker/connection.ts';
import { connectByStomp } from '../src/broker/stomp-connection.ts';
import { openReader } from '../src/db/opening/open-reader.ts';
import { readRecordings } from '../src/observer/recording-reader.ts';
import { startArtemis } from '../test/brokers/artemis.ts';
import type { Broker } from '../test/brokers/broker.ts';
import { temporaryFolder } from '../test/folder.ts';

/**
 * Measures an observer that records what a producer sends at a given rate over Artemis, both on this
 * machine: how many messages are lost, and the observer's memory and processor time. The floor is a bare
 * subscriber in its own process, in the same round, which counts messages and writes nothing.
 */
const rate = Number(process.argv[2] ?? 500);
const seconds = Number(process.argv[3] ?? 60);
/** What to record to: `store`, or by default a recording. */
const target = process.argv[4] ?? 'recording';
const topic = '/topic/panda.slices';
const bodyBytes = 1200;
const batch = 20;

const body = (n: number): string => {
  const start = `{"msg_type":"slice","run_id":"1","namespace":"bench","n":${n},"content":{"filename":"`;
  return `${start}${'x'.repeat(bodyBytes - start.length - 4)}"}}`;
};

/** The floor costs the same per second, however long it is measured. */
const floorSeconds = Math.min(seconds, 60);

/** Sends `rate` messages a second for a time, in small batches, without waiting for receipts. */
async function produce(broker: BrokerConnection, duration: number): Promise<number> {
  const total = rate * duration;
  const began = performance.now();
  const sent: Promise<void>[] = [];
  for (let n = 0; n < total; n += batch) {
    const due = began + (n / rate) * 1000;
    const early = due - performance.now();
    if (early > 1) await delay(early);
    for (let at = n; at < Math.min(total, n + batch); at += 1)
      sent.push(
        broker.send({ destination: topic, headers: { msg_type: 'slice', namespace: 'bench' }, body: body(at) }),
      );
  }
  await Promise.all(sent);
  return total / ((performance.now() - began) / 1000);
}

interface Used {
  /** Peak resident size, in MB. */
  megabytes: number;
  /** Processor time, in seconds. */
  cpu: number;
}

function usedBy(pid: number): Used {
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return { megabytes: Number(peak) / 1024, cpu: (Number(fields[11]) + Number(fields[12])) / 100 };
}

/** Runs a listener while the producer sends everything. Returns what the listener used. */
async function beside(
  broker: Broker,
  words: string[],
  isReady: RegExp,
  duration: number,
): Promise<Used & { reached: number }> {
  const child = spawn(process.execPath, words, {
    env: { ...process.env, ...broker.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await new Promise<void>((ready) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => void (isReady.test(String(chunk)) && ready()));
  });
  const producer = connectByStomp(broker.settings, () => {});
  await producer.connect({ once: true });
  const reached = await produce(producer, duration);
  await producer.close();
  await delay(2000);
  const used = usedBy(child.pid ?? 0);
  const ended = new Promise((end) => child.once('close', end));
  child.kill('SIGTERM');
  await ended;
  return { ...used, reached };
}

async function heardIn(path: string): Promise<{ messages: number; gaps: number }> {
  const numbers = new Set<number>();
  let gaps = 0;
  for await (const read of readRecordings([path], ({ why }) => console.error(why)))
    if (read.kind === 'message' && 'body' in read.line) numbers.add((read.line.body as { n: number }).n);
    else if (read.kind === 'note' && 'gap' in read.line) gaps += 1;
  return { messages: numbers.size, gaps };
}

function recordedIn(store: string): { messages: number; gaps: number } {
  const sql = openReader(store);
  const count = (table: string): number => (sql.prepare(`SELECT count(*) FROM ${table}`).raw().get() as [number])[0];
  return { messages: count('message_rows'), gaps: count('gaps') };
}

const folder = temporaryFolder();
const broker = await startArtemis('site');
const path = join(folder, 'heard.jsonl.gz');
const db = join(folder, 'swf.db');
const cli = process.env['SWF_BENCH_CLI'] ?? resolve('dist/cli.js');
const ours = await beside(
  broker,
  [
    cli,
    'observe',
    '--broker',
    broker.url,
    '--topics',
    topic,
    ...(target === 'store' ? ['--db', db] : ['--record', path]),
  ],
  /listens to/,
  seconds,
);
const bare = await beside(
  broker,
  [resolve(process.env['SWF_BUNDLED'] ?? '.', 'bare-subscriber.js'), String(broker.port), topic],
  /listens/,
  floorSeconds,
);
await broker.stop();
const { messages, gaps } = target === 'store' ? recordedIn(db) : await heardIn(path);
console.log(
  JSON.stringify({
    rate,
    seconds,
    reached: Math.round(ours.reached),
    lost: rate * seconds - messages,
    gaps,
    megabytes: Math.round(ours.megabytes),
    bare_megabytes: Math.round(bare.megabytes),
    cpu_seconds: ours.cpu,
    bare_cpu_seconds: bare.cpu,
    ratio: Number((ours.cpu / seconds / (bare.cpu / floorSeconds)).toFixed(2)),
  }),
);
rmSync(folder, { recursive: true, force: true });
