import type { Transaction } from '../sqlite/transaction.ts';

/** A log line of a program of the testbed. */
export interface ToldLine {
  agent: string;
  /** As Python numbers them: 10 to 50. */
  level: number;
  message: string;
  execution_id: string | undefined;
  run_id: string | undefined;
  context: object;
}

/** Writes a line into `app_logs`. Returns its number. @param at ISO 8601 in UTC: their own times have no zone */
export function insertToldLine({ sql }: Transaction, line: ToldLine, at: string): number {
  const { agent, level, message, execution_id, run_id, context } = line;
  const isKnown =
    execution_id !== undefined &&
    sql<[string]>('SELECT 1 FROM workflow_executions WHERE execution_id = ?').get(execution_id) !== undefined;
  return Number(
    sql(
      'INSERT INTO app_logs (timestamp, level, agent, message, execution_id, run_id, context) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(at, level, agent, message, isKnown ? execution_id : null, run_id ?? null, JSON.stringify(context))
      .lastInsertRowid,
  );
}
