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
  /** Undefined if about no execution. */
  execution_id: string | undefined;
  text: string;
  /** ISO 8601; defaults to now. */
  at?: string | undefined;
  about?: string | undefined;
  for_next?: boolean | undefined;
}

export interface NewQuality extends Author {
  execution_id: string;
  value: Quality;
  reason: string;
}

/** Records a note. Returns its id. */
export async function addNote(store: Store, { execution_id, sender, ...note }: NewNote): Promise<string> {
  const draft: Draft<'note'> = { msg_type: 'note', command_id: randomUUID(), ...note };
  return (await store.write((tx) => recordEntry(store, tx, draft, { execution_id, sender }))).message_id;
}

/** Sets the quality of a run. @returns the id of the message, and the previous quality */
export function setQuality(store: Store, { execution_id, sender, ...quality }: NewQuality) {
  const draft: Draft<'quality'> = { msg_type: 'quality', command_id: randomUUID(), ...quality };
  return store.write((tx) => {
    const was = qualityOf(tx.sql, execution_id)?.value ?? 'none';
    const { message_id } = recordEntry(store, tx, draft, { execution_id, sender });
    return { message_id, value: quality.value, was };
  });
}

/**
 * Records that a person has seen an alarm.
 * @param name its id, or a prefix of one @returns the alarm; `isNew` is false if it was seen before Throws
 * `ARGUMENT_INVALID` if no alarm has the name, or several do.
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

/** The fields of an alarm in each of its messages. */
export function contentOf({ code, subject, sentence, severity, count }: AlarmContent): AlarmContent {
  return { code, subject, sentence, severity, count };
}

interface AlarmContent extends AlarmFinding {
  /** How often the alarm was raised, from 1. */
  count: number;
}

/**
 * Writes an entry, in the namespace of its execution. Throws `ARGUMENT_INVALID` if the entry could not be
 * read back.
 */
export function recordEntry(
  store: Pick<Store, 'messages'>,
  tx: Transaction,
  draft: Draft<LogbookType>,
  { execution_id, sender }: { execution_id: string | undefined; sender: string },
): Recorded {
  const namespace = execution_id === undefined ? undefined : namespaceOf(tx.sql, execution_id);
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

/** For an entry about no execution, or about one without a known namespace. */
const noNamespace = 'none';

/** Other programs' namespaces may be longer. */
const longestNamespace = 200;

/** Throws `EXECUTION_NOT_FOUND` if it was removed a moment ago. */
function namespaceOf(sql: Prepare, executionId: string): string {
  const named = sql<string>('SELECT namespace FROM workflow_executions WHERE execution_id = ?');
  const namespace = named.value(executionId);
  if (namespace === undefined) throw new SwfError('EXECUTION_NOT_FOUND', `${executionId} no longer exists`);
  return namespace;
}
