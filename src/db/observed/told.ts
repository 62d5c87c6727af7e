import type { ToldFact, ToldStatus } from '../../observed/reading/fact.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { stfSaid, tfSaid } from './files.ts';
import { orNull, type ObservedScope, type SaidFact } from './said.ts';
import { sliceTold } from './told-slices.ts';

/** Gives a fact that the testbed's monitor was told by REST its effect. */
export function toldSaid(scope: ObservedScope, said: SaidFact<ToldFact>, by: string | undefined): void {
  const { fact } = said;
  switch (fact.kind) {
    case 'told_execution':
      registered(scope, { ...said, fact });
      return statusTold(scope, { status: 'running', at: said.sent_ms, by });
    case 'told_status':
      return statusTold(scope, { status: fact.status, at: said.sent_ms, by });
    case 'told_stf':
      return stfSaid(scope, { ...said, fact });
    case 'told_tf':
      return tfSaid(scope, { ...said, fact });
    case 'told_slice':
      return sliceTold(scope, fact.slice_filename, said.seq);
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

/** The status that was told last stands; an end that was told once stays when it is told again. */
function statusTold(
  { tx, execution_id }: ObservedScope,
  { status, at, by }: { status: ToldStatus; at: number; by: string | undefined },
): void {
  const { sql } = tx;
  if (status !== 'running')
    sql(
      'UPDATE observed_runs SET told_end_ms = min(coalesce(told_end_ms, $at), $at) WHERE execution_id = $execution_id',
    ).run({ at, execution_id });
  sql(
    `UPDATE observed_runs SET told_status = $status, told_ms = $at, told_by = $by
     WHERE execution_id = $execution_id AND (told_ms IS NULL OR told_ms < $at OR (told_ms = $at AND told_status = 'running'))`,
  ).run({ status, at, by: orNull(by), execution_id });
  sql(
    `UPDATE workflow_executions AS e SET status = told_status, status_reason = iif(told_status = 'running', NULL, told_status),
       end_time = iif(told_status = 'running', NULL, ${isoTime('told_end_ms')})
     FROM observed_runs AS o WHERE o.execution_id = e.execution_id AND e.execution_id = ?`,
  ).run(execution_id);
}
