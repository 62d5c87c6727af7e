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

/** A message from outside: its body as received, and decoded. */
interface ReceivedMessage {
  destination: string;
  body: string;
  decoded: Decoded;
}

/** The destination of a message, and its body if it came from outside. */
type Wire = Pick<ReceivedMessage, 'destination'> & Partial<ReceivedMessage>;

/**
 * The only writer of the log and of the tables derived from it.
 *
 * - A message's id is computed here from its content. An id that it carries is kept beside it.
 * - A repeated statement is one row. The same id with other content is recorded as a conflict, without effect.
 * - Only a row that has an effect, or waits for one, owns its id: a message without effect yields its id to a message that has one.
 * - Row and projection are written together, so no reader ever sees one without the other.
 * - A message that arrives before what it refers to waits in the log, and takes effect once that arrives.
 */
export const createMessageWriter = (sql: Prepare) => ({
  /** Records a message of one of our own agents. */
  record: (tx: Transaction, message: Message, circumstances: Circumstances = {}): Recorded =>
    recordMessage(tx, message, { destination: destinationOf(message.msg_type) }, circumstances),
  /** Records a message from outside, readable or not. */
  recordReceived,
  /**
   * Whether exactly this statement is in the log. With several processes on one store, most arriving messages
   * are, and checking needs no transaction.
   */
  isRecorded: (decoded: Decoded): boolean => recordOf(sql, decoded) !== undefined,
  /** Whether a message is recorded and cannot get another effect by arriving again. */
  isSettled(decoded: Decoded): boolean {
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
      // A driver records its start in the transaction that makes it the driver. Messages from others under
      // its name must not take its ids.
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

function recordOf(sql: Prepare, decoded: Decoded): LogRow | undefined {
  if (decoded.kind !== 'message') return undefined;
  const known = findRow(sql, messageIdOf(decoded.message));
  return known !== undefined && agrees(known, decoded.message) ? known : undefined;
}

/** Why a message is not accepted from a broker; undefined if it is. */
function refusalOf({ sql }: Transaction, message: Message): string | undefined {
  const { msg_type, execution_id } = message;
  if (isLogbookType(msg_type))
    return 'is recorded by the process that receives the request, and not accepted from a broker';
  const isOfExecution = execution_id !== undefined && isExecution(sql, execution_id);
  // Only the driver may send it, for an execution that is driven here.
  if (ofDriver.has(msg_type) && isOfExecution && recordOf(sql, { kind: 'message', message }) === undefined)
    return 'may be sent only by the process that drives the execution';
  return undefined;
}

function recordMessage(tx: Transaction, message: Message, wire: Wire, circumstances: Circumstances): Recorded {
  const message_id = messageIdOf(message);
  const known = findRow(tx.sql, message_id);
  // A request that created no execution creates none when it is repeated.
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
  // The row contains the drawn numbers: replaying the log must give the same execution.
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

/** Whether a message may name no execution, since it creates one or belongs to none. */
const isOfNone = (type: MessageType) => type === 'run_workflow' || isLogbookType(type);

/**
 * When a message was recorded, sent, and happened. Another host's clock may be off, so a message from a
 * broker happens when it is recorded.
 */
function timesOf({ timestamp }: Message, { recordedAt = utcNow(), sentAt, fromBroker }: Circumstances) {
  // Our own agents record a message when they send it. Parsing a time costs more than comparing it.
  const sent = timestamp === recordedAt ? recordedAt : (toUtc(timestamp) ?? sentAt ?? recordedAt);
  return { recordedAt, sentAt: sent, at: fromBroker === true ? recordedAt : sent };
}

/** Types that only the driving process may send: its driver, DAQ simulator and fast processing. */
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

/** Records a body without its own id, identified by its destination and text. */
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

/** Whether a row has had its effect, or waits for it. */
const isSettled = ({ effect, effect_code }: LogRow) => effect !== 'none' || effect_code === 'WAITS';

/**
 * Takes the id from a row without effect. Stores its whole text: fields that columns hold may have been
 * cut from the body.
 */
function giveUpId({ sql }: Transaction, { seq, message_id, destination, payload }: LogRow) {
  const rename = sql(`UPDATE message_rows SET short_id = ${shortId('?')}, is_whole = 1, body = ? WHERE seq = ?`);
  rename.run(conflictId(message_id, destination, payload), payload, seq);
}

/** The id for a message whose natural id belongs to another message. */
const conflictId = (messageId: string, destination: string, payload: string) =>
  `${messageId}#${wireHash(destination, payload).slice(0, 8)}`;

/** Whether a recorded message has the same content as another with its id. */
function agrees(known: LogRow, message: Message): boolean {
  const before = decodeMessage(known.payload);
  return before.kind === 'message' && contentOf(before.message) === contentOf(message);
}

type Request = Message<'run_workflow'>;

/**
 * Assigns a new `run_workflow` its execution id and run number, in the transaction that records it. No other
 * code chooses them.
 */
function withNumbers(tx: Transaction, message: Request, isReplay: boolean): Request {
  if (isReplay) {
    // Later executions must not draw its numbers.
    reserveNumber(tx, 'execution', Number(/-(\d+)$/.exec(message.execution_id ?? '')?.[1] ?? 0));
    reserveNumber(tx, 'run', Number(message.run_id) || 0);
    return message;
  }
  return { ...message, execution_id: freeId(tx, message), run_id: String(drawNumber(tx, 'run')) };
}

/** The next free execution id: other programs may use ids of the same form. */
function freeId(tx: Transaction, { workflow_name, executed_by }: Request): string {
  for (;;) {
    const number = String(drawNumber(tx, 'execution')).padStart(4, '0');
    const id = `${workflow_name}-${executed_by}-${number}`;
    if (!isExecution(tx.sql, id)) return id;
  }
}
