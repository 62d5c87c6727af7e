import { join } from 'node:path';

import Database from 'better-sqlite3';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';

import { type Answer, ask, connectInProcess, connectStdio, runCli, startCli, temporaryFolder } from '../helpers.ts';
import { slice, stf } from './asking.ts';

/**
 * Questions of operators, physicists, managers and students, on one store with five runs: each takes at most three calls and 4,000 tokens of answers,
 * and its answer is compared with the truth, which comes from plain SQL over the tables.
 */
const maxCalls = 3;
const maxTokens = 4000;

const failing = 'stf_datataking-rita-0001';
const sampled = 'stf_datataking-tom-0002';
const stopped = 'stf_datataking-rita-0003';
const clean = 'stf_datataking-ann-0004';
const killed = 'stf_datataking-ann-0005';

let truth: (sql: string) => any;
let made: Promise<string> | undefined;

/** Slice 3 of each STF fails for good, slice 7 once, slice 11 takes long. */
const payload = [
  'case $SWF_SLICE_ID in',
  '3) echo "bad geometry in module $SWF_SLICE_ID" >&2; exit 3;;',
  '7) if [ "$SWF_ATTEMPT" = 1 ]; then echo "no calibration for run 100010" >&2; exit 4; fi;;',
  '11) sleep 0.4;;',
  'esac',
].join(' ');

/** The store, made once, by the first question. */
async function makeStore(): Promise<string> {
  const folder = temporaryFolder();
  const as = (user: string) => ({ folder, env: { SWF_USER: user } });
  const set = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair]);
  await runCli(
    [
      'run',
      '--speed',
      'max',
      '--stf-count',
      '4',
      ...set(
        `worker.payload=["/bin/sh","-c",${JSON.stringify(payload)}]`,
        'worker.max_retries=1',
        'fast_processing.target_worker_count=5',
      ),
    ],
    as('rita'),
  );
  await runCli(
    [
      'run',
      '--speed',
      'max',
      '--stf-count',
      '20',
      ...set('testbed.namespace=mine', 'fast_processing.stf_sampling_rate=0.25'),
    ],
    as('tom'),
  );
  // Long enough for three commands on any machine: a run that makes no more STF files cannot be paused.
  const run = startCli(['run', '--speed', '5', '--stf-count', '1000'], as('rita'));
  await run.saw(/start_run/);
  const command = async (...args: string[]) => expect(await runCli(args, { folder })).toMatchObject({ code: 0 });
  await command('pause', 'latest', '--reason', 'beam studies', '--requested-by', 'bob');
  await command('continue', 'latest');
  await command('stop', 'latest', '--reason', 'beam dump');
  await run.finished;
  await runCli(['run', '--speed', 'max', '--stf-count', '6'], as('ann'));
  const lost = startCli(['run', '--speed', '5', '--stf-count', '10'], as('ann'));
  await lost.saw(/start_run/);
  lost.child.kill('SIGKILL');
  await lost.finished;
  const db = new Database(join(folder, 'swf.db'), { readonly: true });
  truth = (sql) => db.prepare(sql).pluck().get();
  return folder;
}

type Call = [tool: string, args: Record<string, unknown>];

interface Question {
  question: string;
  calls: Call[];
  /** The reader's answer, taken from the answers of the calls. */
  read: (...answers: Answer[]) => unknown;
  expected: () => unknown;
}

const monitor = (execution_id: string): Call => ['get_workflow_monitor', { execution_id }];
const sum = (what: string, group_by: string, args: object = {}): Call => ['summarize', { what, group_by, ...args }];
const list = (tool: string, args: object = {}): Call => [`list_${tool}`, { ...args }];
const sql = (text: string): Call => ['query_store', { sql: text }];

const group = (answer: Answer, key: string, value: string): Answer =>
  (answer['groups'] as Answer[]).find((one) => one[key] === value) ?? {};
const items = (answer: Answer): Answer[] => answer['items'] as Answer[];
const finding = (answer: Answer, code: string): Answer =>
  (answer['findings'] as Answer[]).find((one) => one['code'] === code) ?? {};

const q = (question: string, calls: Call[], read: Question['read'], expected: Question['expected']): Question => ({
  question,
  calls,
  read,
  expected,
});

const questions: Question[] = [
  // Which runs exist, and how they went.
  q(
    'how many runs are there?',
    [list('workflow_executions')],
    (a) => a['total_count'],
    () => 5,
  ),
  q(
    'which run is the newest?',
    [monitor('latest')],
    (a) => a['execution_id'],
    () => killed,
  ),
  q(
    'who started the run in namespace mine?',
    [list('workflow_executions', { namespace: 'mine' })],
    (a) => items(a)[0]?.['executed_by'],
    () => 'tom',
  ),
  q(
    'which runs did rita start?',
    [list('workflow_executions', { executed_by: 'rita' })],
    (a) => items(a).map((one) => one['execution_id']),
    () => [stopped, failing],
  ),
  q(
    'which runs were stopped, and why?',
    [list('workflow_executions', { status: 'terminated' })],
    (a) => items(a).map((one) => [one['execution_id'], one['status_reason']]),
    () => [[stopped, 'beam dump']],
  ),
  q(
    'how many runs are in each state?',
    [sum('executions', 'status')],
    (a) => [
      group(a, 'status', 'completed')['count'],
      group(a, 'status', 'terminated')['count'],
      group(a, 'status', 'running')['count'],
    ],
    () => [3, 1, 1],
  ),
  q(
    'how many runs does namespace mine have?',
    [sum('executions', 'namespace')],
    (a) => group(a, 'namespace', 'mine')['count'],
    () => 1,
  ),
  q(
    'how many bytes of STF files were made in total?',
    [sum('executions', 'status')],
    (a) => a['total'].bytes,
    () => truth('SELECT sum(dataset_bytes) FROM runs'),
  ),
  q(
    'which run took longest?',
    [sum('executions', 'execution_id', { order_by: 'seconds', limit: 1 })],
    (a) => a['groups'][0].execution_id,
    () => truth(`SELECT execution_id FROM v_executions WHERE end_time IS NOT NULL ORDER BY duration_seconds DESC`),
  ),
  q(
    'which run number does the second run have?',
    [list('workflow_executions', { order: 'oldest' })],
    (a) => items(a)[1]?.['run_number'],
    () => truth(`SELECT run_number FROM workflow_executions WHERE execution_id = '${sampled}'`),
  ),
  // Failures.
  q(
    'how many slices of the first run failed for good?',
    [monitor(failing)],
    (a) => a['slices_failed'],
    () => 4,
  ),
  q(
    'which slices failed?',
    [list('tf_slices', { execution_id: failing, status: 'failed', order: 'oldest' })],
    (a) => items(a).map((one) => one['slice_filename']),
    () => [1, 2, 3, 4].map((n) => slice(n, 3)),
  ),
  q(
    'why did attempts fail, and how often?',
    [sum('slices', 'cause', { execution_id: failing })],
    (a) => a['groups'].map((one: Answer) => [one['cause'].replace(/^.*: /, ''), one['count']]),
    () => [
      ['bad geometry in module 3', 8],
      ['no calibration for run 100010', 4],
    ],
  ),
  q(
    'which cause went away after a retry?',
    [sum('slices', 'cause,attempt', { execution_id: failing })],
    (a) =>
      a['groups'].filter((one: Answer) => one['cause'].includes('calibration')).map((one: Answer) => one['attempt']),
    () => ['1'],
  ),
  q(
    'what did the program print before it failed?',
    [list('tf_slices', { execution_id: failing, status: 'failed', limit: 1 })],
    (a) => items(a)[0]?.['output_tail'].trim(),
    () => String.raw`bad geometry in module 3\n`,
  ),
  q(
    'which exit code did the program have?',
    [list('tf_slices', { execution_id: failing, status: 'failed', limit: 1 })],
    (a) => items(a)[0]?.['exit_code'],
    () => 3,
  ),
  q(
    'how many attempts failed in total?',
    [sum('slices', 'cause', { execution_id: failing })],
    (a) => a['total'].count,
    () => truth(`SELECT count(*) FROM slice_attempts WHERE state = 'failed'`),
  ),
  q(
    'how many slices were retried?',
    [monitor(failing)],
    (a) => a['slices_retried'],
    () => 8,
  ),
  q(
    'which slices succeeded on the second attempt?',
    [list('tf_slices', { execution_id: failing, min_retries: 1, status: 'completed', order: 'oldest' })],
    (a) => items(a).map((one) => one['slice_filename']),
    () => [1, 2, 3, 4].map((n) => slice(n, 7)),
  ),
  q(
    'how many workers processed the slices of the failing run?',
    [sum('slices', 'worker', { execution_id: failing })],
    (a) => a['groups'].length,
    () => truth(`SELECT count(DISTINCT assigned_worker) FROM tf_slices WHERE execution_id = '${failing}'`),
  ),
  q(
    'on how many hosts did the slices run?',
    [sum('slices', 'host', { execution_id: failing })],
    (a) => a['groups'].length,
    () => 1,
  ),
  q(
    'what happened to this slice?',
    [['trace_data_product', { filename: slice(2, 3) }]],
    (a) => [a['status'], a['attempts']],
    () => ['failed', 2],
  ),
  q(
    'does the monitor report failed slices, and say where to look?',
    [monitor(failing)],
    (a) => finding(a, 'SLICES_FAILED')['next'].tool,
    () => 'list_tf_slices',
  ),
  // Completeness.
  q(
    'is the data of the clean run complete?',
    [['audit_execution', { execution_id: clean }]],
    (a) => a['verdict'],
    () => 'balanced',
  ),
  q(
    'is the data of the failing run complete, and how many slices failed?',
    [['audit_execution', { execution_id: failing }]],
    (a) => [a['verdict'], a['slices_failed']],
    () => ['balanced', 4],
  ),
  q(
    'is the data of the stopped run complete?',
    [['audit_execution', { execution_id: stopped }]],
    (a) => a['verdict'],
    () => 'open',
  ),
  q(
    'are the files of the clean run unchanged?',
    [['verify_files', { execution_id: clean }]],
    (a) => [a['checked'], a['missing_count'] + a['changed_count']],
    () => [12, 0],
  ),
  q(
    'how many files are checked for one STF file?',
    [['verify_files', { execution_id: clean, stf_filename: fileOf(clean, 1) }]],
    (a) => [a['checked'], a['missing_count'] + a['changed_count']],
    () => [2, 0],
  ),
  q(
    'how many STF files have no slices?',
    [list('stf_files', { execution_id: sampled, has_slices: false })],
    (a) => a['total_count'],
    () => 15,
  ),
  q(
    'how many STF files were sampled?',
    [sum('slices', 'stf_filename', { execution_id: sampled })],
    (a) => a['groups'].length,
    () => 5,
  ),
  q(
    'what is the checksum of this STF file?',
    [list('stf_files', { stf_filename: stf(1) })],
    (a) => items(a)[0]?.['checksum'],
    () => truth(`SELECT checksum FROM stf_files WHERE stf_filename = '${stf(1)}'`),
  ),
  // Speed and load.
  q(
    'how long did the slowest slice take?',
    [list('tf_slices', { execution_id: failing, order_by: 'seconds', limit: 4 })],
    (a) => items(a)[0]?.['seconds'],
    () => expect.closeTo(truth(`SELECT max(seconds) FROM v_slices WHERE execution_id = '${failing}'`) as number, 2),
  ),
  q(
    'how long did the slowest completed slice take?',
    [sum('slices', 'status', { execution_id: failing, status: 'completed' })],
    (a) => a['total'].seconds.max,
    () => truth(`SELECT max(seconds) FROM v_slices WHERE execution_id = '${failing}' AND status = 'completed'`),
  ),
  q(
    'where does the time go?',
    [monitor(failing)],
    (a) => a['latency'].map((one: Answer) => one['stage']).includes('slice_started → slice_result'),
    () => true,
  ),
  q(
    'do thirty workers keep up?',
    [['plan_run', { target_worker_count: 30, stf_count: 100 }]],
    (a) => a['workers_needed'] <= 30,
    () => false,
  ),
  q(
    'how many workers would keep up?',
    [['plan_run', { stf_count: 100 }]],
    (a) => a['workers_needed'],
    () => 215,
  ),
  q(
    'how long would the default run take?',
    [['plan_run', {}]],
    (a) => a['total_seconds'],
    () => 166.2,
  ),
  q(
    'how much disk space would 1,000 STFs take?',
    [['plan_run', { stf_count: 1000 }]],
    (a) => a['data_bytes'],
    () => 1000 * (64_000 + 9600),
  ),
  q(
    'how many slices would half the sampling rate leave?',
    [['plan_run', { execution_id: clean, stf_sampling_rate: 0.5 }]],
    (a) => a['slices'],
    () => 45,
  ),
  q(
    'how many slices were completed per minute?',
    [sum('slices', 'minute', { execution_id: clean, time_field: 'completed' })],
    (a) => a['groups'].reduce((n: number, one: Answer) => n + one['count'], 0),
    () => 90,
  ),
  q(
    'how many attempts did the busiest worker make?',
    [sum('slices', 'worker', { execution_id: failing, limit: 1 })],
    (a) => a['groups'][0].count,
    () =>
      truth(
        `SELECT count(*) AS n FROM slice_attempts WHERE execution_id = '${failing}' GROUP BY worker_id ORDER BY n DESC`,
      ),
  ),
  q(
    'what differs between the clean run and the failing one?',
    [['compare_executions', { execution_id: clean, with_execution_id: failing }]],
    (a) => JSON.stringify(a).includes('worker.payload'),
    () => true,
  ),
  // People and drivers.
  q(
    'who paused the run, and why?',
    [['shift_report', { start_time: '-1h' }]],
    (a) => a['people'].find((one: Answer) => one['did'] === 'paused'),
    () => expect.objectContaining({ name: 'bob', reason: 'beam studies', execution_id: stopped }),
  ),
  q(
    'who stopped the run, and why?',
    [monitor(stopped)],
    (a) => [a['stopped_by'].name, a['stopped_by'].reason],
    () => [expect.any(String), 'beam dump'],
  ),
  q(
    'is a run stuck?',
    [list('workflow_executions', { status: 'running' }), monitor(killed)],
    (_, b) => b['health'],
    () => 'stalled',
  ),
  q(
    'why is the run stuck, and what can be done?',
    [monitor(killed)],
    (a) => finding(a, 'DRIVER_GONE')['sentence'],
    () => expect.stringMatching(/resume/),
  ),
  q(
    'how did the driver of the stuck run end?',
    [monitor(killed)],
    (a) => a['drivers'].at(-1).ended,
    () => 'lost',
  ),
  q(
    'are all agents of the stuck run gone?',
    [list('agents', { execution_id: killed })],
    (a) => items(a).filter((one) => one['state'] !== 'EXITED').length,
    () => 0,
  ),
  q(
    'how many runs were there in this shift, and how many were stopped?',
    [['shift_report', {}]],
    (a) => [a['totals'].executions, a['totals'].terminated],
    () => [5, 1],
  ),
  q(
    'is the stuck run an open matter for the next shift?',
    [['shift_report', {}]],
    (a) => a['open'].some((line: string) => line.includes(killed)),
    () => true,
  ),
  q(
    'which sampling rate was this run configured with?',
    [monitor(sampled)],
    (a) => a['configuration'].stf_sampling_rate,
    () => 0.25,
  ),
  // Messages and logs.
  q(
    'how many messages of each type are there?',
    [sum('messages', 'message_type', { execution_id: clean })],
    (a) => group(a, 'message_type', 'slice_result')['count'],
    () => 90,
  ),
  q(
    'how many messages are there per day?',
    [sum('messages', 'day')],
    (a) => a['total'].count,
    () => truth('SELECT count(*) FROM message_rows'),
  ),
  q(
    'which agent sends the most messages?',
    [sum('messages', 'agent', { execution_id: clean, limit: 1 })],
    (a) => a['groups'][0].agent,
    () => expect.stringMatching(/^worker-agent-ann-/),
  ),
  q(
    'how many messages were refused?',
    [sum('messages', 'status')],
    (a) => group(a, 'status', 'rejected')['count'] ?? 0,
    () => truth(`SELECT count(*) FROM message_rows WHERE effect = 'rejected'`),
  ),
  q(
    'how many errors were logged?',
    [sum('logs', 'level,agent', { execution_id: failing })],
    (a) =>
      a['groups']
        .filter((one: Answer) => one['level'] === 'ERROR')
        .reduce((n: number, one: Answer) => n + one['count'], 0),
    () => truth(`SELECT count(*) FROM app_logs WHERE execution_id = '${failing}' AND level = 40`),
  ),
  q(
    'what is the first warning?',
    [list('logs', { execution_id: failing, level: 'WARNING', order: 'oldest', limit: 1 })],
    (a) => items(a)[0]?.['message'],
    () => truth(`SELECT message FROM app_logs WHERE execution_id = '${failing}' AND level >= 30 ORDER BY log_id`),
  ),
  q(
    'how many STF files did end_run announce?',
    [list('messages', { execution_id: clean, message_type: 'end_run' })],
    (a) => items(a)[0]?.['body'].total_stf_files,
    () => 6,
  ),
  q(
    'are there log lines about this slice?',
    [list('logs', { search: slice(1, 3) })],
    (a) => a['total_count'] > 0,
    () => true,
  ),
  q(
    'which steps did this file go through?',
    [['trace_data_product', { filename: stf(2) }]],
    (a) => a['hops'].length >= 2,
    () => true,
  ),
  // Questions that no other tool answers.
  q(
    'what is the mean size of an STF file?',
    [sql('SELECT avg(size_bytes) FROM v_stf_files')],
    (a) => a['rows'][0][0],
    () => truth('SELECT avg(size_bytes) FROM stf_files'),
  ),
  q(
    'which STF has the largest spread of slice times?',
    [
      sql(
        `SELECT stf_filename, max(seconds) - min(seconds) AS s FROM v_slices WHERE execution_id = '${failing}' GROUP BY 1 ORDER BY s DESC LIMIT 1`,
      ),
    ],
    (a) => a['rows'][0][1] > 0.3,
    () => true,
  ),
  q(
    'how long do slices wait for a worker on average?',
    [
      sql(
        `SELECT round(avg(unixepoch(started_at, 'subsec') - unixepoch(queued_at, 'subsec')), 3) FROM v_attempts WHERE execution_id = '${clean}'`,
      ),
    ],
    (a) => typeof a['rows'][0][0],
    () => 'number',
  ),
  q(
    'how many frames did the failed slices hold?',
    [sql(`SELECT count(*), sum(tf_count) FROM v_slices WHERE status = 'failed'`)],
    (a) => a['rows'][0],
    () => [4, truth(`SELECT sum(tf_count) FROM tf_slices WHERE status = 'failed'`)],
  ),
];

function fileOf(execution: string, sequence: number): string {
  const run = { [failing]: 100_010, [sampled]: 100_011, [stopped]: 100_012, [clean]: 100_013 }[execution];
  return `swf.${run}.${String(sequence).padStart(6, '0')}.stf`;
}

it('an assistant asks at least sixty different questions about a store with five runs', () => {
  expect(questions.length).toBeGreaterThanOrEqual(60);
  expect(new Set(questions.map(({ question }) => question)).size).toBe(questions.length);
});

describe('an assistant asks about a store with five runs', () => {
  it.each(questions)('$question', async ({ calls, read, expected }) => {
    const folder = await (made ??= makeStore());
    // SQL needs a process that only the built program has.
    const isSql = calls.some(([tool]) => tool === 'query_store');
    const client = isSql ? await connectStdio({ folder }) : await connectInProcess(join(folder, 'swf.db'));
    const answers: Answer[] = [];
    for (const [tool, args] of calls) answers.push(await ask(client, tool, args));
    expect(read(...answers)).toEqual(expected());
    const tokens = answers.reduce((before, answer) => before + encode(JSON.stringify(answer)).length, 0);
    expect({ calls: calls.length, tokens }).toEqual({
      calls: expect.toSatisfy((n: number) => n <= maxCalls),
      tokens: expect.toSatisfy((n: number) => n <= maxTokens),
    });
  });
});
