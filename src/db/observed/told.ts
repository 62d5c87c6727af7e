import type { ExecutionStatus } from '../../domain/states.ts';
import type { ToldFact } from '../../observed/reading/fact.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import { resultsForTold } from './attempts.ts';
import { stfSaid, tfSaid } from './files.ts';
import {
  isBefore,
  type ObservedScope,
  orNull,
  type Said,
  type SaidFact,
  statementOf,
  type StoredMessage,
} from './said.ts';
import { sliceTold } from './told-slices.ts';

/** Applies a fact that the testbed's monitor was told by REST. */
export function toldSaid(scope: ObservedScope, said: SaidFact<ToldFact>): void {
  const { fact } = said;
  switch (fact.kind) {
    case 'told_execution':
      registered(scope, { ...said, fact });
      return statusTold(scope);
    case 'told_status':
      return statusTold(scope);
    case 'told_stf':
    case 'told_stf_ready':
      return stfSaid(scope, { ...said, fact });
    case 'told_tf':
      return tfSaid(scope, { ...said, fact });
    case 'told_slice':
      sliceTold(scope, fact.slice_filename, said.seq);
      return resultsForTold(scope, fact.slice_filename);
    case 'told':
      return;
  }
}

function registered(
  { tx, execution_id }: ObservedScope,
  { fact: { parameters, executed_by, workflow_name } }: SaidFact<Extract<ToldFact, { kind: 'told_execution' }>>,
): void {
  tx.sql('UPDATE workflow_executions SET params = ?, executed_by = ?, workflow_name = ? WHERE execution_id = ?').run(
    JSON.stringify(parameters),
    orNull(executed_by),
    orNull(workflow_name),
    execution_id,
  );
}

interface Told extends Said {
  status: ExecutionStatus;
  by: string | undefined;
}

/** The last end that was told counts, at the time of the first; an execution that has ended does not run again. */
function statusTold(scope: ObservedScope): void {
  const { sql } = scope.tx;
  const { execution_id } = scope;
  const statuses = everyStatus(scope);
  const ends = statuses.filter(({ status }) => status !== 'running');
  const last = ends.at(-1) ?? statuses.at(-1);
  if (last === undefined) return;
  const end = ends[0]?.sent_ms ?? null;
  sql('UPDATE observed_runs SET told_status = ?, told_ms = ?, told_by = ?, told_end_ms = ? WHERE execution_id = ?').run(
    last.status,
    last.sent_ms,
    orNull(last.by),
    end,
    execution_id,
  );
  sql('UPDATE workflow_executions SET status = ?, status_reason = ?, end_time = ? WHERE execution_id = ?').run(
    last.status,
    last.status === 'running' ? null : last.status,
    end === null ? null : new Date(end).toISOString(),
    execution_id,
  );
}

/** Every status that was told of an execution, in order. */
const everyStatus = ({ tx: { sql }, execution_id }: ObservedScope): Told[] =>
  sql<[string], Said & StoredMessage>(
    `SELECT seq, sent_ms, message_id, coalesce(destination, '') AS destination, body, headers FROM message_rows
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
