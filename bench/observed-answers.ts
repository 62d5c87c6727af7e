import { join } from 'node:path';

import Database from 'better-sqlite3';

import { recordHeard } from '../src/db/observed/heard-messages.ts';
import { openStore } from '../src/db/opening/open-store.ts';
import { temporaryFolder } from '../test/folder.ts';
import { makeRun } from '../test/observed/generator.ts';
import { committer } from './committer.ts';
import { type Figure, median, printTable } from './figure.ts';
import { generate } from './generate.ts';
import { cli, peakMemory, startServer } from './processes.ts';
import { realRuns } from './shapes.ts';
import { quantileOfCalls, timedCall, type ToolCall } from './timed-calls.ts';

/**
 * Answers about an observed execution with many slices, beside answers about one of our own with the same number:
 * npm run bench:observed-answers [-- SLICES]. Each store has one execution; p95 of up to 200 calls over stdio.
 */
const slices = Number(process.argv[2] ?? 162_000);
const part = 0.95;

interface Store {
  path: string;
  /** Messages a second while the store was filled. */
  rate: number;
}

/**
 * Makes an observed execution with about the requested number of slices, chosen at random for each STF: six
 * on average.
 */
async function observedStore(): Promise<Store> {
  const path = join(temporaryFolder(), 'observed.db');
  const { lines, truth } = makeRun({ seed: 1, dialect: 'F', stfs: Math.round(slices / 6) });
  const store = await openStore(path);
  const began = performance.now();
  for (let at = 0; at < lines.length; at += 500)
    await store.write((tx) => {
      for (const line of lines.slice(at, at + 500)) recordHeard(tx, line);
    });
  store.close();
  const seconds = (performance.now() - began) / 1000;
  console.log(`observed: ${lines.length} messages, ${truth.slices_sent} slices, ${truth.slices_failed} failed`);
  return { path, rate: lines.length / seconds };
}

async function ownStore(): Promise<Store> {
  const path = join(temporaryFolder(), 'own.db');
  let isMade = false;
  const made = await generate(path, {
    ...realRuns(1),
    age: slices / 15 + 600,
    nextStfs: () => (isMade ? undefined : ((isMade = true), Math.round(slices / 15))),
  });
  console.log(`own: ${made.messages} messages, ${made.slices} slices`);
  return { path, rate: made.messages / made.seconds };
}

const perExecution = (question: string, tool: string, args: object = {}): [string, ToolCall] => [
  question,
  { tool, args: { ...args, execution_id: 'latest' } },
];

const questions: readonly (readonly [question: string, call: ToolCall])[] = [
  perExecution('monitor', 'get_workflow_monitor'),
  perExecution('slices', 'list_tf_slices'),
  perExecution('failed slices', 'list_tf_slices', { status: 'failed' }),
  perExecution('STF files', 'list_stf_files'),
  perExecution('TF samples', 'list_tf_files'),
  perExecution('messages', 'list_messages'),
  perExecution('results', 'list_messages', { message_type: 'slice_result' }),
  perExecution('timeline', 'get_execution_timeline'),
  perExecution('audit', 'audit_execution'),
  perExecution('slices by status', 'summarize', { what: 'slices', group_by: 'status' }),
  perExecution('slices by cause', 'summarize', { what: 'slices', group_by: 'cause' }),
  perExecution('slices by worker', 'summarize', { what: 'slices', group_by: 'worker' }),
  ['executions', { tool: 'list_workflow_executions', args: {} }],
  ['shift report', { tool: 'shift_report', args: {} }],
];

/** The time of the message in the middle of the store. */
function middleOf(path: string): string {
  const db = new Database(path, { readonly: true });
  const { recorded_at } = db
    .prepare<[], { recorded_at: string }>(
      `SELECT recorded_at FROM v_messages ORDER BY seq LIMIT 1 OFFSET (SELECT count(*) / 2 FROM v_messages)`,
    )
    .get() as { recorded_at: string };
  db.close();
  return recorded_at;
}

/** The time of a server's first answer about the middle of the execution, in milliseconds. */
async function questionAboutTheMiddle(path: string): Promise<number> {
  const server = await startServer([cli], { SWF_DB: path });
  const args = { execution_id: 'latest', as_of: middleOf(path) };
  const time = await timedCall(server, { tool: 'get_workflow_monitor', args });
  await server.close();
  return time;
}

async function measure({ path }: Store) {
  const server = await startServer([cli], { SWF_DB: path });
  const times = new Map<string, { first: number; warm: number }>();
  for (const [question, call] of questions) {
    const first = await timedCall(server, call);
    times.set(question, { first, warm: await quantileOfCalls(server, call, part) });
  }
  const commit = committer(path);
  const afterCommits: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    commit();
    afterCommits.push(await timedCall(server, { tool: 'get_workflow_monitor', args: { execution_id: 'latest' } }));
  }
  const memory = peakMemory(server.child) ?? NaN;
  await server.close();
  const middle = await questionAboutTheMiddle(path);
  return { times, afterCommit: median(afterCommits), memory, middle };
}

const [observed, own] = [await observedStore(), await ownStore()];
const [ours, floor] = [await measure(observed), await measure(own)];
const beside = (figure: string, unit: string, value: number, other: number): Figure => ({
  figure,
  unit,
  ours: value,
  floor: { what: 'an own execution', value: other },
});
printTable([
  beside('messages projected a second', 'messages/s', observed.rate, own.rate),
  ...questions.flatMap(([question]) => {
    const [mine, theirs] = [ours.times.get(question), floor.times.get(question)];
    return [
      beside(question, 'ms', mine?.warm ?? NaN, theirs?.warm ?? NaN),
      beside(`… the first`, 'ms', mine?.first ?? NaN, theirs?.first ?? NaN),
    ];
  }),
  beside('monitor after a commit each', 'ms', ours.afterCommit, floor.afterCommit),
  beside('first monitor of the middle', 'ms', ours.middle, floor.middle),
  beside('peak memory', 'MB', ours.memory, floor.memory),
]);
