import { type ChildProcess, spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import Database from 'better-sqlite3';

import { temporaryFolder } from '../test/folder.ts';
import { below, printTable, quantile } from './figure.ts';
import { cli, hook, peakMemory } from './processes.ts';

/**
 * A run at the highest rate that an ePIC-scale run reaches, while many clients ask: npm run bench:steady
 * [-- SECONDS]. Measures how late another process sees each message, counted from the moment at which the
 * message was due by the workflow's clock.
 */
const seconds = Number(process.argv[2] ?? 600);
const rate = 250;
const clients = 16;
/** How often each client asks, in milliseconds: an assistant that watches asks no more often. */
const pause = 250;
const pollMilliseconds = 5;

const messagesPerStf = 48;
const stfInterval = 2;
const speed = (rate / messagesPerStf) * stfInterval;

const folder = temporaryFolder();
const db = join(folder, 'swf.db');
const loopDelay = join(folder, 'loop-delay.json');
const env = { ...process.env, SWF_DB: db, SWF_USER: 'bench' };

function startRun(): ChildProcess {
  const sets = [
    'fast_processing.target_worker_count=300',
    `fast_processing.stf_count=${Math.ceil((seconds * rate) / messagesPerStf)}`,
  ];
  const args = ['run', '--json', '--speed', String(speed), ...sets.flatMap((set) => ['--set', set])];
  return spawn(process.execPath, ['--import', hook('loop-delay'), cli, ...args], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...env, SWF_LOOP_DELAY: loopDelay },
  });
}

async function startServer(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [cli, 'serve', '--http', '127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  });
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = /http:\S+\/mcp/.exec(said)?.[0];
      if (found !== undefined) resolve(found);
    });
    child.once('close', () => reject(new Error(`the server has ended: ${said}`)));
  });
  return { child, url };
}

const questions: [string, object][] = [
  ['get_workflow_monitor', { execution_id: 'latest' }],
  ['list_messages', { start_time: '-15m' }],
  ['list_tf_slices', { execution_id: 'latest', status: 'processing' }],
  ['list_logs', { level: 'WARNING' }],
  ['list_messages', { search: 'slice_result' }],
  ['list_agents', {}],
];

/** Asks repeatedly until it is stopped. Returns how long each answer took, in milliseconds. */
async function askOn(url: string, place: number, stopping: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  for (let call = place; !stopping.aborted; call += 1) {
    const [name, args] = questions[call % questions.length] as (typeof questions)[number];
    const body = JSON.stringify({ jsonrpc: '2.0', id: call, method: 'tools/call', params: { name, arguments: args } });
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const began = performance.now();
    const answer = await fetch(url, { method: 'POST', headers, body });
    const text = await answer.text();
    times.push(performance.now() - began);
    if (!answer.ok || text.includes('"isError":true')) throw new Error(text.slice(0, 300));
    await delay(pause, undefined, { signal: stopping }).catch(() => {});
  }
  return times;
}

interface Seen {
  tick: number;
  at: number;
}

/**
 * Reads the log as another process until it is stopped. Returns at what tick each message was due, and when
 * it was seen.
 */
async function watch(stopping: AbortSignal): Promise<Seen[]> {
  const reader = new Database(db, { readonly: true });
  const next = reader.prepare<[number], { seq: number; tick: number | null }>(
    `SELECT seq, CAST(simulation_tick AS REAL) AS tick FROM workflow_messages WHERE seq > ? ORDER BY seq`,
  );
  const seen: Seen[] = [];
  // A message that was recorded before reading began does not count as seen late.
  let last = reader.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM workflow_messages').pluck().get() ?? 0;
  while (!stopping.aborted) {
    const at = Date.now();
    for (const { seq, tick } of next.all(last)) {
      last = seq;
      if (tick !== null) seen.push({ tick, at });
    }
    await delay(pollMilliseconds);
  }
  reader.close();
  return seen;
}

const run = startRun();
const ended = once(run, 'close');
await delay(2000);
const server = await startServer();
const stopping = new AbortController();
setMaxListeners(0, stopping.signal);
const asking = Array.from({ length: clients }, (_, place) => askOn(server.url, place, stopping.signal));
const watching = watch(stopping.signal);
let peak = 0;
const look = setInterval(() => (peak = peakMemory(run) ?? peak), 1000);
const [code] = (await ended) as [number];
clearInterval(look);
await delay(100);
stopping.abort();
const answers = (await Promise.all(asking)).flat();
const seen = await watching;
const serverPeak = peakMemory(server.child) ?? NaN;
server.child.kill();
if (code !== 0) throw new Error(`the run ended with ${code}`);

// When the clock began is unknown, but no message can be seen before it is due.
const begin = quantile(
  seen.map(({ tick, at }) => at - (tick / speed) * 1000),
  0,
);
const lags = seen.map(({ tick, at }) => at - (tick / speed) * 1000 - begin);
const span = ((seen.at(-1)?.at ?? 0) - (seen[0]?.at ?? 0)) / 1000;
const loop = JSON.parse(readFileSync(loopDelay, 'utf8')) as { p99: number; max: number };
console.log(`${seen.length} messages in ${span.toFixed(0)} s, while ${clients} clients made ${answers.length} calls\n`);
printTable([
  { figure: 'messages a second', unit: 'messages/s', ours: seen.length / span },
  { figure: 'delay from due to seen by another process, p50', unit: 'ms', ours: quantile(lags, 0.5) },
  { figure: 'delay from due to seen by another process, p99', unit: 'ms', ours: quantile(lags, 0.99), aim: below(100) },
  { figure: 'longest delay', unit: 'ms', ours: Math.max(0, quantile(lags, 1)) },
  { figure: 'event loop of the run stood still, p99', unit: 'ms', ours: loop.p99 },
  { figure: 'event loop of the run stood still, longest', unit: 'ms', ours: loop.max, aim: below(50) },
  { figure: 'answers to clients, p50', unit: 'ms', ours: quantile(answers, 0.5) },
  { figure: 'answers to clients, p99', unit: 'ms', ours: quantile(answers, 0.99) },
  { figure: 'peak memory of the run', unit: 'MB', ours: peak, aim: below(250) },
  { figure: 'peak memory of the server', unit: 'MB', ours: serverPeak, aim: below(150) },
]);
