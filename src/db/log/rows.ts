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

/** Replaces the id in `TIME@MESSAGE_ID` if there was no message yet. */
export const noMessage = 'none';

/** Facts about a message that are not in its body. */
export interface Circumstances {
  /** When it was sent, if the body does not say. */
  sentAt?: string | undefined;
  /** On replay: when it was recorded; otherwise now. */
  recordedAt?: string;
  /** On replay: the effect that a driver gave a command. */
  effect?: Effect;
  /** On replay: the row's number; otherwise the next one. */
  seq?: number | undefined;
  /** Whether this is a replay: a `run_workflow` keeps the numbers it was given. */
  isReplay?: boolean;
  /** Whether the recorder has to send the row over the broker. */
  goesOut?: boolean | undefined;
  /** Whether it came over the broker and need not be sent. */
  fromBroker?: boolean | undefined;
  /** For a message of other programs: the stored headers (JSON). */
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

/** A row of the log, as recorded. */
export interface Recorded extends Omit<LogRow, 'payload' | 'destination'> {
  /** False if the log already had the statement: nothing was written. */
  isNew: boolean;
  /** The types of earlier messages that waited for this one and took effect with it. */
  released?: MessageType[];
}

/** As SQL: whether a row came over the broker. It needed no sending from here and counts as sent. */
export const cameOverBroker = '(goes_out IN (2, 3) OR (goes_out IS NULL AND outbox_sent_at IS NOT NULL))';

/**
 * As SQL: when a row happened, for delays and durations: the sending time for processes of this store, and
 * the recording time for rows that came over the broker, since another host's clock may be off.
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
    // Executed for every message: SQLite would take as long to shorten the id as to look it up.
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
    // A message from a broker is never our own entry, whatever its type.
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

/** The columns of an effect besides its name. */
export function effectColumns(effect: Effect) {
  if (effect.effect === 'applied') return { effect_code: null, effect_reason: null, awaits: null };
  return { effect_code: effect.code, effect_reason: effect.reason, awaits: effect.awaits ?? null };
}

/** A payload, and the columns of its row that describe it. */
interface Said {
  payload: string;
  message_id: string;
  envelope: EnvelopeColumns;
}

/**
 * Cuts the envelope off a payload if the columns of its row can restore it byte for byte
 * (`messageColumns.payload` does). Our own agents write the envelope after the fields in a fixed order; a
 * payload with another order, or that is not JSON, stays whole.
 */
export function storedBody(row: Said, sentAt: string, isJson: boolean): { body: string; is_whole: number } {
  const { payload } = row;
  const [before, after] = envelopeTexts(row, sentAt) ?? ['', ''];
  const end = payload.length - after.length;
  const isRestorable =
    isJson &&
    after !== '' &&
    end >= before.length &&
    payload.startsWith(before) &&
    payload.endsWith(after) &&
    // After the type comes the comma of the first field, or of the envelope.
    payload[before.length] === ',';
  return isRestorable
    ? { body: `{${payload.slice(before.length + 1, end)}}`, is_whole: 0 }
    : { body: payload, is_whole: 1 };
}

/**
 * The texts before and after the fields; undefined if a column of the envelope is empty. Values that JSON
 * would escape do not match.
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
 * The columns that a body can fill, by the names of its fields. The id that a message brought along is stored
 * but not trusted.
 */
export type EnvelopeColumns = { msg_type: string } & { [Field in keyof Envelope]?: Envelope[Field] | undefined };

/** The usable envelope fields of a body that is not a message of the vocabulary. */
export function usableEnvelope(body: Record<string, unknown>, fallbackType: string): EnvelopeColumns {
  const text = (key: string): string | undefined => {
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
