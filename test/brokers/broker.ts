import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { parseBrokerUrl } from '../../src/broker/address.ts';
import type { BrokerSettings, DialectName } from '../../src/broker/connection.ts';

/** A real broker on a loopback port with its own folder. */
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
  /** Deletes everything that it has stored, while it is down. */
  loseDisk(): void;
}

/** Where a broker runs: an address that it listens on, and how a program is started there. */
interface BrokerPlace {
  address: string;
  within: (command: string, args: string[]) => { command: string; args: string[] };
}

/** This machine, not reachable from others. */
export const loopback: BrokerPlace = { address: '127.0.0.1', within: (command, args) => ({ command, args }) };

/** A kind of broker for tests. */
export interface BrokerKind {
  kind: DialectName;
  /** Why it cannot run here, or undefined. In CI a missing broker is a failure. */
  missing: () => string | undefined;
  start: (place?: BrokerPlace) => Promise<Broker>;
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

/** Options for a JVM that runs for seconds: compiling less halves the processor time of a start. */
export const quickJvm = ['-Xms64M', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Runs a broker as a process in its own folder, where a crash leaves its dumps. */
export async function runBroker(
  kind: DialectName,
  port: number,
  program: { command: string; args: string[]; folder: string; env?: Record<string, string>; loseDisk: () => void },
  { address, within }: BrokerPlace,
): Promise<Broker> {
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const env = { ...process.env, ...program.env };
    const { command, args } = within(program.command, program.args);
    child = spawn(command, args, { stdio: 'ignore', cwd: program.folder, env });
    await accepting({ address, port }, child);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  await start();
  const url = `stomp://${address}:${port}`;
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

interface Listener {
  address: string;
  port: number;
}

/** Resolves when a broker answers CONNECT: some accept connections long before they do. */
async function accepting(at: Listener, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}`);
    if (await answers(at)) return;
    await delay(50);
  }
  throw new Error('the broker did not start within two minutes');
}

async function answers({ address, port }: Listener): Promise<boolean> {
  const socket = connect(port, address);
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
