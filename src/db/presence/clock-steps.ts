import type { ClockStep } from '../../lib/steady-clock.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { jsonField } from '../sqlite/json-field.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { tellExecutions } from './told-executions.ts';

/** A step of the clock of a process that drives an execution. */
export interface NotedStep {
  /** By the clock of the execution, ISO 8601. */
  at: string;
  seconds: number;
  hostname: string;
}

/** Logs steps of the clock of a process for each execution that it drove at that time. Returns a line each, for people. */
export const noteClockSteps = (tx: Transaction, processId: number, steps: readonly ClockStep[]): string[] =>
  steps.map(({ at, seconds }) =>
    tellExecutions(tx, processId, {
      at,
      message:
        seconds < 0
          ? `the clock of this machine was set back by ${-seconds} s; the times of what goes on here do not go back`
          : `the clock of this machine went forward by ${seconds} s: it was set, or the machine slept`,
      context: { clock_step: seconds },
    }),
  );

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
