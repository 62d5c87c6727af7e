import type { Effect } from '../../domain/effects.ts';
import { toUtc, utcNow } from '../../lib/time.ts';
import { type Decoded, decodeMessage } from '../../messages/codec.ts';
import { contentOf, messageIdOf, wireHash } from '../../messages/identity.ts';
import type { Message } from '../../messages/message.ts';
import { destinationOf, isLogbookType, type MessageType } from '../../messages/vocabulary.ts';
import { drawNumber, reserveNumber } from '../log/numbers.ts';
import {
  type Circumstances,
  type EnvelopeColumns,
  findRow,
  insertRow,
  isExecution,
  type LogRow,
  type Recorded,
  usableEnvelope,
} from '../log/rows.ts';
import { shortId } from '../migrations/names.ts';
import { none } from '../projection/effect.ts';
import { project } from '../projection/index.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { noteWaiting, releaseWaiting } from './late-messages.ts';

/** A message from outside: its body as received, and the decoded message. */
interface ReceivedMessage {
  destination: string;
  body: string;
  decoded: Decoded;
}

/** The destination of a message, and its body if it came from outside. */
type Wire = Pick<ReceivedMessage, 'destination'> & Partial<ReceivedMessage>;

/**
 * Writes messages into the log, and updates the tables derived from it. Messages of observed executions and calls
 * to the stand-in have writers of their own.
 *
 * - A message's id is computed here from its content. An id that the message contains is stored separately.
 * - A repeated message is one row. A message with the same id but other content is recorded as a conflict,
 *   without effect.
 * - Only a row that has an effect or waits for one keeps its id: a message without effect gives up its id to
 *   a message with an effect.
 * - Row and projection are written together, so no reader ever sees one without the other.
 * - A message that arrives before the message it refers to waits in the log, and takes effect once that
 *   message arrives.
 */
export const createMessageWriter = (sql: Prepare) => ({
  /** Records a message of one of swf-mcp's own agents. */
  record: (tx: Transaction, message: Message, circumstances: Circumstances = {}): Recorded =>
    recordMessage(tx, message, { destination: destinationOf(message.msg_type) }, circumstances),
  /** Records a message from outside, readable or not. */
  recordReceived,
  /**
   * Whether exactly this message is in the log. If several processes use one store, most arriving messages are
   * already in the log, and checking needs no transaction.
   */
  isRecorded: (decoded: Decoded) => recordOf(sql, decoded) !== undefined,
  /** Whether a message is recorded and cannot get another effect by arriving again. */
  isSettled(decoded: Decoded) {
    const known = recordOf(sql, decoded);
    return known !== undefined && isSettled(known);
  },
});

export type MessageWriter = ReturnType<typeof createMessageWriter>;

function recordReceived(tx: Transaction, received: ReceivedMessage, circumstances: Circumstances = {}): Recorded {
  const { decoded } = received;
  const other = (envelope: EnvelopeColumns, effect: Effect) =>
    recordOther(tx, received, { envelope, effect }, circumstances);
  switch (decoded.kind) {
    case 'message': {
      const { message } = decoded;
      // A driver records its start in the transaction that makes it the driver. Messages that others send in
      // the driver's name must not take the ids of its messages.
      const refusal = circumstances.fromBroker === true ? refusalOf(tx, message) : undefined;
      if (refusal !== undefined) return other(message, none('REFUSED', `${message.msg_type} ${refusal}`));
      if (message.execution_id !== undefined || isOfNone(message.msg_type))
        return recordMessage(tx, message, received, circumstances);
      return other(message, none('NO_EXECUTION', 'names no execution'));
    }
    case 'unknown': {
      const envelope = usableEnvelope(decoded.body, decoded.msg_type);
      return other(envelope, none('TYPE_UNKNOWN', `unknown msg_type ${decoded.msg_type}`));
    }
    case 'rejected': {
      const envelope = usableEnvelope(decoded.body, 'unreadable');
      return other(envelope, { effect: 'rejected', code: 'UNREADABLE', reason: decoded.reason });
    }
  }
}

function recordOf(sql: Prepare, decoded: Decoded) {
  if (decoded.kind !== 'message') return undefined;
  const known = findRow(sql, messageIdOf(decoded.message));
  return known !== undefined && agrees(known, decoded.message) ? known : undefined;
}

/** Why a message from a broker is not accepted; undefined if it is accepted. */
function refusalOf({ sql }: Transaction, message: Message): string | undefined {
  const { msg_type, execution_id } = message;
  if (isLogbookType(msg_type))
    return 'is recorded by the process that receives the request, and is not accepted from a broker';
  const isOfExecution = execution_id !== undefined && isExecution(sql, execution_id);
  // Only the driver may send this type for an execution that is driven here.
  if (ofDriver.has(msg_type) && isOfExecution && recordOf(sql, { kind: 'message', message }) === undefined)
    return 'may be sent only by the process that drives the execution';
  return undefined;
}

function recordMessage(tx: Transaction, message: Message, wire: Wire, circumstances: Circumstances): Recorded {
  const message_id = messageIdOf(message);
  const known = findRow(tx.sql, message_id);
  // A request that did not create an execution does not create one when repeated.
  if (known !== undefined && (isSettled(known) || message.msg_type === 'run_workflow'))
    return recordAgain(tx, wire, known, message, circumstances);
  const numbered =
    message.msg_type === 'run_workflow' ? withNumbers(tx, message, circumstances.isReplay === true) : message;
  const { recordedAt, sentAt, at } = timesOf(message, circumstances);
  const effect = project(tx, numbered, at);
  if (known !== undefined) {
    if (effect.effect !== 'applied' && effect.code !== 'WAITS')
      return recordAgain(tx, wire, known, message, circumstances);
    giveUpId(tx, known);
  }
  // Store the assigned numbers in the row, since replaying the log must create the same execution.
  const whole = numbered === message ? wire.body : undefined;
  const payload = whole ?? JSON.stringify(Object.assign({}, numbered, { message_id }));
  const { goesOut, fromBroker, seq } = circumstances;
  const row = { envelope: numbered, message_id, destination: wire.destination, payload };
  const given = { sentAt, recordedAt, goesOut, fromBroker, seq };
  const recorded = insertRow(tx, row, circumstances.effect ?? effect, given);
  if (effect.effect !== 'applied') {
    noteWaiting(tx);
    return recorded;
  }
  const released = releaseWaiting(tx, numbered);
  return released.length === 0 ? recorded : { ...recorded, released };
}

/** Whether a message need not name an execution, since it creates one or belongs to none. */
const isOfNone = (type: MessageType) => type === 'run_workflow' || isLogbookType(type);

/**
 * When a message was recorded, when it was sent, and when its event happened. Another host's clock may be off,
 * so an event in a message from a broker counts as having happened when the message was recorded.
 */
function timesOf({ timestamp }: Message, { recordedAt = utcNow(), sentAt, fromBroker }: Circumstances) {
  // Our own agents record a message when they send it, so its `timestamp` and `recordedAt` are usually equal.
  // Comparing two times costs less than parsing one.
  const sent = timestamp === recordedAt ? recordedAt : (toUtc(timestamp) ?? sentAt ?? recordedAt);
  return { recordedAt, sentAt: sent, at: fromBroker === true ? recordedAt : sent };
}

/** Types that only the driving process may send, through its driver, DAQ simulator and fast processing agent. */
const ofDriver: ReadonlySet<MessageType> = new Set<MessageType>([
  'run_imminent',
  'start_run',
  'stf_gen',
  'pause_run',
  'resume_run',
  'end_run',
  'slice',
  'driver_started',
  'driver_ended',
  'driver_lost',
  'workflow_ended',
]);

/** Records a body without an id; its destination and text identify it. */
function recordOther(
  tx: Transaction,
  { destination, body }: ReceivedMessage,
  { envelope, effect }: { envelope: EnvelopeColumns; effect: Effect },
  circumstances: Circumstances,
): Recorded {
  const message_id = `other/${wireHash(destination, body).slice(0, 16)}`;
  const known = findRow(tx.sql, message_id);
  if (known !== undefined) return { ...known, isNew: false };
  return insertRow(tx, { envelope, message_id, destination, payload: body }, effect, circumstances);
}

/** Records a message whose id is already in the log: a repetition, or a contradiction. */
function recordAgain(tx: Transaction, wire: Wire, known: LogRow, message: Message, facts: Circumstances): Recorded {
  if (agrees(known, message)) return { ...known, isNew: false };
  const { destination, body: payload = JSON.stringify(message) } = wire;
  const message_id = conflictId(known.message_id, destination, payload);
  const knownConflict = findRow(tx.sql, message_id);
  if (knownConflict !== undefined) return { ...knownConflict, isNew: false };
  const reason = `differs from the recorded ${known.message_id}`;
  const conflict: Effect = { effect: 'conflict', code: 'CONTRADICTION', reason };
  return insertRow(tx, { envelope: message, message_id, destination, payload }, conflict, facts);
}

/** Whether a row has had an effect, or waits for one. */
const isSettled = ({ effect, effect_code }: LogRow) => effect !== 'none' || effect_code === 'WAITS';

/**
 * Removes the id from a row without effect. Stores the row's whole text, since fields that are in columns may
 * have been cut from the body.
 */
function giveUpId({ sql }: Transaction, { seq, message_id, destination, payload }: LogRow) {
  const rename = sql(`UPDATE message_rows SET short_id = ${shortId('?')}, is_whole = 1, body = ? WHERE seq = ?`);
  rename.run(conflictId(message_id, destination, payload), payload, seq);
}

/** The id for a message whose natural id is taken by another message. */
const conflictId = (messageId: string, destination: string, payload: string) =>
  `${messageId}#${wireHash(destination, payload).slice(0, 8)}`;

/** Whether a recorded message has the same content as another message with its id. */
function agrees(known: LogRow, message: Message) {
  const before = decodeMessage(known.payload);
  return before.kind === 'message' && contentOf(before.message) === contentOf(message);
}

type Request = Message<'run_workflow'>;

/**
 * Assigns a new `run_workflow` its execution id and run number, in the transaction that records it. No other
 * code chooses them.
 */
function withNumbers(tx: Transaction, message: Request, isReplay: boolean) {
  if (isReplay) {
    // Later executions must not get these numbers.
    reserveNumber(tx, 'execution', Number(/-(\d+)$/.exec(message.execution_id ?? '')?.[1] ?? 0));
    reserveNumber(tx, 'run', Number(message.run_id) || 0);
    return message;
  }
  return { ...message, execution_id: freeId(tx, message), run_id: String(drawNumber(tx, 'run')) };
}

/** The next execution id that is still free: other programs may use ids of the same form. */
function freeId(tx: Transaction, { workflow_name, executed_by }: Request) {
  for (;;) {
    const number = String(drawNumber(tx, 'execution')).padStart(4, '0');
    const id = `${workflow_name}-${executed_by}-${number}`;
    if (!isExecution(tx.sql, id)) return id;
  }
}
