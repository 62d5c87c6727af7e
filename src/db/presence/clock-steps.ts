import { logLevels } from '../../lib/logger.ts';
import type { ClockStep } from '../../lib/steady-clock.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { jsonField } from '../sqlite/json-field.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A step of the clock of a process that drives an execution. */
export interface NotedStep {
  /** By the clock of the execution, ISO 8601. */
  at: string;
  seconds: number;
  hostname: string;
}

/** Logs steps of the clock of a process for each execution that it drove at that time. Returns a line each, for people. */
export function noteClockSteps({ sql }: Transaction, processId: number, steps: readonly ClockStep[]): string[] {
  const lived = sql<
    [number, string],
    { execution_id: string; hostname: string; run_number: number | null; agent: string | null }
  >(
    `SELECT execution_id, hostname, run_number,
       (SELECT agent_name FROM system_agents WHERE process_id = o.process_id ORDER BY agent_type = 'daq_simulator' DESC LIMIT 1) AS agent
     FROM execution_owners AS o JOIN processes USING (process_id) JOIN workflow_executions USING (execution_id)
     WHERE process_id = ? AND (end_time IS NULL OR end_time >= ?)`,
  );
  const insert = sql<unknown[]>(
    'INSERT INTO app_logs (timestamp, level, agent, message, execution_id, run_id, context) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  return steps.map(({ at, seconds }) => {
    const time = new Date(at).toISOString();
    const message =
      seconds < 0
        ? `the clock of this machine was set back by ${-seconds} s; the times of what goes on here do not go back`
        : `the clock of this machine went forward by ${seconds} s: it was set, or the machine slept`;
    for (const { execution_id, hostname, run_number, agent } of lived.all(processId, time))
      insert.run(
        time,
        logLevels.ERROR,
        agent ?? 'unknown',
        message,
        execution_id,
        run_number === null ? null : String(run_number),
        JSON.stringify({ clock_step: seconds, hostname }),
      );
    return message;
  });
}

/** Steps that are told. */
const most = 20;

/** The steps of the clock by which the times of an execution were taken, in their order. */
export const clockStepsOf = (sql: Prepare, executionId: string): NotedStep[] =>
  sql<[string, number], NotedStep>(
    `SELECT timestamp AS at, ${jsonField('context', 'clock_step')} AS seconds, ${jsonField('context', 'hostname')} AS hostname FROM app_logs
     WHERE execution_id = ? AND ${indexPredicates.error} AND ${jsonField('context', 'clock_step')} IS NOT NULL ORDER BY log_id LIMIT ?`,
  ).all(executionId, most);

/** Seconds that the clock went forward beside the time that passed. A step back does not show in the times. */
export const secondsSkipped = (steps: readonly NotedStep[]): number =>
  steps.reduce((sum, { seconds }) => sum + Math.max(0, seconds), 0);
