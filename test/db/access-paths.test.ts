import { describe, expect, it } from 'vitest';

import { listLogs } from '../../src/db/logs.ts';
import { createMessageCounter } from '../../src/db/message-counts.ts';
import { listMessages, type MessageFilter } from '../../src/db/messages.ts';
import { type Page } from '../../src/db/page.ts';
import { type Prepare, preparer } from '../../src/db/statements.ts';
import { listStfFiles } from '../../src/db/stf-files.ts';
import { listTfFiles } from '../../src/db/tf-files.ts';
import { listTfSlices, type TfSliceFilter } from '../../src/db/tf-slices.ts';
import { makeRunningStore } from '../helpers.ts';

const page: Page = { order: 'newest', limit: 50 };
const messages = (filter: MessageFilter) => (sql: Prepare) =>
  listMessages(sql, filter, page, createMessageCounter(sql));
const slices = (filter: TfSliceFilter) => (sql: Prepare) => listTfSlices(sql, filter, page);

/** What is asked for, and the index that leads there in the order of recording; nothing for the end of the table itself. */
const paths: [what: string, ask: (sql: Prepare) => unknown, index: string][] = [
  ['messages', messages({}), ''],
  ['messages of an execution', messages({ execution_id: 'e' }), 'workflow_messages_execution'],
  ['messages of a run', messages({ run_id: '1' }), 'workflow_messages_run'],
  ['messages of an agent', messages({ agent: 'a' }), 'workflow_messages_agent'],
  ['messages of a type that most have', messages({ message_type: 'slice' }), ''],
  ['messages of another type', messages({ message_type: 'end_run' }), 'workflow_messages_seldom'],
  ['refused messages', messages({ effect: 'rejected' }), 'workflow_messages_without_effect'],
  [
    'messages of an execution and a type',
    messages({ execution_id: 'e', message_type: 'slice' }),
    'workflow_messages_type',
  ],
  ['STF files', (sql) => listStfFiles(sql, {}, page), ''],
  ['STF files of an execution', (sql) => listStfFiles(sql, { execution_id: 'e' }, page), 'stf_files_execution'],
  ['TF files of an execution', (sql) => listTfFiles(sql, { execution_id: 'e' }, page), 'fastmon_files_execution'],
  ['TF files of an STF file', (sql) => listTfFiles(sql, { stf_filename: 's' }, page), 'fastmon_files_stf'],
  ['slices', slices({}), ''],
  ['slices of an execution', slices({ execution_id: 'e' }), 'tf_slices_execution'],
  ['slices of a worker', slices({ assigned_worker: 'w' }), 'tf_slices_worker'],
  ['slices of a TF file', slices({ tf_filename: 't' }), 'tf_slices_tf'],
  ['failed slices', slices({ status: 'failed' }), 'tf_slices_failed'],
  ['slices of an execution that wait', slices({ execution_id: 'e', status: 'queued' }), 'tf_slices_open'],
  ['slices of an execution in work', slices({ execution_id: 'e', status: 'processing' }), 'tf_slices_open'],
  ['log lines', (sql) => listLogs(sql, {}, page), ''],
  ['log lines of an execution', (sql) => listLogs(sql, { execution_id: 'e' }, page), 'app_logs_execution'],
  ['log lines of an agent', (sql) => listLogs(sql, { agent: 'a' }, page), 'app_logs_agent'],
  ['log lines of a run', (sql) => listLogs(sql, { run_id: '1' }, page), 'app_logs_run'],
];

describe('a page is read by its index, and not sorted', () => {
  it.each(paths)('of %s', async (_, ask, index) => {
    const { store } = await makeRunningStore();
    const asked: string[] = [];
    const prepare = preparer(store.db);
    ask((sql) => {
      asked.push(sql);
      return prepare(sql);
    });
    const ofPage = asked.filter((sql) => sql.endsWith(' LIMIT ?'));
    expect(ofPage).toHaveLength(1);
    const plan = store.db
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${ofPage[0]}`)
      .all(...(ofPage[0]?.match(/\?/g) ?? []).map(() => 1))
      .map(({ detail }) => detail);
    expect(plan.join('\n')).not.toContain('TEMP B-TREE');
    // A table without an index is read from its end.
    expect(plan[0]).toMatch(
      index === '' ? /^SCAN \w+$/ : new RegExp(`^SEARCH \\w+ USING INDEX ${index} |^SCAN \\w+ USING INDEX ${index}$`),
    );
  });
});
