import { toUtc, utcNow } from '../../lib/time.ts';
import {
  contentOf,
  type Decoded,
  decodeMessage,
  destinationOf,
  type Message,
  messageIdOf,
  wireHash,
} from '../../messages/vocabulary.ts';
import { type Effect, none } from '../projection/effect.ts';
import { createProjection } from '../projection/index.ts';
import type { Connection } from '../sqlite/open-store.ts';
import { type Prepare, preparer } from '../sqlite/statements.ts';
import { transactionOf } from '../sqlite/transaction.ts';
import { createRelease } from './late-messages.ts';
import { drawNumber, reserveNumber } from './numbers.ts';
import {
  asRecorded,
  type Circumstances,
  envelopeOf,
  findRow,
  insertRow,
  type LogRow,
  type Recorded,
  type Said,
  saidIn,
} from './rows.ts';

export interface Recorder {
  /** Records what one of our own agents says. Inside a transaction only. */
  record(message: Message, circumstances?: Circumstances): Recorded;
  /** Records a message as it came from outside, readable or not. Inside a transaction only. */
  recordBody(destination: string, body: string, circumstances?: Circumstances): Recorded;
  /**
   * Whether this very statement is in the log. With several processes on one store most messages that arrive are, and a
   * look needs no transaction.
   */
  isRecorded(body: string): boolean;
}

/**
 * The only writer of the log and of the tables that are read from it.
 *
 * - A message's id is computed here from what it says; one that it brought along is kept beside it.
 * - The same statement made again is one row. The same id with other content is recorded as a conflict, without effect.
 * - Row and projection are written together, so no reader ever sees one without the other.
 * - A message that comes before what it refers to waits in the log, and takes effect when that comes.
 */
export function createRecorder(db: Connection): Recorder {
  const recorder = recorders.get(db) ?? createOne(db);
  recorders.set(db, recorder);
  return recorder;
}

/** One a connection: two would each remember executions as they were before the other changed them. */
const recorders = new WeakMap<Connection, Recorder>();

function createOne(db: Connection): Recorder {
  const sql = preparer(db);
  const project = createProjection(sql, () => transactionOf(db));
  const release = createRelease(sql, project);

  const recordMessage = (
    message: Message,
    destination: string,
    body: string | undefined,
    circumstances: Circumstances,
  ): Recorded => {
    const message_id = messageIdOf(message);
    const known = findRow(sql, message_id);
    if (known !== undefined)
      return recordAgain(sql, { destination, body: body ?? JSON.stringify(message) }, known, message, circumstances);
    const numbered =
      message.msg_type === 'run_workflow' ? withNumbers(db, message, circumstances.isReplay === true) : message;
    const recordedAt = circumstances.recordedAt ?? utcNow();
    const sentAt = toUtc(message.timestamp) ?? circumstances.sentAt ?? recordedAt;
    // The clock of another host may be off, so what it says is taken for said when it came.
    const effect = project(numbered, circumstances.fromBroker === true ? recordedAt : sentAt);
    // The numbers drawn belong to what the row says: a log that is read again must give the same execution.
    const payload = body !== undefined && numbered === message ? body : JSON.stringify({ ...numbered, message_id });
    const recorded = insertRow(
      sql,
      { ...envelopeOf(numbered), message_id, destination, payload },
      circumstances.effect ?? effect,
      { ...circumstances, sentAt, recordedAt },
    );
    const released = effect.effect === 'applied' ? release(numbered) : [];
    return released.length === 0 ? recorded : { ...recorded, released };
  };

  return {
    isRecorded(body) {
      const decoded = decodeMessage(body);
      if (decoded.kind !== 'message') return false;
      const known = findRow(sql, messageIdOf(decoded.message));
      return known !== undefined && agrees(known, decoded.message);
    },
    record: (message, circumstances = {}) =>
      recordMessage(message, destinationOf(message.msg_type), undefined, circumstances),
    recordBody(destination, body, circumstances = {}) {
      const wire = { destination, body };
      const decoded: Decoded =
        circumstances.unreadable === undefined
          ? decodeMessage(body)
          : { kind: 'rejected', reason: circumstances.unreadable, body: {} };
      switch (decoded.kind) {
        case 'message': {
          const { message } = decoded;
          if (message.msg_type === 'run_workflow' || message.execution_id !== undefined) {
            return recordMessage(message, destination, body, circumstances);
          }
          return recordOther(sql, wire, envelopeOf(message), none('names no execution'), circumstances);
        }
        case 'unknown': {
          const said = saidIn(decoded.body, decoded.msg_type);
          return recordOther(sql, wire, said, none(`unknown msg_type ${decoded.msg_type}`), circumstances);
        }
        case 'rejected': {
          const said = saidIn(decoded.body, 'unreadable');
          return recordOther(sql, wire, said, { effect: 'rejected', reason: decoded.reason }, circumstances);
        }
      }
    },
  };
}

/** A message as it came, or as it goes. */
interface Wire {
  destination: string;
  body: string;
}

/** What has no id of its own is known by what was sent where. */
function recordOther(
  sql: Prepare,
  { destination, body }: Wire,
  said: Said,
  effect: Effect,
  circumstances: Circumstances,
): Recorded {
  const message_id = `other/${wireHash(destination, body).slice(0, 16)}`;
  const known = findRow(sql, message_id);
  if (known !== undefined) return asRecorded(known, false);
  return insertRow(sql, { ...said, message_id, destination, payload: body }, effect, circumstances);
}

/** A message whose id is in the log: said again, or contradicting what was said. */
function recordAgain(
  sql: Prepare,
  { destination, body }: Wire,
  known: LogRow,
  message: Message,
  circumstances: Circumstances,
): Recorded {
  if (agrees(known, message)) return asRecorded(known, false);
  const message_id = `${known.message_id}#${wireHash(destination, body).slice(0, 8)}`;
  const knownConflict = findRow(sql, message_id);
  if (knownConflict !== undefined) return asRecorded(knownConflict, false);
  const conflict: Effect = { effect: 'conflict', reason: `says other things than the recorded ${known.message_id}` };
  return insertRow(sql, { ...envelopeOf(message), message_id, destination, payload: body }, conflict, circumstances);
}

/** Whether a recorded message says the same as another of its id. */
function agrees(known: LogRow, message: Message): boolean {
  const before = decodeMessage(known.payload);
  return before.kind === 'message' && contentOf(before.message) === contentOf(message);
}

/** Gives a new `run_workflow` its execution and run number, in the transaction that records it. Nobody else chooses them. */
function withNumbers(db: Connection, message: Message<'run_workflow'>, isReplay: boolean): Message<'run_workflow'> {
  if (isReplay) {
    // Later executions must not draw its numbers.
    reserveNumber(db, 'execution', Number(/-(\d+)$/.exec(message.execution_id ?? '')?.[1] ?? 0));
    reserveNumber(db, 'run', Number(message.run_id) || 0);
    return message;
  }
  const number = String(drawNumber(db, 'execution')).padStart(4, '0');
  return {
    ...message,
    execution_id: `${message.workflow_name}-${message.executed_by}-${number}`,
    run_id: String(drawNumber(db, 'run')),
  };
}
