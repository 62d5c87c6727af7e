import { expect, it } from 'vitest';

import type { ExecutionRow } from '../../src/db/execution/find-execution.ts';
import { createQueries } from '../../src/db/queries.ts';
import { listWorkflowExecutionsTool } from '../../src/tools/list-workflow-executions.ts';
import { type Answer, makeStore } from '../helpers.ts';

/** Pages of the stalled ones among many running executions, and how many were assessed for each page. */
async function stalledPages(executions: number, isStalled: (n: number) => boolean) {
  const { store } = await makeStore();
  await store.write(({ sql }) => {
    for (let n = 1; n <= executions; n += 1) {
      sql(`INSERT INTO workflow_executions (execution_id, origin, namespace, status, params, start_time)
           VALUES (?, 'own', 'test', 'running', '{}', '2026-12-01T00:00:00.000Z')`).run(`e-${n}`);
      for (const table of ['runs', 'run_states']) sql(`INSERT INTO ${table} (execution_id) VALUES (?)`).run(`e-${n}`);
    }
  });
  let assessed = 0;
  const health = ({ execution_id }: ExecutionRow) => {
    assessed += 1;
    return isStalled(Number(execution_id.slice(2))) ? 'stalled' : 'progressing';
  };
  const context = { queries: { ...createQueries(store.db, () => true), health }, now: Date.now() } as const;
  const pages: { ids: string[]; total: unknown; assessed: number }[] = [];
  let cursor: unknown;
  do {
    assessed = 0;
    const args = { health: 'stalled', limit: 10, cursor, fields: 'execution_id' };
    const answer = listWorkflowExecutionsTool.handle?.(args as never, context) as Answer;
    const ids = (answer['items'] as Answer[]).map((item) => item['execution_id'] as string);
    pages.push({ ids, total: answer['total_count'], assessed });
    cursor = answer['next_cursor'];
  } while (cursor !== undefined);
  return pages;
}

it('a list filtered by health assesses executions until its page is full', async () => {
  const pages = await stalledPages(100, (n) => n % 4 === 0);
  // Up to the eleventh, which shows that more follow; and those shown, for their health.
  expect(pages.map(({ assessed }) => assessed)).toEqual([41 + 10, 44 + 10, 23 + 5]);
  expect(pages.flatMap(({ ids }) => ids)).toEqual(Array.from({ length: 25 }, (_, at) => `e-${100 - 4 * at}`));
  expect(pages.map(({ total }) => total)).toEqual([11, 20, 25]);
});

it('a list filtered by a rare health ends each page after 200 executions', async () => {
  const pages = await stalledPages(450, (n) => n === 5);
  expect(pages.map(({ ids, assessed }) => [ids.length, assessed])).toEqual([
    [0, 200],
    [0, 200],
    [1, 51],
  ]);
});
