import type { Effect } from '../../domain/effects.ts';
import { onceFor } from '../../lib/once-for.ts';
import type { LogbookType } from '../../messages/logbook.ts';
import type { Message } from '../../messages/message.ts';
import { isLogbookType, type MessageType } from '../../messages/vocabulary.ts';
import type { OwnExecution } from '../execution/find-execution.ts';
import { executionParams, forgetParams } from '../execution/params.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { type LogbookProjection, none, type Projection, type Projections, type Scope } from './effect.ts';
import { createExecution, executionProjections } from './execution.ts';
import { fileProjections } from './files.ts';
import { logbookProjections } from './logbook.ts';
import { slice } from './slice-queueing.ts';
import { workProjections } from './slice-work.ts';

/** The projection: one function per message type. If a type is missing, compilation fails. */
const projections: Projections = { ...fileProjections, slice, ...workProjections, ...executionProjections };

type ExecutionRow = Pick<OwnExecution, 'key' | 'execution_id' | 'start_time' | 'namespace' | 'status' | 'run_number'>;

/**
 * The execution last looked up in a transaction, kept because a step has many messages about the same
 * execution.
 */
const latestOf: (tx: Transaction) => { row?: ExecutionRow | undefined } = onceFor(() => ({}));

/**
 * Projects a message inside the transaction that records it.
 * @param at when the reported event happened, ISO 8601 in UTC
 */
export function project(tx: Transaction, message: Message, at: string): Effect {
  if (message.msg_type === 'run_workflow') {
    forget(tx, message.execution_id);
    return createExecution(tx, message, at);
  }
  const { msg_type } = message;
  if (isLogbookType(msg_type)) {
    const projectEntry = logbookProjections[msg_type] as LogbookProjection<LogbookType>;
    return projectEntry(message as Message<LogbookType>, { at, tx });
  }
  const scope = scopeOf(tx, message);
  if ('effect' in scope) return scope;
  if (msg_type === 'workflow_ended') forget(tx, scope.execution_id);
  return (projections[msg_type] as Projection<MessageType>)(message, { scope, at, tx });
}

function scopeOf(tx: Transaction, { execution_id, run_id, namespace }: Message): Scope | Effect {
  if (execution_id === undefined) return none('NO_EXECUTION', 'names no execution');
  const row = executionRow(tx, execution_id);
  if (row === undefined) return none('EXECUTION_UNKNOWN', `unknown execution ${execution_id}`);
  if (row.status !== 'running') return none('EXECUTION_ENDED', `the execution has ended (${row.status})`);
  if (run_id !== undefined && run_id !== String(row.run_number))
    return none('OTHER_RUN', `run ${run_id} is not run ${row.run_number} of ${execution_id}`);
  if (row.namespace !== namespace) return none('OTHER_NAMESPACE', `${execution_id} is in namespace ${row.namespace}`);
  return { execution_id, run_number: row.run_number, params: executionParams(tx.sql, row) };
}

function executionRow(tx: Transaction, executionId: string) {
  const latest = latestOf(tx);
  if (latest.row?.execution_id === executionId) return latest.row;
  latest.row = tx
    .sql<ExecutionRow>(
      `SELECT seq AS key, execution_id, namespace, status, run_number, start_time
       FROM workflow_executions WHERE execution_id = ? AND origin = 'own'`,
    )
    .get(executionId);
  return latest.row;
}

/** Drops cached facts about an execution that is about to change. */
function forget(tx: Transaction, executionId: string | undefined) {
  latestOf(tx).row = undefined;
  if (executionId !== undefined) forgetParams(tx.sql, executionId);
}
