import { randomUUID } from 'node:crypto';

import type { Quality } from '../../domain/logbook-words.ts';
import { argumentInvalid, SwfError } from '../../lib/errors.ts';
import { utcNow } from '../../lib/time.ts';
import { decodeObject } from '../../messages/codec.ts';
import type { LogbookType } from '../../messages/logbook.ts';
import type { Draft } from '../../messages/message.ts';
import type { AlarmFinding } from '../../monitoring/findings/alarms.ts';
import type { Recorded } from '../log/rows.ts';
import type { Store } from '../opening/store.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { alarmNamed } from './alarms.ts';
import { qualityOf } from './people.ts';

/** The author, as claimed by the sender: a user, a token or a client. */
export interface Author {
  author: string;
  sender: string;
}

export interface NewNote extends Author {
  /** Undefined if the entry is not about an execution. */
  execution_id: string | undefined;
  text: string;
  /** ISO 8601; now by default. */
  at?: string | undefined;
  about?: string | undefined;
  for_next?: boolean | undefined;
}

export interface NewQuality extends Author {
  execution_id: string;
  value: Quality;
  reason: string;
}

/** Records a note, and returns its id. */
export async function addNote(store: Store, { execution_id, sender, ...note }: NewNote) {
  const draft: Draft<'note'> = { msg_type: 'note', command_id: randomUUID(), ...note };
  return (await store.write((tx) => recordEntry(store, tx, draft, { execution_id, sender }))).message_id;
}

/**
 * Sets the quality of a run.
 * @returns the id of the message, and the previous quality
 */
export function setQuality(store: Store, { execution_id, sender, ...quality }: NewQuality) {
  const draft: Draft<'quality'> = { msg_type: 'quality', command_id: randomUUID(), ...quality };
  return store.write((tx) => {
    const was = qualityOf(tx.sql, execution_id)?.value ?? 'none';
    const { message_id } = recordEntry(store, tx, draft, { execution_id, sender });
    return { message_id, value: quality.value, was };
  });
}

/**
 * Records that a person has seen an alarm. Throws `ARGUMENT_INVALID` if the name matches no alarm, or more than
 * one.
 * @param name the alarm's id, or a prefix of the id
 * @returns the alarm; `isNew` is false if it had been seen before
 */
export const markSeen = (store: Store, name: string, by: Author & { text?: string | undefined }) =>
  store.write((tx) => {
    const { sender, author, text } = by;
    const alarm = alarmNamed(tx.sql, name);
    if (alarm.seen_by !== null) return { alarm, isNew: false };
    const draft: Draft<'alarm_seen'> = { msg_type: 'alarm_seen', ...contentOf(alarm), author, text };
    recordEntry(store, tx, draft, { execution_id: alarm.execution_id ?? undefined, sender });
    return { alarm: alarmNamed(tx.sql, alarm.alarm_id), isNew: true };
  });

/** The fields that describe an alarm in each message about it. */
export function contentOf({ code, subject, sentence, severity, count }: AlarmContent): AlarmContent {
  return { code, subject, sentence, severity, count };
}

interface AlarmContent extends AlarmFinding {
  /** How many times the alarm has been raised, counting from 1. */
  count: number;
}

/**
 * Writes an entry in the namespace of its execution. Throws `ARGUMENT_INVALID` if the entry could not be read
 * back.
 */
export function recordEntry(
  store: Pick<Store, 'messages'>,
  tx: Transaction,
  draft: Draft<LogbookType>,
  { execution_id, sender }: { execution_id: string | undefined; sender: string },
): Recorded {
  const namespace = execution_id && namespaceOf(tx.sql, execution_id);
  const message = {
    ...draft,
    sender,
    namespace: namespace === undefined || namespace === '' ? noNamespace : namespace.slice(0, longestNamespace),
    execution_id,
    timestamp: utcNow(),
  };
  const decoded = decodeObject(message);
  if (decoded.kind === 'message') return store.messages.record(tx, decoded.message);
  throw argumentInvalid(decoded.kind === 'rejected' ? decoded.reason : `${draft.msg_type} is not a logbook entry`);
}

/** The namespace of an entry without an execution, or about an execution whose namespace is unknown. */
const noNamespace = 'none';

/** Namespaces of other programs may be longer than this. */
const longestNamespace = 200;

/** Throws `EXECUTION_NOT_FOUND` if the execution has just been removed. */
function namespaceOf(sql: Prepare, executionId: string) {
  const named = sql<string>('SELECT namespace FROM workflow_executions WHERE execution_id = ?');
  const namespace = named.value(executionId);
  if (namespace === undefined) throw new SwfError('EXECUTION_NOT_FOUND', `${executionId} no longer exists`);
  return namespace;
}
