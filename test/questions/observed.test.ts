import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { beforeAll, describe, expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { readIntoStore } from '../../src/observer/read-into-store.ts';
import { temporaryFolder } from '../folder.ts';
import { type Answer, ask, askAll, connectInProcess, runCli } from '../helpers.ts';

/** A line of a recording, read without any of our code. */
interface Line {
  destination: string;
  headers: Record<string, string>;
  body: Answer;
}

const linesOf = (name: string): Line[] =>
  gunzipSync(readFileSync(`test/recordings/${name}/bus.jsonl.gz`))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Line);

const runs = { 'H-1': '102001', 'H-2': '102101', 'F-1': '103001', 'F-2': '103101' } as const;
type Name = keyof typeof runs;

const lines = Object.fromEntries(Object.keys(runs).map((name) => [name, linesOf(name)])) as Record<Name, Line[]>;

const typed = (name: Name, type: string): Line[] => lines[name].filter(({ body }) => body['msg_type'] === type);
const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
const sentAt = ({ headers }: Line): number => Number(headers['timestamp']);
const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** The results of a run, one per slice: slices are told apart by their creation time, which every result repeats. */
function results(name: Name): Line[] {
  const best = new Map<string, Line>();
  for (const line of typed(name, 'slice_result')) {
    const { requested_at, processed_at } = line.body['content'];
    const known = best.get(requested_at);
    if (known === undefined || processed_at < known.body['content'].processed_at) best.set(requested_at, line);
  }
  return [...best.values()];
}

const failed = (name: Name): Line[] => results(name).filter(({ body }) => body['content'].state === 'failed');

/** The name of the slice that a result belongs to; it is the same in both dialects. */
function sliceOf(name: Name, { body }: Line): string {
  const slice = typed(name, 'slice').find((line) => line.body['created_at'] === body['content'].requested_at);
  const { tf_filename, slice_id } = (slice as Line).body['content'] as { tf_filename: string; slice_id: number };
  const base = tf_filename.replace(/(_slice_\d+)?\.tf$/, '');
  return `${base}_slice_${String(slice_id).padStart(3, '0')}.tf`;
}

let store: string;
beforeAll(async () => {
  store = join(temporaryFolder(), 'swf.db');
  const open = await openStore(store);
  const paths = Object.keys(runs).map((name) => `test/recordings/${name}/bus.jsonl.gz`);
  await readIntoStore(paths, { store: open, namespaces: [], until: undefined, onTorn: () => {} });
  open.close();
});

/** The execution of a run. */
async function idOf(client: Client, name: Name): Promise<string> {
  const { items } = await ask(client, 'list_workflow_executions', { limit: 10 });
  return items.find(({ run_number }: Answer) => String(run_number) === runs[name]).execution_id as string;
}

type Question = [
  question: string,
  truth: (name: Name) => unknown,
  answer: (ask: Asked, name: Name) => Promise<unknown>,
];

interface Asked {
  id: string;
  one: (tool: string, args?: Record<string, unknown>) => Promise<Answer>;
  all: (tool: string, args?: Record<string, unknown>) => Promise<Answer[]>;
}

/** The first row of an answer to SQL, asked by a separate process as a user would. */
async function rowOf(sql: string): Promise<unknown[]> {
  const { stdout } = await runCli(['call', 'query_store', `sql=${sql}`, '--db', store], { folder: temporaryFolder() });
  return (JSON.parse(stdout) as Answer)['rows'][0] as unknown[];
}

const questions: Question[] = [
  [
    'how many STF files were announced?',
    (name) => unique(typed(name, 'stf_gen').map(({ body }) => body['filename'])).length,
    async ({ one }) => (await one('get_workflow_monitor'))['stf_count'],
  ],
  [
    'how many slices were sent?',
    (name) => unique(typed(name, 'slice').map(({ body }) => body['content'].req_id)).length,
    async ({ one }) => (await one('get_workflow_monitor'))['slices_sent'],
  ],
  [
    'how many slices were sent and never answered?',
    (name) => typed(name, 'slice').length - results(name).length,
    async ({ all }) => (await all('list_tf_slices', { status: 'unanswered' })).length,
  ],
  [
    'how many slices failed?',
    (name) => failed(name).length,
    async ({ one }) => (await one('get_workflow_monitor'))['slices_failed'],
  ],
  [
    'which slices failed?',
    (name) =>
      failed(name)
        .map((line) => sliceOf(name, line))
        .toSorted(),
    async ({ all }) =>
      (await all('list_tf_slices', { status: 'failed' })).map(({ slice_filename }) => slice_filename).toSorted(),
  ],
  [
    'on which host did slices fail?',
    (name) => unique(failed(name).map(({ body }) => body['content'].hostname)),
    async ({ one }) =>
      (await one('summarize', { what: 'slices', group_by: 'host', status: 'failed' }))['groups'].map(
        ({ host }: Answer) => host,
      ),
  ],
  [
    'how many slices did each worker process?',
    (name) => countsOf(results(name).map(({ headers }) => headers['client-id'] ?? '')),
    async ({ one }) =>
      Object.fromEntries(
        (await one('summarize', { what: 'slices', group_by: 'worker' }))['groups'].map(({ worker, count }: Answer) => [
          worker,
          count,
        ]),
      ),
  ],
  [
    'how many different causes do the failures have?',
    (name) => Math.min(1, failed(name).length),
    async ({ one }) => (await one('summarize', { what: 'slices', group_by: 'cause' }))['groups'].length,
  ],
  [
    'how long did it take from run_imminent_worker to the first result?',
    (name) =>
      (Math.min(...typed(name, 'slice_result').map(sentAt)) -
        Math.min(...typed(name, 'run_imminent_worker').map(sentAt))) /
      1000,
    async (asked) => {
      const at = async (type: string): Promise<number> =>
        Date.parse(
          String(
            (
              await rowOf(
                `SELECT min(sent_at) FROM v_messages WHERE execution_id = '${asked.id}' AND message_type = '${type}'`,
              )
            )[0],
          ),
        );
      return ((await at('slice_result')) - (await at('run_imminent_worker'))) / 1000;
    },
  ],
  [
    'how many slices name no execution?',
    (name) => typed(name, 'slice').filter(({ body }) => body['content'].execution_id === null).length,
    async ({ one }) => (await one('get_workflow_monitor'))['without_execution'],
  ],
  [
    'how many results were repeated?',
    (name) => typed(name, 'slice_result').length - results(name).length,
    async ({ one }) => (await one('get_workflow_monitor'))['results_repeated'],
  ],
  [
    'how many results match no slice?',
    () => 0,
    async ({ one }) => (await one('get_workflow_monitor'))['results_unmatched'],
  ],
  [
    'when did the data agent last send stf_ready?',
    (name) => iso(Math.max(...typed(name, 'stf_ready').map(sentAt))),
    async ({ all }, name) => {
      const sender = typed(name, 'stf_ready')[0]?.body['sender'] as string;
      // Several runs have an agent of this name: its last message counts.
      const [last] = (await all('list_messages', { message_type: 'stf_ready' })).filter(
        ({ sender_agent }) => sender_agent === sender,
      );
      return last?.['sent_at'];
    },
  ],
  [
    'how many TF files were announced?',
    (name) => typed(name, 'tf_file_registered').length,
    async ({ one }) => (await one('get_workflow_monitor'))['tf_files_received'],
  ],
  [
    'how many TF files were sliced?',
    (name) =>
      unique(
        typed(name, 'slice').map(({ body }) => String(body['content'].tf_filename).replace(/_slice_\d+\.tf$/, '.tf')),
      ).length,
    async ({ one }) => (await one('get_workflow_monitor'))['tf_files_sliced'],
  ],
  [
    'when was the end of the run announced?',
    (name) => iso(Math.min(...typed(name, 'end_run').map(sentAt))),
    async (asked) =>
      (
        await rowOf(
          `SELECT min(sent_at) FROM v_messages WHERE execution_id = '${asked.id}' AND message_type = 'end_run'`,
        )
      )[0],
  ],
  [
    'how many frames does the largest slice hold?',
    (name) => Math.max(...typed(name, 'slice').map(({ body }) => body['content'].tf_count as number)),
    async (asked) => (await rowOf(`SELECT max(tf_count) FROM v_slices WHERE execution_id = '${asked.id}'`))[0],
  ],
  [
    'how many results were received in total?',
    (name) => typed(name, 'slice_result').length,
    async ({ one }) => (await one('list_messages', { message_type: 'slice_result', limit: 1 }))['total_count'],
  ],
  ['do its records balance?', () => 'balanced', async ({ one }) => (await one('audit_execution'))['verdict']],
  [
    'how long did the slowest slice take?',
    (name) =>
      Math.max(
        ...results(name).map(({ body: { content } }) =>
          Math.round(Date.parse(content.processed_at) - Date.parse(content.processing_start_at)),
        ),
      ) / 1000,
    async ({ all }) => Math.max(...(await all('list_tf_slices', {})).map(({ seconds }) => seconds as number)),
  ],
  [
    'which programs took part?',
    (name) =>
      unique([
        ...lines[name].filter(({ body }) => 'run_id' in body).flatMap(({ body }) => body['sender'] ?? []),
        ...typed(name, 'slice_result').map(({ headers }) => headers['client-id']),
      ]).toSorted(),
    async ({ all }) => (await all('list_agents')).map(({ agent_name }) => agent_name as string).toSorted(),
  ],
  [
    'which namespace was it in, and which dialect did its programs speak?',
    (name) => ['epic-shift', name.slice(0, 1)],
    async ({ one }) => {
      const { namespace, dialect } = await one('get_workflow_monitor');
      return [namespace, dialect];
    },
  ],
];

const countsOf = (values: readonly string[]): Record<string, number> =>
  Object.fromEntries(unique(values).map((value) => [value, values.filter((one) => one === value).length]));

describe.each(Object.keys(runs) as Name[])('an operator asks about the recorded run %s', (name) => {
  it.each(questions)('%s', async (_, truth, answer) => {
    const client = await connectInProcess(store);
    const execution_id = await idOf(client, name);
    const asked: Asked = {
      id: execution_id,
      one: (tool, args = {}) => ask(client, tool, { execution_id, ...args }),
      all: (tool, args = {}) => askAll(client, tool, { execution_id, limit: 200, ...args }),
    };
    expect(await answer(asked, name)).toEqual(truth(name));
  });
});
