import type { Transaction } from '../../../src/db/sqlite/transaction.ts';

export type Row = Record<string, string | number | null>;

export function insert({ sql }: Transaction, table: string, row: Row): void {
  const names = Object.keys(row);
  sql(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`).run(
    ...(Object.values(row) as string[]),
  );
}

interface Run {
  execution_id: string;
  told_id?: string;
  namespace?: string;
  run_id?: string;
  first_ms?: number;
  last_ms?: number;
  told_start?: string;
  told_status?: string;
}

/** Writes an observed execution, with more of its rows. */
export function observe(tx: Transaction, run: Run, execution: Row = {}, state: Row = {}): void {
  const { execution_id, namespace = '' } = run;
  insert(tx, 'workflow_executions', {
    execution_id,
    origin: 'observed',
    namespace,
    status: 'running',
    params: '{}',
    start_time: '',
    ...execution,
  });
  insert(tx, 'run_states', { execution_id, ...state });
  insert(tx, 'observed_runs', {
    told_id: execution_id,
    namespace,
    run_id: '',
    first_ms: 0,
    last_ms: 0,
    ...run,
  });
}
