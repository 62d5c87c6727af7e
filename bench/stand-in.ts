import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { temporaryFolder } from '../test/folder.ts';
import { Player, readCalls } from '../test/stand-in/player.ts';
import { quantile } from './figure.ts';

/**
 * How long `observe --api` takes to answer the fork's recorded calls at a given rate; the store has each write
 * before its answer. The floor is a bare HTTP server, in the same run, that answers each call with an empty object.
 */
const rate = Number(process.argv[2] ?? 40);
const seconds = Number(process.argv[3] ?? 60);

/** Makes one call after the other, each when it is due. Returns how long the answers took, in milliseconds. */
async function answersOf(root: string): Promise<number[]> {
  const calls = await readCalls('F-2');
  const player = new Player(root);
  const began = performance.now();
  for (let n = 0; n < rate * seconds; n += 1) {
    await delay(Math.max(0, began + (n / rate) * 1000 - performance.now()));
    await player.play(calls.slice(n % calls.length, (n % calls.length) + 1));
  }
  return player.took.map((one) => one * 1000);
}

function report(name: string, took: readonly number[]): void {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((part) => quantile(took, part).toFixed(1));
  console.log(`${name.padEnd(10)} ${took.length} answers: p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`);
}

const bare = createServer((request, response) => {
  request.resume().on('end', () => response.setHeader('Content-Type', 'application/json').end('{}'));
});
await new Promise<void>((resolve_) => bare.listen(0, '127.0.0.1', resolve_));
report('floor', await answersOf(`http://127.0.0.1:${(bare.address() as AddressInfo).port}`));
bare.close();
bare.closeAllConnections();

const store = join(temporaryFolder(), 'swf.db');
const observer = spawn(process.execPath, [resolve('dist/cli.js'), '--db', store, 'observe', '--api', '0'], {
  env: { ...process.env, SWF_MONITOR_TOKEN: 'secret' },
  stdio: ['ignore', 'ignore', 'pipe'],
});
const root = await new Promise<string>((resolve_) => {
  observer.stderr.on('data', (text: Buffer) => {
    const [, url] = /stands in for swf-monitor at (\S+)\//.exec(text.toString()) ?? [];
    if (url !== undefined) resolve_(url);
  });
});
report('--api', await answersOf(root));
observer.kill('SIGTERM');
