import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A tool call and its answer, shortened as the docs show it. */
interface Answer {
  tool: string;
  args: Record<string, unknown>;
  answer: unknown;
}

/** The calls, in order. */
const calls: readonly [tool: string, args: Record<string, unknown>][] = [
  ['get_workflow_monitor', { execution_id: 'latest' }],
  ['list_workflow_executions', { namespace: 'torre2' }],
  ['wait_for_execution', { execution_id: 'latest', until: 'end' }],
  ['get_execution_timeline', { execution_id: 'latest' }],
  ['audit_execution', { execution_id: 'latest' }],
  ['trace_data_product', { filename: 'swf.100010.000002_slice_007.tf' }],
  ['compare_executions', { execution_id: 'latest', with_execution_id: 'latest' }],
  ['list_messages', { execution_id: 'latest', message_type: 'start_run' }],
  ['list_stf_files', { execution_id: 'latest', limit: 1 }],
  ['list_tf_files', { execution_id: 'latest', limit: 1 }],
  ['list_tf_slices', { execution_id: 'latest', status: 'completed', limit: 1 }],
  ['list_logs', { execution_id: 'latest', limit: 1 }],
  ['list_agents', { execution_id: 'latest', limit: 1 }],
  ['summarize', { what: 'slices', group_by: 'status', execution_id: 'latest' }],
  ['shift_report', { start_time: '-1h' }],
  ['verify_files', { execution_id: 'latest' }],
  ['plan_run', { target_worker_count: 100 }],
  ['query_store', { sql: 'SELECT stf_filename, count(*) AS slices FROM v_slices GROUP BY 1' }],
  ['add_note', { execution_id: 'latest', text: 'the beam was off' }],
  ['set_quality', { execution_id: 'latest', value: 'test', reason: 'an example' }],
  ['list_alarms', {}],
  ['start_workflow', { stf_count: 2, speed: '1' }],
  ['control_workflow', { execution_id: 'latest', action: 'stop', reason: 'an example' }],
];

/** How many items of a list are shown. */
const shown = 2;

/** Makes a run in its own store and calls every tool about it, with the built command line. */
export function makeAnswers(): Answer[] {
  const folder = mkdtempSync(join(tmpdir(), 'swf-mcp-answers-'));
  const cli = resolve('dist/cli.js');
  const env = { ...process.env, SWF_DB: join(folder, 'swf.db'), SWF_USER: 'shifter' };
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [cli, ...args], { cwd: folder, env, encoding: 'utf8' });
  try {
    run('run', '--stf-count', '3', '--speed', 'max');
    return calls.map(([tool, args]) => ({
      tool,
      args,
      // Hints name the temporary store, which the page leaves out.
      answer: shortened(JSON.parse(run('call', tool, JSON.stringify(args)).replaceAll(` --db ${env.SWF_DB}`, ''))),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Keeps the first items of each list, enough to see the form of the list. */
function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, shown).map(shortened);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner)]));
}

/** The page of answers as Markdown. */
export function answersPage(answers: readonly Answer[]): string {
  return [
    '# One answer per tool',
    '',
    'Each tool of the server, called in a terminal after a run of three STF files. `npm run docs` generates this page, and a test checks that every answer',
    `still has this shape. Lists are cut to ${shown} items here. [Asking](asking.md) explains pages, search and times.`,
    '',
    ...answers.flatMap(({ tool, args, answer }) => [
      `## ${tool}`,
      '',
      '```sh',
      `swf-mcp call ${tool} '${JSON.stringify(args)}'`,
      '```',
      '',
      '```json',
      JSON.stringify(answer, null, 2),
      '```',
      '',
    ]),
  ].join('\n');
}
