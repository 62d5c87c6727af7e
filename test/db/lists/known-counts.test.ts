import { describe, expect, it } from 'vitest';

import { listExecutions } from '../../../src/db/lists/executions.ts';
import { createQueries } from '../../../src/db/queries.ts';
import { executionRecord } from '../../../src/db/reports/execution-detail.ts';
import type { Prepare } from '../../../src/db/sqlite/statements.ts';
import type { MessageLine } from '../../../src/observed/recording-lines.ts';
import { reportOf } from '../../../src/tools/execution-report.ts';
import { makeRunningStore } from '../../helpers.ts';
import { makeRun } from '../../observed/generator.ts';
import { storeOf } from '../../observed/stores.ts';

const isAlive = () => true;

/** The retries and the bytes of the only execution of a store, as its list and its record have them. */
function countsIn(sql: Prepare) {
  const [row] = listExecutions(sql, {}, { order: 'newest', limit: 1 }, isAlive).rows;
  return { retries: row?.retries, bytes: row?.bytes, recorded: executionRecord(sql, row!).slice_retries };
}

const { lines } = makeRun({ seed: 1 });
const isOf = (...types: string[]) => lines.filter((line) => types.includes(line.headers['msg_type'] ?? typeIn(line)));
const typeIn = (line: MessageLine): string => ('body' in line ? (line.body as { msg_type: string }).msg_type : '');

const ready = isOf('stf_ready')[0] as MessageLine & { body: object };
const sized: MessageLine = { ...ready, body: { ...ready.body, size_bytes: 7 } };

describe('the retries and the bytes of an execution', () => {
  it('are 0, not unknown, as soon as the execution has a plan', async () => {
    const { sql } = (await makeRunningStore()).store;
    expect(countsIn(sql)).toEqual({ retries: 0, bytes: 0, recorded: 0 });
  });

  it.each([
    ['unknown if it has no plan', isOf('run_imminent', 'start_run', 'stf_gen'), null, null],
    ['unknown, except for the bytes once a message has a size', [...isOf('run_imminent', 'stf_gen'), sized], null, 7],
    ['unknown, except for the retries once a message names a slice', isOf('run_imminent', 'slice'), 0, null],
  ])('are %s', async (_, heard, retries, bytes) => {
    const { sql } = await storeOf(heard);
    expect(countsIn(sql)).toEqual({ retries, bytes, recorded: retries });
  });

  it('are unknown for an observed execution, whatever parameters its programs report', async () => {
    const { sql, db } = await storeOf(isOf('run_imminent', 'start_run', 'stf_gen'));
    db.exec(`UPDATE workflow_executions SET params = '{"plan_version":2}'`);
    expect(countsIn(sql)).toEqual({ retries: null, bytes: null, recorded: null });
  });

  it('are left out of a report while they are unknown', async () => {
    const { db } = await storeOf(isOf('run_imminent', 'start_run', 'stf_gen'));
    const queries = createQueries(db, isAlive);
    expect(reportOf(queries, queries.execution('latest').execution_id, Date.now())).not.toContain('retries');
  });
});
