import type { Effect, EffectCode, MessageEffect } from '../../domain/effects.ts';
import { toUtc, utcNow } from '../../lib/time.ts';
import type { Envelope } from '../../messages/fields.ts';
import { destinationOf, isMessageType, type MessageType } from '../../messages/vocabulary.ts';
import { typeTraits } from '../migrations/index-predicates.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { shortId } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { nameNumbers } from './numbers.ts';

/** Stands for the id in `TIME@MESSAGE_ID` if there was no message yet. */
export const noMessage = 'none';

/** Facts about a message that are not in its body. */
export interface Circumstances {
  /** When the message was sent, if the body does not say. */
  sentAt?: string | undefined;
  /** For a replay: when the row was recorded; otherwise now. */
  recordedAt?: string;
  /** For a replay: the effect that a command had once its driver had handled it. */
  effect?: Effect;
  /** For a replay: the row's number; otherwise the next number. */
  seq?: number | undefined;
  /** Whether this is a replay, in which a `run_workflow` keeps its execution id and run number. */
  isReplay?: boolean;
  /** Whether the recorder has to send the row over the broker. */
  goesOut?: boolean | undefined;
  /** Whether the row came over the broker and need not be sent. */
  fromBroker?: boolean | undefined;
  /** For a message from another program: the headers as stored (JSON). */
  headers?: string;
}

interface NewRow extends Said {
  destination: string;
}

export interface LogRow {
  seq: number;
  message_id: string;
  destination: string;
  payload: string;
  effect: MessageEffect;
  effect_code: EffectCode | null;
  effect_reason: string | null;
  execution_id: string | null;
}

export interface Recorded extends Omit<LogRow, 'payload' | 'destination'> {
  /** False if the log already had the message, so that nothing was written. */
  isNew: boolean;
  /** The types of earlier messages that had waited for this one and took effect with it. */
  released?: MessageType[];
}

/** As SQL: whether a row came over the broker. Such a row is not sent from here, and counts as sent. */
export const cameOverBroker = '(goes_out IN (2, 3) OR (goes_out IS NULL AND outbox_sent_at IS NOT NULL))';

/**
 * As SQL: when the event of a row happened, for delays and durations: the sending time for rows of this
 * store's processes; the recording time for rows that came over the broker, since another host's clock may be
 * off.
 */
export const happenedAt = isoTime(`iif(${cameOverBroker}, recorded_ms, sent_ms)`);

export const isExecution = (sql: Prepare, executionId: string) =>
  sql('SELECT 1 FROM workflow_executions WHERE execution_id = ?').has(executionId);

export const isMessageId = (sql: Prepare, messageId: string) =>
  sql(`SELECT 1 FROM message_rows WHERE short_id = ${shortId('?')}`).has(messageId);

const isUsual = (type: string, destination: string) => isMessageType(type) && destination === destinationOf(type);

export const findRow = (sql: Prepare, messageId: string) =>
  sql<LogRow>(
    `SELECT seq, message_id, destination, payload, effect, effect_code, effect_reason, execution_id
     FROM workflow_messages WHERE short_id = ?`,
    // This runs for every message. Shortening the id in SQLite would take as long as looking it up.
  ).get(nameNumbers(sql).shortId(messageId));

export function insertRow(
  { sql }: Transaction,
  { envelope, message_id, destination, payload }: NewRow,
  effect: Effect,
  { recordedAt = utcNow(), sentAt, goesOut, fromBroker, headers, seq }: Circumstances,
): Recorded {
  const { effect_code, effect_reason, awaits } = effectColumns(effect);
  const { msg_type, execution_id, simulation_tick } = envelope;
  const sent = sentAt ?? toUtc(envelope.timestamp) ?? recordedAt;
  const { body, is_whole } =
    headers === undefined
      ? storedBody({ payload, message_id, envelope }, sent, effect.effect !== 'rejected')
      : { body: payload, is_whole: 1 };
  const { numberOf, newShortId } = nameNumbers(sql);
  const { lastInsertRowid } = sql(
    `INSERT INTO message_rows (seq, short_id, type_no, type_traits, sender_no, namespace_no, execution_no, run_no, destination,
       sent_ms, recorded_ms, simulation_tick, effect, effect_code, effect_reason, awaits, wire_message_id, goes_out, outbox_sent_at, is_whole, body, headers)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    seq ?? null,
    newShortId(message_id),
    numberOf(msg_type),
    // A message from a broker is never an entry in our own logbook, whatever its type.
    typeTraits(msg_type, headers !== undefined || fromBroker === true),
    numberOf(envelope.sender),
    numberOf(envelope.namespace),
    numberOf(execution_id),
    numberOf(envelope.run_id),
    isUsual(msg_type, destination) ? null : destination,
    Date.parse(sent),
    Date.parse(recordedAt),
    simulation_tick === undefined ? null : String(simulation_tick),
    effect.effect,
    effect_code,
    effect_reason,
    awaits,
    envelope.message_id ?? null,
    goesOut === true ? 1 : null,
    fromBroker === true ? recordedAt : null,
    is_whole,
    body,
    headers ?? null,
  );
  return {
    seq: Number(lastInsertRowid),
    message_id,
    effect: effect.effect,
    effect_code,
    effect_reason,
    execution_id: execution_id ?? null,
    isNew: true,
  };
}

/** The columns that describe an effect, other than its name. */
export function effectColumns(effect: Effect) {
  if (effect.effect === 'applied') return { effect_code: null, effect_reason: null, awaits: null };
  return { effect_code: effect.code, effect_reason: effect.reason, awaits: effect.awaits ?? null };
}

/** A payload, and the columns of the row that describe it. */
interface Said {
  payload: string;
  message_id: string;
  envelope: EnvelopeColumns;
}

/**
 * Cuts the envelope off a payload if the columns of its row can restore it byte for byte (as
 * `messageColumns.payload` does). swf-mcp's own agents write the envelope after the fields in a fixed order. A
 * payload whose fields are in another order, or that is not JSON, stays whole.
 */
export function storedBody(row: Said, sentAt: string, isJson: boolean) {
  const { payload } = row;
  const [before, after] = envelopeTexts(row, sentAt) ?? ['', ''];
  const end = payload.length - after.length;
  const isRestorable =
    isJson &&
    after !== '' &&
    end >= before.length &&
    payload.startsWith(before) &&
    payload.endsWith(after) &&
    // The type is followed by the comma before the first field, or before the envelope.
    payload[before.length] === ',';
  return isRestorable
    ? { body: `{${payload.slice(before.length + 1, end)}}`, is_whole: 0 }
    : { body: payload, is_whole: 1 };
}

/**
 * The texts before and after the fields; undefined if a column of the envelope is empty. Values that JSON
 * would escape do not match these texts.
 */
function envelopeTexts(
  { message_id, envelope: { msg_type, sender, namespace, execution_id, run_id, simulation_tick } }: Said,
  sentAt: string,
): [before: string, after: string] | undefined {
  if (sender === undefined || namespace === undefined || execution_id === undefined || run_id === undefined)
    return undefined;
  const tick = simulation_tick === undefined ? '' : `,"simulation_tick":${simulation_tick}`;
  return [
    `{"msg_type":"${msg_type}"`,
    `,"sender":"${sender}","namespace":"${namespace}","execution_id":"${execution_id}","run_id":"${run_id}",` +
      `"timestamp":"${sentAt}"${tick},"message_id":"${message_id}"}`,
  ];
}

/**
 * The columns that a body can fill, by the names of its fields. The id in a message is stored but not
 * trusted.
 */
export type EnvelopeColumns = { msg_type: string } & { [Field in keyof Envelope]?: Envelope[Field] | undefined };

/** The usable envelope fields of a body that was rejected or has an unknown type. */
export function usableEnvelope(body: Record<string, unknown>, fallbackType: string): EnvelopeColumns {
  const text = (key: string) => {
    const value = body[key];
    return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined;
  };
  return {
    msg_type: (text('msg_type') ?? fallbackType).slice(0, 50),
    sender: text('sender'),
    namespace: text('namespace'),
    execution_id: text('execution_id'),
    run_id: text('run_id'),
    timestamp: text('timestamp'),
    message_id: text('message_id'),
  };
}
