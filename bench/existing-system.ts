import { join } from 'node:path';

import Database from 'better-sqlite3';

import { temporaryFolder } from '../test/folder.ts';
import { type Figure, median } from './figure.ts';
import { generate } from './generate.ts';
import { cli, startServer } from './processes.ts';
import { existingSystem } from './shapes.ts';
import { timedCall } from './timed-calls.ts';

const calls = 50;
const warmUps = 3;

/**
 * Medians for the existing system's tools on PostgreSQL, with a store of the same shape, without protocol
 * and JSON. In milliseconds.
 */
const theirs = {
  monitor: 124.9,
  'messages of an execution': 19.69,
  'STF files of a run': 8.36,
  'TF slices of a run': 30.62,
  'errors of an execution': 5.93,
  'log lines of an execution': 439,
  'log lines from ERROR on, 24 h': 4.05,
  executions: 5.82,
} as const;

/**
 * Asks our server the same questions, each call about another execution or run, over stdio with the protocol's
 * JSON. The existing system's figures were taken on another machine, so the ratio shows only an order of magnitude.
 */
export async function benchExistingSystem(executions = 200): Promise<Figure[]> {
  const path = join(temporaryFolder(), 'swf.db');
  await generate(path, existingSystem(executions));
  const db = new Database(path, { readonly: true });
  const runs = db
    .prepare<[], { execution_id: string; run_number: number }>(
      'SELECT execution_id, run_number FROM workflow_executions',
    )
    .all();
  db.close();
  const questions: Record<keyof typeof theirs, (run: (typeof runs)[number]) => readonly [string, object]> = {
    monitor: ({ execution_id }) => ['get_workflow_monitor', { execution_id }],
    'messages of an execution': ({ execution_id }) => ['list_messages', { execution_id, start_time: '2026-01-01' }],
    'STF files of a run': ({ run_number }) => ['list_stf_files', { run_number }],
    'TF slices of a run': ({ run_number }) => ['list_tf_slices', { run_number }],
    'errors of an execution': ({ execution_id }) => [
      'list_logs',
      { execution_id, level: 'ERROR', start_time: '2026-01-01' },
    ],
    'log lines of an execution': ({ execution_id }) => ['list_logs', { execution_id, start_time: '2026-01-01' }],
    'log lines from ERROR on, 24 h': () => ['list_logs', { level: 'ERROR', start_time: '-24h' }],
    executions: () => ['list_workflow_executions', { start_time: '2026-01-01' }],
  };
  const server = await startServer([cli], { SWF_DB: path });
  const figures: Figure[] = [];
  for (const [name, question] of Object.entries(questions)) {
    const times: number[] = [];
    for (let call = 0; call < calls + warmUps; call += 1) {
      const [tool, args] = question(runs[(call * 37) % runs.length] as (typeof runs)[number]);
      times.push(await timedCall(server, { tool, args }));
    }
    const value = theirs[name as keyof typeof theirs];
    figures.push({
      figure: `${executions} executions as the existing system's: ${name} (median of ${calls})`,
      unit: 'ms',
      ours: median(times.slice(warmUps)),
      floor: { what: 'existing system, PostgreSQL, elsewhere', value },
    });
  }
  await server.close();
  return figures;
}
