import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listAgents } from '../../../src/db/lists/agents.ts';
import { listExecutions } from '../../../src/db/lists/executions.ts';
import { listStfFiles, listTfFiles, type StfFileFilter, type TfFileFilter } from '../../../src/db/lists/files.ts';
import type { Page } from '../../../src/db/lists/list-query.ts';
import { listLogs, type LogFilter } from '../../../src/db/lists/logs.ts';
import { listMessages, type MessageFilter } from '../../../src/db/lists/messages.ts';
import { listTfSlices, type TfSliceFilter } from '../../../src/db/lists/tf-slices.ts';
import { createWordSearch } from '../../../src/db/lists/word-search.ts';
import { type Prepare, preparer } from '../../../src/db/sqlite/statements.ts';
import { beginPhysics, makeStoreForAll, type TestStore } from '../../made-store.ts';

type Ask = (sql: Prepare, page: Page) => unknown;

const messages =
  (filter: MessageFilter): Ask =>
  (sql, page) =>
    listMessages(sql, filter, page, createWordSearch(sql));
const logs =
  (filter: LogFilter): Ask =>
  (sql, page) =>
    listLogs(sql, filter, page, createWordSearch(sql));
const slices =
  (filter: TfSliceFilter): Ask =>
  (sql, page) =>
    listTfSlices(sql, filter, page);
const stfFiles =
  (filter: StfFileFilter): Ask =>
  (sql, page) =>
    listStfFiles(sql, filter, page);
const tfFiles =
  (filter: TfFileFilter): Ask =>
  (sql, page) =>
    listTfFiles(sql, filter, page);

const time = { start_time: '2026-01-01', end_time: '2026-01-02' };
const byKey = 'INTEGER PRIMARY KEY';

/** A kind of page, its query, and the index that returns it in recording order; empty if it is read from the end of the table. */
const paths: [what: string, ask: Ask, index: string][] = [
  ['executions', (sql, page) => listExecutions(sql, {}, page, () => true), ''],
  [
    'executions in a state',
    (sql, page) => listExecutions(sql, { status: 'running' }, page, () => true),
    'workflow_executions_status',
  ],
  [
    'agents that have not exited',
    (sql, page) => listAgents(sql, { include_exited: false }, page),
    'system_agents_present',
  ],
  ['messages', messages({}), ''],
  ['a message', messages({ message_id: 'e/slice/a/1' }), 'sqlite_autoindex_message_rows_1'],
  ['messages of an execution', messages({ execution_id: 'e' }), 'message_rows_execution'],
  ['messages of a run', messages({ run_id: '1' }), 'message_rows_run'],
  ['messages of an agent', messages({ agent: 'a' }), 'message_rows_agent'],
  ['messages of a frequent type', messages({ message_type: 'slice' }), ''],
  ['messages of a rare type', messages({ message_type: 'end_run' }), 'message_rows_seldom'],
  ['messages of a rare type in a run', messages({ run_id: '1', message_type: 'end_run' }), 'message_rows_seldom'],
  ['refused messages', messages({ effect: 'rejected' }), 'message_rows_without_effect'],
  [
    'messages without effect of an execution',
    messages({ execution_id: 'e', effect: 'none' }),
    'message_rows_execution_without_effect',
  ],
  [
    'messages of one type in an execution and a time window',
    messages({ execution_id: 'e', message_type: 'slice', ...time }),
    'message_rows_type',
  ],
  ['refused messages of an execution', messages({ execution_id: 'e', effect: 'rejected' }), 'message_rows_trouble'],
  ['messages of one type in an execution', messages({ execution_id: 'e', message_type: 'slice' }), 'message_rows_type'],
  ['messages in a time window', messages(time), byKey],
  ['messages of an execution in a time window', messages({ execution_id: 'e', ...time }), 'message_rows_execution'],
  ['messages that match words', messages({ search: 'word' }), byKey],
  ['STF files', stfFiles({}), ''],
  ['STF files of an execution', stfFiles({ execution_id: 'e' }), 'stf_files_execution'],
  ['failed STF files', stfFiles({ status: 'failed' }), 'stf_files_failed'],
  ['waiting STF files of a run', stfFiles({ run_number: 1, status: 'registered' }), 'stf_files_registered'],
  ['TF files of an execution', tfFiles({ execution_id: 'e' }), 'fastmon_files_execution'],
  ['TF files of an STF file', tfFiles({ stf_filename: 's' }), 'fastmon_files_stf'],
  ['slices', slices({}), ''],
  ['slices of an execution', slices({ execution_id: 'e' }), 'tf_slices_execution'],
  ['slices of a run', slices({ run_number: 1 }), 'tf_slices_execution'],
  ['slices of a worker', slices({ assigned_worker: 'w/01' }), 'tf_slices_worker'],
  ['slices of an agent', slices({ assigned_worker: 'w' }), ''],
  ['slices of a slot of an execution', slices({ execution_id: 'e', assigned_worker: '7' }), 'tf_slices_execution'],
  ['a slice', slices({ slice_filename: 's' }), 'sqlite_autoindex_tf_slices_1'],
  ['retried slices of an execution', slices({ execution_id: 'e', min_retries: 1 }), 'tf_slices_retried'],
  [
    'slices completed in a time window',
    slices({ execution_id: 'e', time_field: 'completed', ...time }),
    'tf_slices_execution',
  ],
  ['slices of a TF file', slices({ tf_filename: 't' }), 'tf_slices_tf'],
  ['slices in a time window', slices(time), byKey],
  ['failed slices', slices({ status: 'failed' }), 'tf_slices_failed'],
  ['waiting slices of an execution', slices({ execution_id: 'e', status: 'queued' }), 'tf_slices_open'],
  ['slices in progress in a run', slices({ run_number: 1, status: 'processing' }), 'tf_slices_open'],
  ['log lines', logs({}), ''],
  ['log lines of an execution', logs({ execution_id: 'e' }), 'app_logs_execution'],
  ['log lines of an agent', logs({ agent: 'a' }), 'app_logs_agent'],
  ['log lines of a run', logs({ run_id: '1' }), 'app_logs_run'],
  ['log lines of a time window', logs(time), byKey],
  ['errors', logs({ level: 40 }), 'app_logs_errors'],
  ['warnings', logs({ level: 30 }), 'app_logs_warnings'],
  ['errors of an execution', logs({ execution_id: 'e', level: 40 }), 'app_logs_trouble'],
  ['log lines that match words', logs({ search: 'word' }), byKey],
];

let made: TestStore;

beforeAll(async () => {
  made = await makeStoreForAll();
  await beginPhysics(made);
});
afterAll(() => made.store.close());

/** The plan by which SQLite reads a page of `ask`. */
function planOf(ask: Ask, page: Page): string[] {
  const { store } = made;
  const asked: string[] = [];
  const prepare = preparer(store.db);
  ask((sql: string) => {
    asked.push(sql);
    return prepare(sql);
  }, page);
  const [ofPage, ...others] = asked.filter((sql) => sql.endsWith(' LIMIT ?') && !sql.includes('MATCH'));
  expect(others).toEqual([]);
  return store.db
    .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${ofPage}`)
    .all(...(ofPage?.match(/\?/g) ?? []).map(() => 1))
    .map(({ detail }) => detail);
}

describe('a page', () => {
  it.each(paths)('of %s is read along an index or from the end of the table, without sorting', (title, ask, index) => {
    const pages: [Page, string][] = [
      [{ order: 'newest', limit: 50 }, index],
      // Further pages begin at their key.
      [{ order: 'oldest', limit: 50, after: 1000 }, index === '' ? byKey : index],
    ];
    for (const [page, way] of pages) {
      const plan = planOf(ask, page);
      // Two executions of other programs may have a slice of one name: those few are sorted.
      if (title !== 'a slice') expect(plan.join('\n')).not.toContain('TEMP B-TREE');
      // A table without an index is read from its end.
      expect(plan[0]).toMatch(
        way === ''
          ? /^SCAN \w+$/
          : new RegExp(`^SEARCH \\w+ USING (COVERING )?(INDEX )?${way} |^SCAN \\w+ USING INDEX ${way}$`),
      );
    }
  });
});
