import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { listExecutions } from '../../../src/db/lists/executions.ts';
import { nearestKnown, executionIsMentioned, runIsKnown } from '../../../src/db/lists/known-values.ts';
import type { Page } from '../../../src/db/lists/list-query.ts';
import { listLogs, type LogFilter } from '../../../src/db/lists/logs.ts';
import { listMessages } from '../../../src/db/lists/messages.ts';
import { listTfSlices } from '../../../src/db/lists/tf-slices.ts';
import { createWordSearch } from '../../../src/db/lists/word-search.ts';
import { insertLogLine } from '../../../src/db/log/log-lines.ts';
import { rowsOfBlock } from '../../../src/db/notes/row-blocks.ts';
import { logLevels } from '../../../src/lib/logger.ts';
import { makeStore, type TestStore } from '../../made-store.ts';
import { ada, at, bob, knownRuns, seen, slice, tf } from './known-runs.ts';

let made: TestStore;

beforeAll(async () => {
  made = await knownRuns();
  await made.store.write((tx) => {
    const line = (level: keyof typeof logLevels, minute: number, execution_id?: string, run_id?: string): void =>
      void insertLogLine(tx, {
        timestamp: at(minute),
        level: logLevels[level],
        agent: `agent-${execution_id === ada ? 'ada' : 'bob'}`,
        message: `${level.toLowerCase()}@${minute}`,
        execution_id,
        run_id,
      });
    line('DEBUG', 1, ada, '100010');
    line('INFO', 2, ada, '100010');
    line('WARNING', 3, ada, '100010');
    line('ERROR', 4, ada, '100010');
    line('CRITICAL', 5, ada, '100010');
    line('WARNING', 6, bob, '100011');
    line('ERROR', 7, bob, '100011');
    line('INFO', 8);
  });
});
afterAll(() => made.store.close());

const all: Page = { order: 'newest', limit: 50 };

/** Changes the store until the test is over. */
function change(sql: string): void {
  const { db } = made.store;
  db.exec(`BEGIN; ${sql}`);
  onTestFinished(() => void db.exec('ROLLBACK'));
}

describe('listing log lines', () => {
  const { DEBUG, INFO, WARNING, ERROR, CRITICAL } = logLevels;
  const everything = 'info@8 error@7 warning@6 critical@5 error@4 warning@3 info@2 debug@1';

  it.each<[what: string, filter: LogFilter, answer: string]>([
    ['all lines', {}, everything],
    ['all lines from the lowest level up', { level: DEBUG }, everything],
    ['those at a level and above', { level: INFO }, 'info@8 error@7 warning@6 critical@5 error@4 warning@3 info@2'],
    ['warnings and above', { level: WARNING }, 'error@7 warning@6 critical@5 error@4 warning@3'],
    ['those above warnings', { level: WARNING + 1 }, 'error@7 critical@5 error@4'],
    ['errors and above', { level: ERROR }, 'error@7 critical@5 error@4'],
    ['those above errors', { level: CRITICAL }, 'critical@5'],
    ['none above the highest level', { level: CRITICAL + 1 }, ''],
    ['those of an execution', { execution_id: bob }, 'error@7 warning@6'],
    ['the errors of an execution', { execution_id: bob, level: ERROR }, 'error@7'],
    ['the warnings of an execution', { execution_id: ada, level: WARNING }, 'critical@5 error@4 warning@3'],
    ['those of a run', { run_id: '100011' }, 'error@7 warning@6'],
    ['none for an execution and the run of another execution', { execution_id: ada, run_id: '100011' }, ''],
    ['those of an agent', { agent: 'agent-bob' }, 'info@8 error@7 warning@6'],
    ['those at or after a start time', { start_time: at(7) }, 'info@8 error@7'],
    ['no line just before a start time', { start_time: at(7.001) }, 'info@8'],
    ['those at or before an end time', { end_time: at(2) }, 'info@2 debug@1'],
    ['no line just after an end time', { end_time: at(1.999) }, 'debug@1'],
    ['the errors with a word', { search: 'error', level: ERROR }, 'error@7 error@4'],
    ['no warning if only errors are requested', { search: 'warning', level: ERROR }, ''],
    ['the warnings with a word', { search: 'warning', level: WARNING }, 'warning@6 warning@3'],
  ])('returns %s', (_what, filter, answer) => {
    const { rows } = listLogs(made.store.sql, filter, all, createWordSearch(made.store.sql));
    expect(rows.map(({ message }) => message).join(' ')).toBe(answer);
  });
});

describe('listing executions when some have fallen silent', () => {
  it.each<[what: string, status: string, answer: string[]]>([
    ['those that are running', 'running', [bob]],
    ['those with unknown status, stored or derived', 'unknown', ['silent', 'lost']],
    ['those with status completed, stored or derived', 'completed', ['ended', seen]],
    ['those with a status that no silent execution has', 'failed', [ada]],
  ])('returns %s', (_what, status, answer) => {
    const observed = (id: string, stored: string, phase: string): string =>
      `INSERT INTO workflow_executions (execution_id, origin, namespace, status, params, start_time) VALUES ('${id}', 'observed', '', '${stored}', '{}', '');
       INSERT INTO runs (execution_id) VALUES ('${id}'); INSERT INTO run_states (execution_id, phase) VALUES ('${id}', '${phase}');
       INSERT INTO observed_runs (execution_id, told_id, namespace, run_id, first_ms, last_ms) VALUES ('${id}', '${id}', '', '', 0, 0);`;
    change(
      observed('lost', 'unknown', 'physics') +
        observed('silent', 'running', 'physics') +
        observed('ended', 'running', 'completed'),
    );
    const { rows } = listExecutions(made.store.sql, { status }, all, () => true);
    expect(rows.map(({ execution_id }) => execution_id)).toEqual(answer);
  });
});

describe('the shown content of a message', () => {
  const shown = (message_type: string): string | undefined =>
    listMessages(made.store.sql, { message_type, execution_id: ada }, all, createWordSearch(made.store.sql)).rows[0]
      ?.payload;

  it('is what was sent', () => {
    const sent = made.store.sql<[], string>(`SELECT payload FROM workflow_messages WHERE message_type = 'start_run'`);
    expect(shown('start_run')).toBe(sent.value());
  });

  it('omits from a start message what only its sender may see', () => {
    expect(JSON.parse(shown('run_workflow') ?? '')).toMatchObject({ speed: 2, params: { workflow: null } });
    expect(shown('run_workflow')).not.toContain('sesame');
  });

  it('is the raw text if a start message is damaged', () => {
    change(
      `UPDATE message_rows SET body = '{"damaged' WHERE type_no = (SELECT name_no FROM names WHERE name = 'run_workflow')`,
    );
    expect(shown('run_workflow')).toBe('{"damaged');
  });
});

describe('the folder with the outputs of a slice', () => {
  const here = 'file:///data/a.tf';
  const away = 'http://elsewhere/a.tf';

  it.each<[what: string, urls: { own: string; others: string }, outputs: string | null, folder: string | null]>([
    ['is the folder of its run if the slice read a file on its own host', { own: here, others: away }, '[]', '/data'],
    ['is unknown here if its host fetched the file', { own: away, others: here }, '[]', null],
    ['is unknown without outputs', { own: here, others: away }, null, null],
  ])('%s', (_what, { own, others }, outputs, folder) => {
    const file = (seq: number, name: string, execution: string, url: string): string =>
      `INSERT INTO fastmon_files (seq, tf_filename, execution_id, file_url, created_at) VALUES (${seq}, '${name}', '${execution}', '${url}', '')
       ON CONFLICT (tf_filename, execution_id) DO UPDATE SET file_url = excluded.file_url, seq = excluded.seq;`;
    const done = slice(100_010, 1, 0);
    change(
      `DELETE FROM fastmon_files;
       ${file(-3, tf(100_010, 2), ada, others)} ${file(-2, tf(100_010, 1), bob, others)}
       ${file(1, tf(100_010, 1), ada, own ?? '')}
       ${file(3, tf(100_010, 0), ada, others)} ${file(4, tf(100_010, 1), 'later', others)}
       UPDATE workflow_executions SET params = iif(execution_id = '${ada}', '{"data":{"dir":"/data"}}', '{"data":{"dir":"/other"}}');
       UPDATE payload_results SET outputs = ${outputs === null ? 'NULL' : `'${outputs}'`} WHERE slice_filename = '${done}'`,
    );
    const { rows } = listTfSlices(made.store.sql, { slice_filename: done }, all);
    expect(rows).toMatchObject([{ outputs, outputs_root: folder }]);
  });
});

it('a search skips words left behind by removed rows', async () => {
  const { store } = await makeStore();
  await store.write((tx) => {
    for (let n = 0; n <= rowsOfBlock; n += 1) {
      const message = n > 0 && n < 5 ? `needle ${n}` : 'hay';
      insertLogLine(tx, { timestamp: at(n), level: 20, agent: 'a', message });
    }
  });
  const find = () => {
    const page: Page = { order: 'oldest', limit: 1 };
    const { rows, has_more } = listLogs(store.sql, { search: 'needle' }, page, createWordSearch(store.sql));
    return { rows: rows.map(({ message }) => message), has_more };
  };
  expect(find()).toEqual({ rows: ['needle 1'], has_more: true });
  await store.write(({ sql }) => {
    // Between rows that stay.
    sql('DELETE FROM app_logs WHERE log_id BETWEEN 2 AND 4').run();
    sql(`INSERT INTO store_meta (key, value) VALUES ('prunes', '1')`).run();
  });
  expect(find()).toEqual({ rows: ['needle 4'], has_more: false });
});

describe('a name known to a store', () => {
  it('counts as a sender, run or execution only if a message uses it as one', async () => {
    const { say, store } = await makeStore();
    await say('resume_run', { ordinal: 1, reason: 'operator', sender: '100098' });
    const { sql } = store;
    const execution = 'stf_datataking-tester-0001';
    expect(['100098', 'test', execution].map((name) => nearestKnown(sql, 'message sender', name))).toEqual([
      undefined,
      expect.any(Array),
      expect.any(Array),
    ]);
    expect([100_010, 100_098].map((run) => runIsKnown(sql, run))).toEqual([true, false]);
    expect([execution, 'test', '100098'].map((id) => executionIsMentioned(sql, id))).toEqual([true, false, false]);
  });
});
