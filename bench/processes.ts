import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

import { initializeParams, stateless } from '../test/mcp/messages.ts';

export const cli = resolve('dist/cli.js');

/** Peak memory of a live process, in MB; undefined once it is gone. Linux only. */
export function peakMemory({ pid }: ChildProcess): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

/** The option that loads a module of the benchmark into a measured process. */
export const hook = (name: 'loop-delay' | 'lock-hold' | 'count-work'): string =>
  join(process.cwd(), process.env['SWF_BUNDLED'] ?? '', `${name}.js`);

interface MeasuredOptions {
  /** The program of another build. */
  program?: string;
  hooks?: readonly string[];
  env?: Record<string, string>;
}

/** Runs the command line to its end. Returns its JSON answer, if there is one, and its peak memory, in MB. */
export async function runMeasured(
  args: string[],
  { program = cli, hooks = [], env = {} }: MeasuredOptions = {},
): Promise<{ answer: Record<string, number>; peak: number }> {
  const loaded = hooks.flatMap((path) => ['--import', path]);
  const child = spawn(process.execPath, [...loaded, program, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });
  let peak = 0;
  const look = setInterval(() => (peak = peakMemory(child) ?? peak), 20);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number];
  clearInterval(look);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  return { answer: text.startsWith('{') ? (JSON.parse(text) as Record<string, number>) : {}, peak };
}

/** An MCP server on stdio that is called in bare JSON-RPC, so that no client is measured. */
export interface RawServer {
  child: ChildProcess;
  /** Makes one tool call; returns the whole answer as text. */
  call(name: string, args: object): Promise<string>;
  close(): Promise<void>;
}

/** Starts a server and does the handshake. */
export async function startServer(
  args: string[],
  env: Record<string, string>,
  era: 'handshake' | 'stateless' = 'handshake',
): Promise<RawServer> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ...env } });
  const lines: Interface = createInterface({ input: child.stdout });
  const waiting = new Map<number, (line: string) => void>();
  lines.on('line', (line) => {
    const id = Number(/"id":(\d+)/.exec(line.slice(-20))?.[1] ?? /"id":(\d+)/.exec(line)?.[1]);
    waiting.get(id)?.(line);
    waiting.delete(id);
  });
  let id = 0;
  const more = era === 'stateless' ? stateless : {};
  const request = (method: string, params: object): Promise<string> => {
    id += 1;
    const mine = id;
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: mine, method, params: { ...params, ...more } })}\n`);
    return new Promise((answer) => waiting.set(mine, answer));
  };
  if (era === 'stateless') await request('server/discover', {});
  else {
    await request('initialize', initializeParams);
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  }
  return {
    child,
    call: (name, arguments_) => request('tools/call', { name, arguments: arguments_ }),
    async close() {
      child.stdin.end();
      await once(child, 'close');
    },
  };
}
