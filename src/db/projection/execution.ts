import type { Effect } from '../../domain/effects.ts';
import { executionParamsSchema } from '../../domain/params.ts';
import type { Message } from '../../messages/message.ts';
import { refuseWaiting, waitsForDriver } from '../log/commands.ts';
import { isMessageId } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { applied, none, type Projection, type Projections, type Scope } from './effect.ts';
import { abandonSlices } from './slice-work.ts';

/**
 * Creates an execution from its first row, `run_workflow`, whose envelope already contains the execution id
 * and run number.
 */
export function createExecution({ sql }: Transaction, message: Message<'run_workflow'>, at: string): Effect {
  const { execution_id, run_id, workflow_name, namespace, executed_by } = message;
  if (execution_id === undefined || run_id === undefined || !/^\d{1,15}$/.test(run_id))
    return none('NO_NEW_EXECUTION', 'has no execution and run number');
  const run = Number(run_id);
  const known = sql<{ n: number }>(
    `SELECT count(*) AS n FROM workflow_executions WHERE execution_id = ? OR (run_number = ? AND origin = 'own')`,
  ).get(execution_id, run);
  if (known !== undefined && known.n > 0)
    return none('NO_NEW_EXECUTION', `execution ${execution_id} or run ${run_id} already exists`);
  const recorded = { ...message.params, speed: message.speed, plan_version: message.plan_version };
  const params = executionParamsSchema.safeParse(recorded);
  if (!params.success)
    return none('NO_NEW_EXECUTION', `its parameters cannot be used: ${params.error.issues[0]?.path.join('.')}`);
  const overBroker = isOverBroker(message.params) ? 1 : 0;
  sql(
    `INSERT INTO workflow_executions (execution_id, workflow_name, namespace, status, executed_by, run_number, params, over_broker, start_time)
     VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?)`,
  ).run(execution_id, workflow_name, namespace, executed_by, run, JSON.stringify(recorded), overBroker, at);
  sql('INSERT INTO runs (execution_id) VALUES (?)').run(execution_id);
  sql('INSERT INTO run_states (execution_id) VALUES (?)').run(execution_id);
  return applied;
}

/** Whether an execution runs over a broker: its recorded configuration names one. */
const isOverBroker = ({ broker }: Record<string, unknown>) =>
  typeof broker === 'object' && broker !== null && 'url' in broker && typeof broker.url === 'string';

/** A command takes effect when the driver carries it out. The driver's step then records the effect in the log. */
const command: Projection<'stop_workflow' | 'pause_workflow' | 'resume_workflow'> = () => waitsForDriver;

/** Commands, drivers and the end of an execution. */
export const executionProjections = {
  stop_workflow: command,
  pause_workflow: command,
  resume_workflow: command,
  workflow_ended: (message, { scope, at, tx }) => {
    const { sql } = tx;
    const { execution_id } = scope;
    const { status, reason } = message;
    const end = 'UPDATE workflow_executions SET status = ?, status_reason = ?, end_time = ? WHERE execution_id = ?';
    sql(end).run(status, reason, at, execution_id);
    if (status !== 'completed') abandonSlices(tx, scope);
    sql(
      `UPDATE runs SET dataset_state = 'final', end_time = coalesce(end_time, ?) WHERE execution_id = ? AND dataset_state = 'open'`,
    ).run(at, execution_id);
    refuseWaiting(tx, execution_id, { code: 'EXECUTION_ENDED', reason: 'the execution has ended' });
    if (status === 'failed')
      sql(
        `UPDATE stf_files SET status = 'failed' WHERE execution_id = ? AND status = 'registered' AND stf_filename IN (
         SELECT json_extract(body, '$.filename') FROM message_rows
         WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark} AND type_no = ${numberOf(`'stop_workflow'`)} AND effect = 'applied' AND json_valid(body))`,
      ).run(execution_id, execution_id);
    return applied;
  },

  /**
   * Driver messages do not change tables: `reports/drivers.ts` uses them to tell who drove an execution, and
   * when. These functions only check that no message contradicts an earlier one.
   */
  driver_started: ({ epoch }, { scope, tx }) =>
    isSaid(tx, scope, `driver_started/${epoch + 1}`) ? none('NO_STEP', `epoch ${epoch} is over`) : applied,

  driver_ended: ({ epoch }, { scope, tx }) =>
    isSaid(tx, scope, `driver_lost/${epoch}`)
      ? none('NO_STEP', `the driver of epoch ${epoch} was already lost`)
      : applied,

  driver_lost: ({ epoch }, { scope, tx }) =>
    isSaid(tx, scope, `driver_ended/${epoch}`)
      ? none('NO_STEP', `the driver of epoch ${epoch} has already ended`)
      : applied,
} satisfies Partial<Projections>;

/** @param key the part of a message's id after the execution id */
const isSaid = ({ sql }: Transaction, { execution_id }: Scope, key: string) =>
  isMessageId(sql, `${execution_id}/${key}`);
