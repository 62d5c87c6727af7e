import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { onTestFinished } from 'vitest';

import { openReader } from '../src/db/opening/open-reader.ts';
import { createPasts } from '../src/db/past-queries.ts';
import { createQueries } from '../src/db/queries.ts';
import type { RecordedFile } from '../src/db/reports/recorded-files.ts';
import { executionParamsSchema } from '../src/domain/params.ts';
import { pause } from '../src/lib/deadline.ts';
import { isAlive } from '../src/lib/process-identity.ts';
import { tried } from '../src/lib/tried.ts';
import type { Wire } from '../src/mcp/mcp-server.ts';
import { connect } from '../src/mcp/sdk-1.ts';
import { compareFile } from '../src/runtime/compare-file.ts';
import { createServer } from '../src/server.ts';
import { tools } from '../src/tools/index.ts';
import { temporaryFolder } from './folder.ts';
import {
  cliPath,
  commandInProcess,
  type Finished,
  type Running,
  startInProcess,
  type Surroundings,
  Written,
} from './in-process.ts';

export type Answer = Record<string, any>;

export { temporaryFolder };
export { makeRunningStore, makeStore, noCounts, sayShortExecutions, type TestStore } from './made-store.ts';

export type { Finished, Surroundings } from './in-process.ts';
export { cliPath } from './in-process.ts';

export interface Started extends Running {
  child: ChildProcess;
}

/** Starts the built command line. A process that a test leaves behind is ended with the test. */
export function startCli(args: string[], surroundings: Surroundings): Started {
  return startProcess(process.execPath, [cliPath, ...withoutListening(args)], surroundings);
}

const listening = new Set(['run', 'agent', 'up', 'request']);

/** Most tests are not about programs of other makes: what starts over a broker does not listen for them, unless a test says how long. */
export const withoutListening = (args: string[]): string[] =>
  listening.has(args[0] ?? '') && args.includes('--broker') && !args.some((arg) => arg.startsWith('broker.listen_'))
    ? [...args, '--set', 'broker.listen_seconds=0']
    : args;

/** Starts any program, which is ended with the test. */
export function startProcess(command: string, args: string[], surroundings: Surroundings): Started {
  const started = spawnProcess(command, args, surroundings);
  onTestFinished(() => void started.child.kill('SIGKILL'));
  return started;
}

/** Starts the built command line for several tests, which have to end it. */
export const startCliForAll = (args: string[], surroundings: Surroundings): Started =>
  spawnProcess(process.execPath, [cliPath, ...withoutListening(args)], surroundings);

function spawnProcess(command: string, args: string[], { folder, env = {} }: Surroundings): Started {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, SWF_DB: join(folder, 'swf.db'), SWF_USER: 'tester', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const written = new Written();
  child.stdout.setEncoding('utf8').on('data', (text: string) => written.add('stdout', text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => written.add('stderr', text));
  const finished = once(child, 'close').then(([code, signal]): Finished => ({
    code,
    signal,
    stdout: written.stdout,
    stderr: written.stderr,
  }));
  return {
    child,
    finished,
    saw: (pattern) => written.saw(pattern, finished, args.join(' ')),
    kill: (signal) => void child.kill(signal),
  };
}

/** Runs the command line to its end, in the process of the tests. */
export function runCli(args: string[], surroundings: Surroundings): Promise<Finished> {
  if (surroundings.env?.['NODE_OPTIONS'] !== undefined) throw new Error('NODE_OPTIONS are for runCliProcess');
  const command = commandInProcess(withoutListening(args), surroundings);
  // If the test ends before the command, as when it fails, the command must not go on beside the next ones. A hook waits for its commands.
  tried(() => onTestFinished(() => command.kill('SIGTERM')));
  return command.finished;
}

/** Runs the built command line to its end, as a process: for what concerns processes, and for one test of each command. */
export function runCliProcess(args: string[], surroundings: Surroundings): Promise<Finished> {
  const started = spawnProcess(process.execPath, [cliPath, ...withoutListening(args)], surroundings);
  started.child.stdin?.end();
  return started.finished;
}

/** NODE_OPTIONS that move the clock of a process, by milliseconds, without touching the system's. */
export const shiftedClock = (milliseconds: number): string =>
  `--import data:text/javascript,${encodeURIComponent(
    `const Real = Date; const shift = ${milliseconds};
     globalThis.Date = class extends Real { constructor(...a) { super(...(a.length ? a : [Real.now() + shift])); } static now() { return Real.now() + shift; } };`,
  )}`;

/** One run at full speed; its summary. */
export const runWorkflow = (folder: string, ...args: string[]): Promise<Answer> => runBy(runCli, folder, args);

/** The same by a process that has ended: for a minute, prune keeps what a living one has made. */
export const runWorkflowProcess = (folder: string, ...args: string[]): Promise<Answer> =>
  runBy(runCliProcess, folder, args);

async function runBy(run: typeof runCli, folder: string, args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await run(['run', '--speed', 'max', '--json', ...args], { folder });
  if (code !== 0) throw new Error(`run ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Answer;
}

/** An MCP client of a server on stdio in the process of the tests, on the folder's store. */
export async function connectStdio(surroundings: Surroundings, ...args: string[]): Promise<Client> {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const words = args.length === 0 ? ['serve'] : args;
  const server = commandInProcess(words, surroundings, { stdin: toServer, stdout: toClient });
  // Lines of JSON in and out: the same at both ends. A client that closes ends its server.
  const transport = new StdioServerTransport(toClient, toServer);
  const leave = transport.close.bind(transport);
  transport.close = async () => {
    toServer.end();
    await server.finished;
    await leave();
  };
  return connected(transport);
}

/** An MCP client of a server process on the folder's store. */
export async function connectProcess({ folder, env = {} }: Surroundings, ...args: string[]): Promise<Client> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [cliPath, ...args],
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', SWF_DB: join(folder, 'swf.db'), ...env },
    stderr: 'pipe',
  });
  return connected(transport);
}

/** An HTTP server on the folder's store, in the process of the tests, and where it answers. */
export async function startHttp(
  surroundings: Surroundings,
  ...args: string[]
): Promise<{ url: string; server: Running }> {
  const server = startInProcess(['serve', '--http', '0', ...args], surroundings);
  return { url: await urlOf(server), server };
}

/** The same as a process, which can be killed. */
export async function startHttpProcess(
  surroundings: Surroundings,
  ...args: string[]
): Promise<{ url: string; server: Started }> {
  const server = startCli(['serve', '--http', '0', ...args], surroundings);
  return { url: await urlOf(server), server };
}

const urlOf = (server: Running): Promise<string> => server.saw(/MCP server at (http:\S+\/mcp),/);

/** An MCP client over HTTP. */
export async function connectHttp(url: string, headers: Record<string, string> = {}): Promise<Client> {
  return connected(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
}

/** An MCP client of the same server in this process. */
export async function connectInProcess(store: string): Promise<Client> {
  const db = openReader(store);
  const queries = createQueries(db, isAlive);
  const pasts = createPasts(db, isAlive);
  const services = () =>
    Promise.resolve({
      compareFile: (
        file: RecordedFile,
        {
          execution_id,
          dir,
          ...own
        }: { execution_id: string; dir: string; frameBytes: number; url: string | undefined },
      ) => compareFile(file, { folder: join(dir, execution_id), ...own }),
      plannedParams: () => executionParamsSchema.parse({}),
    });
  const server = createServer({
    version: '0.0.0',
    tools,
    queries: () => queries,
    past: (asOf, present, question) => pasts.ask(asOf, present, question),
    held: (question) => question(queries),
    monitorPage: () => Promise.resolve(''),
    services,
    log: { write: () => {} },
  });
  const [here, there] = InMemoryTransport.createLinkedPair();
  await connect(server, there as Wire, () => {});
  onTestFinished(() => {
    pasts.close();
    db.close();
  });
  return connected(here);
}

async function connected(transport: Transport): Promise<Client> {
  const client = new Client({ name: 'test', version: '0.0.0' });
  await client.connect(transport);
  onTestFinished(() => client.close());
  // A client that knows the tools checks every answer against its output schema.
  await client.listTools();
  return client;
}

/** One client for all questions of a test, connected at the first: tests ask ten times a second. */
export function clientOfTest(store: string): () => Promise<Client> {
  let client: Client | undefined;
  return async () => {
    if (client !== undefined) return client;
    const made = await connectInProcess(store);
    onTestFinished(() => void (client = undefined));
    client = made;
    return made;
  };
}

/** A tool's structured answer, which must also be its text. */
export async function ask(client: Client, name: string, args: Record<string, unknown> = {}): Promise<Answer> {
  const result = await client.callTool({ name, arguments: args });
  const [text] = result.content as { type: string; text: string }[];
  if (result.isError === true) throw new Error(text?.text);
  if (JSON.stringify(result.structuredContent) !== text?.text)
    throw new Error('the text is not the structured content');
  return result.structuredContent as Answer;
}

/** The text of the error that a call ends in. */
export async function refusal(client: Client, name: string, args: unknown): Promise<string> {
  const result = await client.callTool({ name, arguments: args as Record<string, unknown> });
  if (result.isError !== true) throw new Error(`not refused: ${JSON.stringify(result.structuredContent)}`);
  return (result.content as { text: string }[])[0]?.text ?? '';
}

/** A number that is read, once it has stayed the same for half a second: what was under way may still come. */
export async function settled(read: () => Promise<number>, milliseconds = 500): Promise<number> {
  let last = await read();
  for (;;) {
    await pause(milliseconds);
    const now = await read();
    if (now === last) return now;
    last = now;
  }
}

/** Every row of a list, page by page. */
export async function askAll(client: Client, name: string, args: Record<string, unknown> = {}): Promise<Answer[]> {
  const items: Answer[] = [];
  let cursor: string | undefined;
  do {
    const page: Answer = await ask(client, name, { ...args, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...(page['items'] as Answer[]));
    cursor = page['next_cursor'] as string | undefined;
  } while (cursor !== undefined);
  return items;
}
