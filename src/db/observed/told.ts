import type { ExecutionStatus } from '../../domain/states.ts';
import { type FactOf, isBefore, type Said, type SaidFact } from '../../observed/folding/said.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import { type ObservedScope, saidColumns, statementOf, type StoredMessage } from './said.ts';

/** Applies what the testbed's monitor was told by REST of an execution. */
export function executionTold(scope: ObservedScope, { fact }: SaidFact<FactOf<'told_execution'>>): void {
  const { parameters, executed_by = null, workflow_name = null } = fact;
  scope
    .sql('UPDATE workflow_executions SET params = ?, executed_by = ?, workflow_name = ? WHERE execution_id = ?')
    .run(JSON.stringify(parameters), executed_by, workflow_name, scope.execution_id);
  statusTold(scope);
}

interface Told extends Said {
  status: ExecutionStatus;
  by: string | undefined;
}

/** The last end that was told counts, at the time of the first; an execution that has ended does not run again. */
export function statusTold(scope: ObservedScope): void {
  const { sql, execution_id } = scope;
  const statuses = everyStatus(scope);
  const ends = statuses.filter(({ status }) => status !== 'running');
  const last = ends.at(-1) ?? statuses.at(-1);
  if (last === undefined) return;
  const end = ends[0]?.sent_ms ?? null;
  const { status, sent_ms, by } = last;
  const told = sql(
    'UPDATE observed_runs SET told_status = ?, told_ms = ?, told_by = ?, told_end_ms = ? WHERE execution_id = ?',
  );
  told.run(status, sent_ms, by ?? null, end, execution_id);
  const [reason, end_time] = [status === 'running' ? null : status, end === null ? null : new Date(end).toISOString()];
  const update = sql(
    'UPDATE workflow_executions SET status = ?, status_reason = ?, end_time = ? WHERE execution_id = ?',
  );
  update.run(status, reason, end_time, execution_id);
}

/** Every status that was told of an execution, in order. */
const everyStatus = ({ sql, execution_id }: ObservedScope): Told[] =>
  sql<[string], Said & StoredMessage>(
    `SELECT ${saidColumns} FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND type_no IN ${typeNumbers(['execution_registered', 'execution_status'])} AND effect = 'applied'`,
  )
    .all(execution_id)
    .flatMap((row) => {
      const { fact, sender } = statementOf(row);
      const status =
        fact?.kind === 'told_status' ? fact.status : fact?.kind === 'told_execution' ? 'running' : undefined;
      return status === undefined ? [] : [{ ...row, status, by: sender }];
    })
    .toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
