import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { parseBrokerUrl } from '../../src/broker/address.ts';
import type { BrokerSettings } from '../../src/broker/connection.ts';
import type { DialectName } from '../../src/broker/dialect-names.ts';

/** A real broker on a loopback port with a folder of its own. */
export interface Broker {
  kind: DialectName;
  port: number;
  url: string;
  user: string;
  password: string;
  /** Environment that lets `--broker` log in. */
  env: Record<string, string>;
  settings: BrokerSettings;
  child(): ChildProcess;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** While it is down: everything that it had kept is gone. */
  loseDisk(): void;
}

/** A kind of broker for tests. */
export interface BrokerKind {
  kind: DialectName;
  /** Why it cannot run here, or undefined. In CI a missing broker is a failure. */
  missing: () => string | undefined;
  start: () => Promise<Broker>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

const user = 'swf';
const password = 'secret';

export const login = { user, password };

/** Runs a broker as a process in a folder of its own, where a crash leaves its dumps. */
export async function runBroker(
  kind: DialectName,
  port: number,
  program: { command: string; args: string[]; folder: string; env?: Record<string, string>; loseDisk: () => void },
): Promise<Broker> {
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const env = { ...process.env, ...program.env };
    child = spawn(program.command, program.args, { stdio: 'ignore', cwd: program.folder, env });
    await accepting(port, child);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  await start();
  const url = `stomp://127.0.0.1:${port}`;
  return {
    kind,
    port,
    url,
    ...login,
    env: { ACTIVEMQ_USER: user, ACTIVEMQ_PASSWORD: password },
    settings: { servers: parseBrokerUrl(url), ...login, heartbeatSeconds: 30 },
    child: () => child,
    kill: () => end('SIGKILL'),
    start,
    stop: () => end('SIGTERM'),
    loseDisk: program.loseDisk,
  };
}

/** Resolves when a broker answers CONNECT: some accept connections long before they do. */
async function accepting(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}`);
    if (await answers(port)) return;
    await delay(50);
  }
  throw new Error('the broker did not start within a minute');
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.on('connect', () =>
    socket.write(`CONNECT\naccept-version:1.2\nhost:/\nlogin:${user}\npasscode:${password}\n\n\0`),
  );
  const word = await Promise.race([
    once(socket, 'data').then(([data]: Buffer[]) => String(data)),
    once(socket, 'error').then(() => ''),
    once(socket, 'close').then(() => ''),
    delay(2000).then(() => ''),
  ]).catch(() => '');
  socket.destroy();
  return word.startsWith('CONNECTED');
}
