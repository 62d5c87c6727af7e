import { isMessageId } from '../log/rows.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { applied, none, type Projection, type Scope } from './effect.ts';

/**
 * Driver messages change no table: `reports/drivers.ts` reads from them who drove an execution, from when to when. These functions only check
 * that none contradicts an earlier one.
 */
export const driverStarted: Projection<'driver_started'> = ({ epoch }, { scope, tx }) =>
  isSaid(tx, scope, `driver_started/${epoch + 1}`) ? none('NO_STEP', `epoch ${epoch} is over`) : applied;

export const driverEnded: Projection<'driver_ended'> = ({ epoch }, { scope, tx }) =>
  isSaid(tx, scope, `driver_lost/${epoch}`) ? none('NO_STEP', `the driver of epoch ${epoch} was lost before`) : applied;

export const driverLost: Projection<'driver_lost'> = ({ epoch }, { scope, tx }) =>
  isSaid(tx, scope, `driver_ended/${epoch}`)
    ? none('NO_STEP', `the driver of epoch ${epoch} has ended before`)
    : applied;

/** @param key the part of a message's id after the execution */
const isSaid = ({ sql }: Transaction, { execution_id }: Scope, key: string): boolean =>
  isMessageId(sql, `${execution_id}/${key}`);
