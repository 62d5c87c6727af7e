import { expect, it } from 'vitest';

import { requireExecution } from '../../../src/db/execution/find-execution.ts';
import { createQueries } from '../../../src/db/queries.ts';
import { secondsOfLife } from '../../../src/db/reports/life.ts';
import { makeRunningStore } from '../../made-store.ts';
import { answerTo, contextOf, noPast } from '../../past/questions.ts';

const id = 'stf_datataking-tester-0001';
const isAlive = (): boolean => true;

it.each([
  [-3_600_000, undefined],
  [-8000, undefined],
  [-4000, 0],
  [60_000, 60],
])(
  'an execution whose newest row is recorded now has, by a clock %d ms from it, lasted %s s',
  async (shift, lasted) => {
    const { store } = await makeRunningStore();
    const execution = requireExecution(store.sql, id);
    const recorded = store.sql<number>('SELECT max(recorded_ms) FROM message_rows').value() ?? 0;
    const now = recorded + shift;
    const queries = createQueries(store.db, Object.assign(isAlive, { now }));
    const seconds = secondsOfLife(store.sql, execution, { isAlive, now });
    expect(seconds === undefined ? undefined : Math.round(seconds)).toBe(lasted);
    const listed = await answerTo(['list_workflow_executions', {}], contextOf(queries, now, noPast));
    expect((listed as { items: { duration_seconds?: number }[] }).items[0]?.duration_seconds).toBe(seconds);
    const monitor = await answerTo(['get_workflow_monitor', { execution_id: id }], contextOf(queries, now, noPast));
    expect((monitor as { duration_seconds?: number }).duration_seconds).toBe(seconds);
  },
);
