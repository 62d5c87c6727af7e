import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import Database from 'better-sqlite3';

import { temporaryFolder } from '../test/folder.ts';
import { importedUrls, notingImports } from '../test/imported-files.ts';
import { committer } from './committer.ts';
import { cli, hook, runMeasured, startServer } from './processes.ts';
import { timedCall } from './timed-calls.ts';

/**
 * What a message and an answer cost in units that do not depend on the machine, compared with their usual
 * costs in `bench/usual-costs.json`. A cost that is 5 % higher is a failure, unless the change that causes
 * it also commits the new cost there: small losses that go unnoticed add up.
 */
export type Costs = Record<string, number>;

const usualFile = join('bench', 'usual-costs.json');
const tolerated = 1.05;

/** How many STF files the measured run has. */
const stfs = 200;
const runArgs = (count: number): string[] => [
  'run',
  '--speed',
  'max',
  '--json',
  '--stf-count',
  String(count),
  '--set',
  'data.write_files=false',
];

/** @param program the command line of the build to measure */
export async function measureCosts(program = cli): Promise<Costs> {
  const folder = temporaryFolder();
  const store = join(folder, 'swf.db');
  await runMeasured(['--db', store, ...runArgs(1)], { program });
  return {
    ...(await costsOfMessages(store, folder, program)),
    ...(await costsOfMonitor(store, folder, program)),
    ...(await bytesLoaded(store, folder, program)),
  };
}

/** Statements, and bytes of the write-ahead log, per message. */
async function costsOfMessages(store: string, folder: string, program: string): Promise<Costs> {
  // The log keeps growing as long as a reader uses an earlier state.
  const reader = new Database(store, { readonly: true });
  reader.exec('BEGIN; SELECT count(*) FROM store_meta');
  const before = sizeOf(`${store}-wal`);
  const counts = join(folder, 'counts.json');
  const { answer } = await runMeasured(['--db', store, ...runArgs(stfs)], {
    program,
    hooks: [hook('count-work')],
    env: { SWF_COUNTS: counts },
  });
  const bytes = sizeOf(`${store}-wal`) - before;
  reader.close();
  const messages = answer['messages'] ?? NaN;
  return {
    'statements a message': countedIn(counts) / messages,
    'bytes of the write-ahead log a message': bytes / messages,
  };
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

const countedIn = (file: string): number =>
  (JSON.parse(readFileSync(file, 'utf8')) as { statements: number }).statements;

/** Statements for a monitor and for a page of slices, in a server that has answered before, each after a commit. */
async function costsOfMonitor(store: string, folder: string, program: string): Promise<Costs> {
  const counts = join(folder, 'counts.json');
  const commit = committer(store);
  const statementsOf = async (tool: string, calls: number): Promise<number> => {
    const env = { SWF_DB: store, SWF_COUNTS: counts };
    const server = await startServer(['--import', hook('count-work'), program], env);
    for (let call = 0; call < calls; call += 1) {
      commit();
      await timedCall(server, { tool, args: { execution_id: 'latest' } });
    }
    await server.close();
    return countedIn(counts);
  };
  const costs: Costs = {};
  for (const tool of ['get_workflow_monitor', 'list_tf_slices'])
    costs[`statements of ${tool} after a commit`] =
      ((await statementsOf(tool, 12)) - (await statementsOf(tool, 2))) / 10;
  return costs;
}

/** The bytes of code that a command loads. */
async function bytesLoaded(store: string, folder: string, program: string): Promise<Costs> {
  const costs: Costs = {};
  const commands = [
    ['status'],
    ['list'],
    ['logs'],
    runArgs(1),
    ['call', 'get_workflow_monitor', '{"execution_id":"latest"}'],
  ];
  for (const args of commands) {
    const file = join(folder, `imported-by-${args[0]}`);
    await runMeasured(['--db', store, ...args], { program, env: notingImports(file) });
    costs[`bytes loaded by ${args[0]}`] = bytesOf(importedUrls(file));
  }
  for (const [era, what] of [
    ['handshake', 'bytes loaded by serve for its first answer'],
    ['stateless', 'the same in 2026-07-28'],
  ] as const) {
    const file = join(folder, `imported-by-serve-${era}`);
    const server = await startServer([program], { SWF_DB: store, ...notingImports(file) }, era);
    await timedCall(server, { tool: 'get_workflow_monitor', args: { execution_id: 'latest' } });
    await server.close();
    costs[what] = bytesOf(importedUrls(file));
  }
  return costs;
}

const bytesOf = (urls: readonly string[]): number =>
  urls.filter((url) => url.startsWith('file:')).reduce((sum, url) => sum + sizeOf(fileURLToPath(url)), 0);

/** Prints the costs beside the usual costs. Returns whether none is too high. */
export function judgeCosts(costs: Costs): boolean {
  const usual = JSON.parse(readFileSync(usualFile, 'utf8')) as Costs;
  console.log('');
  const high = Object.entries(costs).filter(([what, cost]) => {
    const before = usual[what] ?? 0;
    console.log(
      `${what.padEnd(52)} ${shown(cost).padStart(10)}   usual ${shown(before).padStart(10)}   ratio ${(cost / before).toFixed(3)}`,
    );
    return !(cost <= before * tolerated);
  });
  for (const [what, cost] of high)
    console.error(
      `${what}: ${shown(cost)}, more than 5 % above the usual ${shown(usual[what] ?? 0)}. Find the cause; if it is worth its cost, "npm run bench:small -- --update" makes it the usual one, and the commit says what it buys.`,
    );
  return high.length === 0;
}

const shown = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2));

export const updateUsual = (costs: Costs): void => writeFileSync(usualFile, `${JSON.stringify(costs, undefined, 2)}\n`);
