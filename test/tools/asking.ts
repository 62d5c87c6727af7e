import { join } from 'node:path';

import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { expect, onTestFinished, vi } from 'vitest';

import {
  type Answer,
  ask,
  connectInProcess,
  makeRunningStore,
  startCli,
  temporaryFolder,
  type TestStore,
} from '../helpers.ts';

/** Answers that may be longer than others: pages of rows, groups, and a report that is a document. */
const largeAnswers: Readonly<Record<string, number>> = { summarize: 25_000, query_store: 12_000, shift_report: 12_000 };

/** Every answer must fit its budget: 25,000 characters for a list, 8 KB for most others. */
export async function askWithin(client: Client, name: string, args: Record<string, unknown>): Promise<Answer> {
  const answer = await ask(client, name, args);
  const budget = name.startsWith('list_') ? 25_000 : (largeAnswers[name] ?? 8192);
  expect({ name, bytes: Buffer.byteLength(JSON.stringify(answer)) }).toEqual({
    name,
    bytes: expect.toSatisfy((bytes: number) => bytes <= budget),
  });
  return answer;
}

export const monitorOf = (client: Client, execution_id = 'latest'): Promise<Answer> =>
  askWithin(client, 'get_workflow_monitor', { execution_id });

export const findingOf = (monitor: Answer, code: string): Answer | undefined =>
  (monitor['findings'] as Answer[]).find((one) => one['code'] === code);

/** Follows a finding to its evidence. */
export async function evidenceOf(client: Client, monitor: Answer, code: string): Promise<Answer> {
  const finding = findingOf(monitor, code);
  expect({ code, found: (monitor['findings'] as Answer[]).map((one) => one['code']) }).toMatchObject({
    found: expect.arrayContaining([code]),
  });
  return askWithin(client, finding?.['next'].tool as string, finding?.['next'].arguments as Record<string, unknown>);
}

export const clientOf = (folder: string): Promise<Client> => connectInProcess(join(folder, 'swf.db'));

/** Settings of a run whose physics begins at once. */
const startsAtOnce = ['no_beam_not_ready_delay', 'broadcast_delay', 'beam_not_ready_delay', 'beam_ready_delay'].flatMap(
  (key) => ['--set', `daq_state_machine.${key}=0`],
);

/** A run in the middle of its physics, ended with the test. */
export async function inPhysics(...args: string[]) {
  const folder = temporaryFolder();
  const run = startCli(['run', '--speed', '5', ...startsAtOnce, ...args], { folder });
  await run.saw(/start_run/);
  return { folder, run, client: await clientOf(folder) };
}

export const secondsAgo = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

export const stf = (sequence: number): string => `swf.100010.${String(sequence).padStart(6, '0')}.stf`;
export const tf = (sequence: number): string => stf(sequence).replace('.stf', '_tf_001.tf');
export const slice = (sequence: number, id = 0): string =>
  stf(sequence).replace('.stf', `_slice_${String(id).padStart(3, '0')}.tf`);

/** The first STF and its sample, as the agents announce them. */
export async function sayFirstSample(made: TestStore): Promise<void> {
  await made.say('stf_gen', { filename: stf(1), sequence: 1, tf_count: 100 });
  await made.say('stf_ready', { filename: stf(1), sequence: 1, tf_count: 100 });
  await made.say('tf_file_registered', {
    tf_filename: tf(1),
    stf_filename: stf(1),
    tf_first: 0,
    tf_last: 14,
    tf_count: 15,
  });
}

/** One slice of a store made of messages: queued, in hand or done. Times are seconds ago. */
interface MadeSlice {
  queued: number;
  started?: number;
  done?: number;
  worker?: string;
}

/** A store with the slices of one STF, at most 15 and no more to come, reported at chosen times as by remote agents. */
export async function storeOfSlices(
  slices: readonly MadeSlice[],
  params: Record<string, unknown> = {},
): Promise<TestStore> {
  // All times are counted from one moment, which lasts until the test ends, however long it takes to make and ask the store.
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const now = Date.now();
  const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();
  const first = Math.max(...slices.map(({ queued }) => queued)) + 1;
  const made = await makeRunningStore({
    broker: { url: 'stomp://127.0.0.1:1' },
    ...params,
    fast_processing: { stf_count: 1, ...(params['fast_processing'] as object | undefined) },
  });
  made.store.db.exec(
    `UPDATE run_states SET phase_changed_at = '${ago(first)}'; UPDATE workflow_executions SET start_time = '${ago(first)}'`,
  );
  const timestamp = ago(first);
  await made.say('stf_gen', { filename: stf(1), sequence: 1, tf_count: 100, timestamp });
  await made.say('stf_ready', { filename: stf(1), sequence: 1, tf_count: 100, timestamp });
  // One slice per frame.
  const frames = { tf_first: 0, tf_last: slices.length - 1, tf_count: slices.length };
  await made.say('tf_file_registered', { tf_filename: tf(1), stf_filename: stf(1), ...frames, timestamp });
  await made.say('end_run', { total_stf_files: 1, timestamp });
  for (const [
    id,
    { queued, started, done, worker = `worker-agent-tester-9/${String(id + 1).padStart(2, '0')}` },
  ] of slices.entries()) {
    const of = { slice_id: id, slice_filename: slice(1, id), tf_filename: tf(1), attempt: 1 };
    const by = { worker_id: worker, hostname: 'host', sender: worker.split('/')[0] ?? '' };
    const cut = { stf_filename: stf(1), start: id, end: id, tf_count: 1 };
    await made.say('slice', { ...of, ...cut, timestamp: ago(queued) });
    if (started !== undefined) await made.say('slice_started', { ...of, ...by, timestamp: ago(started) });
    if (done !== undefined) await made.say('slice_result', { ...of, ...by, state: 'done', timestamp: ago(done) });
  }
  return made;
}

/** Slices that took `took` seconds each and ended before. */
export const doneSlices = (count: number, took: number, endedAgo = 60): MadeSlice[] =>
  Array.from({ length: count }, () => ({ queued: endedAgo + took + 1, started: endedAgo + took, done: endedAgo }));
