import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import {
  runCliProcess,
  type Answer,
  ask,
  connectInProcess,
  runCli,
  startCliForAll,
  temporaryFolder,
} from '../helpers.ts';
import { type Logged, logOf } from './log-of.ts';

/** Ended runs, each with a different problem; the expected answers are counted from the log alone. */
const folder = temporaryFolder();
const store = join(folder, 'swf.db');
const slow = 'stf_datataking-kim-0002';
const resumed = 'stf_datataking-kim-0003';
const hopeless = 'stf_datataking-lee-0004';
const oneSlot = 'stf_datataking-lee-0005';
const removed = 'stf_datataking-old-0001';

let all: Logged[];
const log = (execution: string, type?: string): Logged[] =>
  all.filter((row) => row.execution_id === execution && (type === undefined || row.message_type === type));
const results = (execution: string, state: 'done' | 'failed'): Logged[] =>
  log(execution, 'slice_result').filter(({ body, effect }) => body['state'] === state && effect === 'applied');
const names = (rows: readonly Logged[]): string[] => [
  ...new Set(rows.map(({ body }) => body['slice_filename'] as string)),
];
const slotsOf = (rows: readonly Logged[]): string[] => [
  ...new Set(rows.map(({ body }) => body['worker_id'] as string)),
];
const time = (row: Logged | undefined): string => row?.recorded_at ?? '';
const first = (execution: string, type: string): Logged | undefined => log(execution, type)[0];

const payload = (script: string): string[] => ['--set', `worker.payload=["sh","-c",${JSON.stringify(script)}]`];
const sets = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair]);

async function makeRuns(): Promise<void> {
  const as = (user: string) => ({ folder, env: { SWF_USER: user } });
  const run = async (user: string, ...args: string[]) => runCli(['run', '--speed', 'max', ...args], as(user));
  expect(await runCliProcess(['run', '--speed', 'max', '--stf-count', '1'], as('old'))).toMatchObject({ code: 0 });
  await runCli(['prune', '--older-than', '0d'], { folder });
  const lateSlice = 'case $SWF_SLICE_FILENAME in *000002*_slice_004.tf) sleep 8;; *) sleep 0.02;; esac';
  await run('kim', '--stf-count', '4', ...payload(lateSlice), ...sets('fast_processing.target_worker_count=4'));
  await runCli(['note', slow, 'the geometry of May', '--requested-by', 'ana'], { folder });
  await runCli(['note', slow, 'look at slice 4', '--for-next', '--requested-by', 'bo'], { folder });
  await runCli(['quality', slow, 'good', '--reason', 'as planned', '--requested-by', 'ana'], { folder });
  const lost = startCliForAll(['run', '--speed', '5', '--stf-count', '60'], as('kim'));
  await lost.saw(/start_run/);
  await runCli(['pause', resumed, '--reason', 'beam studies', '--requested-by', 'bo'], { folder });
  await runCli(['continue', resumed], { folder });
  lost.child.kill('SIGKILL');
  await lost.finished;
  await runCli(['resume', resumed, '--speed', 'max'], as('ana'));
  const noDisk = 'echo "no space left on device 7" >&2; exit 28';
  await run('lee', '--stf-count', '2', ...payload(noDisk), ...sets('worker.max_retries=1'));
  const badSlot = 'case $SWF_WORKER_ID in */2|*/02) echo "no GPU 3" >&2; exit 9;; *) sleep 0.03;; esac';
  await run(
    'lee',
    '--stf-count',
    '6',
    ...payload(badSlot),
    ...sets('worker.max_retries=0', 'fast_processing.target_worker_count=4'),
  );
  all = logOf(store);
}

type Call = readonly [tool: string, args: Answer];
type Question = readonly [question: string, call: Call, read: (answer: Answer) => unknown, truth: () => unknown];

const monitor = (execution_id: string): Call => ['get_workflow_monitor', { execution_id }];
const slices = (execution_id: string, args: Answer = {}): Call => [
  'list_tf_slices',
  { execution_id, order: 'oldest', limit: 200, ...args },
];
const sum = (execution_id: string, group_by: string, args: Answer = {}): Call => [
  'summarize',
  { what: 'slices', group_by, execution_id, ...args },
];
const items = (answer: Answer): Answer[] => answer['items'] as Answer[];
const groups = (answer: Answer): Answer[] => answer['groups'] as Answer[];
const finding = (answer: Answer, code: string): string =>
  (answer['findings'] as Answer[]).find((one) => one['code'] === code)?.['sentence'] as string;
const sliceNames = (answer: Answer): string[] => items(answer).map((one) => one['slice_filename'] as string);

const questions: readonly Question[] = [
  // The run with one slow slice.
  ['did the slow run end well?', monitor(slow), (a) => [a['status'], a['health']], () => ['completed', 'finished']],
  ['how many slices did it have?', monitor(slow), (a) => a['slices_created'], () => names(log(slow, 'slice')).length],
  [
    'which slice took longest?',
    slices(slow, { order_by: 'seconds', order: 'newest', limit: 1 }),
    (a) => sliceNames(a)[0],
    () => names(log(slow, 'slice')).find((name) => /000002.*_slice_004/.test(name)),
  ],
  [
    'how many workers did it have?',
    sum(slow, 'worker'),
    (a) => groups(a).length,
    () => slotsOf(results(slow, 'done')).length,
  ],
  [
    'how many slices did each worker complete?',
    sum(slow, 'worker'),
    (a) => Object.fromEntries(groups(a).map((one) => [one['worker'], one['count']])),
    () =>
      Object.fromEntries(
        slotsOf(results(slow, 'done')).map((slot) => [
          slot,
          results(slow, 'done').filter(({ body }) => body['worker_id'] === slot).length,
        ]),
      ),
  ],
  ['when did it begin?', monitor(slow), (a) => a['start_time'], () => first(slow, 'run_workflow')?.body['timestamp']],
  ['when did it end?', monitor(slow), (a) => a['end_time'], () => time(first(slow, 'workflow_ended'))],
  ['when was the first slice created?', monitor(slow), (a) => a['first_slice_at'], () => time(first(slow, 'slice'))],
  [
    'which notes does it have?',
    monitor(slow),
    (a) => (a['notes'] as Answer[]).map((one) => one['text']).toReversed(),
    () => log(slow, 'note').map(({ body }) => body['text'] as string),
  ],
  [
    'is its quality set, and by whom?',
    monitor(slow),
    (a) => [a['quality'].value, a['quality'].author],
    () => ['good', 'ana (as tester claims)'],
  ],
  [
    'which runs have quality good?',
    ['list_workflow_executions', { quality: 'good' }],
    (a) => items(a).map((one) => one['execution_id']),
    () => [slow],
  ],
  [
    'what should the next shift know?',
    ['shift_report', { form: 'fields' }],
    (a) => (a['for_next'] as Answer[]).map((one) => one['text']),
    () => ['look at slice 4'],
  ],
  ['do its records balance?', ['audit_execution', { execution_id: slow }], (a) => a['verdict'], () => 'balanced'],
  // The run that was paused, killed and resumed.
  [
    'who drove the resumed run?',
    monitor(resumed),
    (a) => (a['drivers'] as Answer[]).map((one) => one['by']),
    () => ['kim', 'ana'],
  ],
  ['how did its first driver end?', monitor(resumed), (a) => a['drivers'][0].ended, () => 'lost'],
  [
    'when did the second driver take over?',
    monitor(resumed),
    (a) => a['drivers'][1].since,
    () => log(resumed, 'driver_started')[1]?.body['timestamp'],
  ],
  [
    'who paused it, and why?',
    ['list_messages', { execution_id: resumed, message_type: 'pause_workflow' }],
    (a) => items(a).map((one) => [one['body'].claimed_by, one['body'].reason]),
    () => log(resumed, 'pause_workflow').map(({ body }) => [body['claimed_by'], body['reason']]),
  ],
  [
    'who did what to it during the shift?',
    ['shift_report', { form: 'fields' }],
    (a) =>
      (a['people'] as Answer[])
        .filter((one) => one['execution_id'] === resumed)
        .map((one) => [one['name'], one['did'], one['reason']]),
    () => [
      ['kim', 'started', undefined],
      ['bo', 'paused', 'beam studies'],
      ['tester', 'continued', undefined],
      ['ana', 'resumed', undefined],
    ],
  ],
  [
    'was any slice completed twice?',
    ['audit_execution', { execution_id: resumed }],
    (a) => a['verdict'],
    () => (names(results(resumed, 'done')).length === results(resumed, 'done').length ? 'balanced' : 'twice'),
  ],
  [
    'when did the time without a driver end?',
    ['get_execution_timeline', { execution_id: resumed }],
    (a) => (a['phases'] as Answer[]).filter(({ phase }) => phase === 'undriven').map(({ end }) => end as string),
    () => [log(resumed, 'driver_started')[1]?.body['timestamp']],
  ],
  [
    'are all its announced STF files listed?',
    ['list_stf_files', { execution_id: resumed }],
    (a) => a['total_count'],
    () => new Set(log(resumed, 'stf_gen').map(({ body }) => body['filename'] as string)).size,
  ],
  [
    'how many messages does it have?',
    ['list_messages', { execution_id: resumed, limit: 1 }],
    (a) => a['total_count'],
    () => log(resumed).length,
  ],
  // The run in which nothing succeeded.
  [
    'did anything succeed in the hopeless run?',
    monitor(hopeless),
    (a) => a['slices_completed'],
    () => results(hopeless, 'done').length,
  ],
  [
    'how many of its slices failed permanently?',
    monitor(hopeless),
    (a) => a['slices_failed'],
    () => names(results(hopeless, 'failed')).length,
  ],
  [
    'how many attempts failed?',
    sum(hopeless, 'cause'),
    (a) => a['total'].count,
    () => results(hopeless, 'failed').length,
  ],
  [
    'why did its attempts fail?',
    sum(hopeless, 'cause'),
    (a) => groups(a).map((one) => one['cause']),
    () => ['sh ended with exit code 28: no space left on device 7'],
  ],
  [
    'which exit code did its failed attempts have?',
    slices(hopeless, { limit: 1 }),
    (a) => items(a)[0]?.['exit_code'],
    () => results(hopeless, 'failed')[0]?.body['exit_code'],
  ],
  [
    'how many attempts failed, minute by minute?',
    sum(hopeless, 'minute,cause', { time_field: 'completed' }),
    (a) => a['total'].failed,
    () => results(hopeless, 'failed').length,
  ],
  [
    'how many first and second attempts were there?',
    sum(hopeless, 'attempt'),
    (a) => groups(a).map((one) => [one['attempt'], one['count']]),
    () =>
      ['1', '2'].map((attempt) => [
        attempt,
        results(hopeless, 'failed').filter(({ body }) => String(body['attempt']) === attempt).length,
      ]),
  ],
  [
    'does a finding say that no slice succeeded?',
    monitor(hopeless),
    (a) => finding(a, 'SLICES_FAILED').split(':')[0],
    () => 'No slice succeeded',
  ],
  [
    'how often did one of its slices fail?',
    ['trace_data_product', { filename: 'swf.100013.000001_slice_000.tf' }],
    (a) => (a['hops'] as Answer[]).filter(({ outcome }) => outcome === 'failed').length,
    () =>
      results(hopeless, 'failed').filter(({ body }) => /000001_slice_000/.test(body['slice_filename'] as string))
        .length,
  ],
  // The run with one bad slot.
  [
    'on which worker did most slices fail?',
    sum(oneSlot, 'worker', { order_by: 'failed', limit: 1 }),
    (a) => groups(a)[0]?.['worker'],
    () => slotsOf(results(oneSlot, 'failed'))[0],
  ],
  [
    'did slices fail on one worker only?',
    monitor(oneSlot),
    (a) => finding(a, 'FAILURES_ON_ONE')?.includes(slotsOf(results(oneSlot, 'failed'))[0] as string),
    () => slotsOf(results(oneSlot, 'failed')).length === 1,
  ],
  [
    'which of its slices failed?',
    slices(oneSlot, { status: 'failed', fields: 'slice_filename' }),
    (a) => sliceNames(a).toSorted(),
    () => names(results(oneSlot, 'failed')).toSorted(),
  ],
  [
    'how many slices did the other workers complete?',
    sum(oneSlot, 'status', { status: 'completed' }),
    (a) => a['total'].count,
    () => names(results(oneSlot, 'done')).length,
  ],
  [
    'how many more slices failed than in the slow run?',
    ['compare_executions', { execution_id: slow, with_execution_id: oneSlot }],
    (a) => a['figures'].slices_failed,
    () => ({ a: 0, b: names(results(oneSlot, 'failed')).length }),
  ],
  // All runs, and a removed one.
  [
    'which executions are there?',
    ['list_workflow_executions', {}],
    (a) => items(a).map((one) => one['execution_id']),
    () => [oneSlot, hopeless, resumed, slow],
  ],
  [
    'in how many runs did slices fail permanently?',
    ['summarize', { what: 'executions', group_by: 'execution_id', order_by: 'failed' }],
    (a) =>
      groups(a)
        .map((one) => one['stay_failed'] as number | undefined)
        .filter((n) => n !== undefined && n > 0).length,
    () => [slow, resumed, hopeless, oneSlot].filter((id) => results(id, 'failed').length > 0).length,
  ],
  [
    'which runs did lee start?',
    ['list_workflow_executions', { executed_by: 'lee' }],
    (a) => items(a).map((one) => one['execution_id']),
    () => [oneSlot, hopeless],
  ],
  [
    'how many attempts failed in the last hour, by cause?',
    ['shift_report', { start_time: '-1h', form: 'fields' }],
    (a) => (a['causes'] as Answer[]).map((one) => one['attempts']).toSorted((x, y) => (y as number) - (x as number)),
    () => [results(hopeless, 'failed').length, results(oneSlot, 'failed').length],
  ],
];

describe('one call answers a question about an ended run', () => {
  beforeAll(makeRuns, 180_000);

  it.each(questions)('%s', async (_, [tool, args], read, truth) => {
    expect(read(await ask(await connectInProcess(store), tool, args))).toEqual(truth());
  });

  it('what happened to a removed run?', async () => {
    const client = await connectInProcess(store);
    await expect(ask(client, 'get_workflow_monitor', { execution_id: removed })).rejects.toThrow(/EXECUTION_REMOVED/);
  });
});
