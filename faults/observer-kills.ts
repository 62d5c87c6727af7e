import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { connectByStomp } from '../src/broker/stomp-connection.ts';
import { openReader } from '../src/db/opening/open-reader.ts';
import { startArtemis } from '../test/brokers/artemis.ts';
import { temporaryFolder } from '../test/folder.ts';

/**
 * Kills an observer repeatedly while a program sends messages over Artemis. Each message that was sent
 * while the observer listened, at least a second before a kill, must be in the store exactly once. `npm run
 * faults:observer -- KILLS`.
 */
const kills = Number(process.argv[2] ?? 20);
const topic = '/topic/epictopic';
const folder = temporaryFolder();
const store = join(folder, 'swf.db');
const broker = await startArtemis('site');
const peer = connectByStomp(broker.settings, () => {});
await peer.connect({ once: true });

let n = 0;
/** The numbers of the messages that must be in the store. */
const due = new Set<number>();

const say = (): Promise<void> => {
  n += 1;
  const body = {
    msg_type: 'stf_gen',
    namespace: 'epic',
    run_id: '1',
    execution_id: 'e',
    filename: `${n}.stf`,
    sequence: n,
  };
  return peer.send({ destination: topic, headers: {}, body: JSON.stringify(body) });
};

for (let kill = 0; kill < kills; kill += 1) {
  const words = [resolve('dist/cli.js'), 'observe', '--broker', broker.url, '--db', store];
  const observer = spawn(process.execPath, words, {
    env: { ...process.env, ...broker.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise<void>((listening) => {
    observer.stderr.on('data', (text: Buffer) => void (String(text).includes('listens to') && listening()));
  });
  const said: { number: number; at: number }[] = [];
  // The broker accepts the subscription a moment after the observer has sent it.
  await delay(100);
  const until = performance.now() + 1100 + Math.random() * 600;
  while (performance.now() < until) {
    await say();
    said.push({ number: n, at: performance.now() });
    await delay(5);
  }
  const ended = new Promise((end) => observer.once('close', end));
  observer.kill('SIGKILL');
  const killed = performance.now();
  await ended;
  for (const { number, at } of said) if (killed - at > 1000) due.add(number);
}
await peer.close();
await broker.stop();
const db = openReader(store);
const rows = db.prepare(`SELECT payload ->> '$.sequence' AS n FROM workflow_messages`).all() as { n: number }[];
const found = new Set(rows.map((row) => row.n));
const lost = [...due].filter((number) => !found.has(number));
const stfs = (db.prepare('SELECT count(*) AS n FROM stf_files').get() as { n: number }).n;
db.close();
console.log(
  JSON.stringify({
    kills,
    said: n,
    due: due.size,
    recorded: rows.length,
    lost: lost.length,
    twice: rows.length - found.size,
    stfs,
  }),
);
process.exitCode = lost.length === 0 && rows.length === found.size && stfs === rows.length ? 0 : 1;
