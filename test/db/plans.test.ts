import { describe, expect, it } from 'vitest';

import { openExecution } from '../../src/db/driving/journal.ts';
import { removableExecutions } from '../../src/db/maintenance/prune.ts';
import { failedStfs } from '../../src/db/migrations/documented-views.ts';
import { makeRunningStore } from '../helpers.ts';

/** The query plans of every SELECT that `work` prepares. */
async function plansOf(work: (made: Awaited<ReturnType<typeof makeRunningStore>>) => void): Promise<string[]> {
  const made = await makeRunningStore();
  const { db } = made.store;
  const plans: string[] = [];
  const prepare = db.prepare.bind(db);
  db.prepare = (sql: string) => {
    if (/^\s*SELECT/i.test(sql)) {
      const explained = prepare(`EXPLAIN QUERY PLAN ${sql}`);
      const values = Array.from({ length: (sql.match(/\?/g) ?? []).length }, () => 1);
      plans.push((explained.all(...values) as { detail: string }[]).map(({ detail }) => detail).join('; '));
    }
    return prepare(sql);
  };
  work(made);
  return plans;
}

describe('the queries of every step of a run', () => {
  it('use indexes, without full scans or sorting', async () => {
    const plans = await plansOf(({ store }) => {
      const held = { execution_id: 'stf_datataking-tester-0001', run_number: 100_010, namespace: 'test' };
      const access = openExecution(store, held, { writeLogLine: () => {}, isAlive: () => true, onCommitted: () => {} });
      access.queue.queued(10);
      access.queue.isOpen();
      access.overview.pendingStop();
      access.overview.isSettled();
      access.overview.counts();
      access.journal.behind('data', ['stf_gen'], 10);
      access.journal.message('x');
      access.journal.read(['stf_gen'], 0, 10);
    });
    expect(plans.length).toBeGreaterThan(7);
    for (const plan of plans) expect(plan).not.toMatch(/SCAN (?!\(subquery|\d|CONSTANT ROW)|TEMP B-TREE/);
    expect(plans.join('\n')).toContain('tf_slices_open');
    expect(plans.join('\n')).toContain('message_rows_waiting');
    expect(plans.join('\n')).toContain('message_rows_type');
  });
});

describe('the count of failed STF files', () => {
  it('reads only the failed files, not every STF file of the execution', async () => {
    const plans = await plansOf(
      ({ store }) => void store.sql(`SELECT ${failedStfs} FROM workflow_executions AS e`).values(),
    );
    expect(plans.join()).toContain('SEARCH w USING COVERING INDEX stf_sites_failed (execution_id=?)');
  });
});

describe('the search for removable executions', () => {
  it('finds unsent messages through the outbox index, without scanning the log', async () => {
    const plans = await plansOf(({ store }) => void removableExecutions(store.sql, { keep: 1 }, () => true));
    expect(plans[0]).toMatch(/message_rows USING (?:COVERING )?INDEX message_rows_outbox/);
    expect(plans.join('\n')).not.toMatch(/SCAN message_rows(?! USING (?:COVERING )?INDEX message_rows_outbox)/);
  });
});
