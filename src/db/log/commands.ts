import type { Effect, EffectCode, MessageEffect } from '../../domain/effects.ts';
import { decodeRecorded } from '../../messages/codec.ts';
import type { Message } from '../../messages/message.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf, shortId, typeNumbers } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/**
 * Commands in the log: `stop_workflow`, `pause_workflow`, `resume_workflow`. They wait there for the
 * execution's driver.
 */

/** The effect of a command that the driver has not carried out yet. */
export const waitsForDriver: Effect = { effect: 'none', code: 'WAITS_FOR_DRIVER', reason: 'waits for the driver' };

/** The state of a command: waiting, carried out, or without effect. */
export type CommandState = 'waiting' | { effect: 'applied' } | { effect: 'none'; code: EffectCode; reason: string };

/** Throws an `Error` if the command is not recorded. */
export function commandState(sql: Prepare, messageId: string): CommandState {
  const row = sql<{ effect: MessageEffect; effect_code: EffectCode | null; effect_reason: string | null }>(
    `SELECT effect, effect_code, effect_reason FROM message_rows WHERE short_id = ${shortId('?')}`,
  ).get(messageId);
  if (row === undefined) throw new Error(`the command ${messageId} is not recorded`);
  if (row.effect === 'applied') return { effect: 'applied' };
  if (row.effect_code === 'WAITS_FOR_DRIVER') return 'waiting';
  return { effect: 'none', code: row.effect_code ?? 'REFUSED', reason: row.effect_reason ?? '' };
}

type CommandType = 'stop_workflow' | 'pause_workflow' | 'resume_workflow';

/** The commands of these types that wait for the driver of an execution, oldest first. */
export function waitingCommands<T extends CommandType>(sql: Prepare, id: string, types: readonly T[]) {
  // Usually no command is waiting. Comparing types in SQL would cost more than checking the few waiting ones
  // here.
  return sql<string>(
    `SELECT ${messageColumns.payload} FROM message_rows INDEXED BY message_rows_waiting
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.waitingCommand} ORDER BY seq`,
  )
    .values(id)
    .map(decodeRecorded)
    .filter(({ msg_type }) => types.some((type) => type === msg_type)) as Message<T>[];
}

export function noteApplied({ sql }: Transaction, messageId: string) {
  const apply = `UPDATE message_rows SET effect = 'applied', effect_code = NULL, effect_reason = NULL WHERE short_id = ${shortId('?')}`;
  sql(apply).run(messageId);
}

export function noteRefused({ sql }: Transaction, messageId: string, code: EffectCode, reason: string) {
  sql(`UPDATE message_rows SET effect_code = ?, effect_reason = ? WHERE short_id = ${shortId('?')}`).run(
    code,
    reason,
    messageId,
  );
}

/**
 * Records that the waiting commands of an execution will not be carried out.
 * @param except the id of a command that keeps waiting
 */
export function refuseWaiting(
  { sql }: Transaction,
  executionId: string,
  { code, reason, except = '' }: { code: EffectCode; reason: string; except?: string | undefined },
) {
  sql(
    `UPDATE message_rows SET effect_code = ?, effect_reason = ?
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.waitingCommand} AND short_id IS NOT ${shortId('?')}`,
  ).run(code, reason, executionId, except);
}

/** As SQL: the last message that took effect in the execution `$id` and has one of the given types. */
const lastApplied = (columns: string, types: readonly string[]) =>
  `SELECT ${columns} FROM message_rows WHERE execution_no = ${numberOf('$id')} AND ${indexPredicates.landmark}
     AND type_no IN ${typeNumbers(types)} AND effect = 'applied' ORDER BY seq DESC LIMIT 1`;

const isPause = `type_no = ${numberOf(`'pause_workflow'`)}`;

/**
 * The last pause or resume, and whether it is a pause that is still in effect; a takeover ends a pause. The
 * log's order decides which came last, since the clocks of hosts differ.
 */
const lastChange = (sql: Prepare, executionId: string) =>
  sql<{ held: number | null; payload: string }>(
    lastApplied(
      `${isPause} AND seq > (${lastApplied('seq', ['driver_started'])}) AS held, ${messageColumns.payload} AS payload`,
      ['pause_workflow', 'resume_workflow'],
    ),
  ).get({ id: executionId });

export const isHeld = (sql: Prepare, executionId: string) => lastChange(sql, executionId)?.held === 1;

export function heldBy(sql: Prepare, executionId: string) {
  const row = lastChange(sql, executionId);
  return row?.held !== 1 ? undefined : (decodeRecorded(row.payload) as Message<'pause_workflow'>);
}
