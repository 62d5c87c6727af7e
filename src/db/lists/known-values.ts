import { nearest } from '../../lib/suggest.ts';
import { isMessageType, messageTypes } from '../../messages/vocabulary.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { countMessages } from './message-counts.ts';
import { distinctValues, isKnownWorker, maxValues, workersOf } from './workers.ts';

interface Known {
  isKnown: (value: string) => boolean;
  /** Known values that may resemble this unknown one. */
  near: (value: string) => string[];
}

const column = (sql: Prepare, table: string, name: string): Known => ({
  isKnown: (value) => sql(`SELECT 1 FROM ${table} WHERE ${name} = ? LIMIT 1`).has(value),
  near: () => distinctValues(sql, table, name),
});

/**
 * Names of files. There are too many to read them all, so read the neighbours of the unknown name and the
 * newest names.
 */
const file = (sql: Prepare, table: string, name: string): Known => ({
  ...column(sql, table, name),
  near(value) {
    const some = (which: string, ...values: string[]) =>
      sql<string>(`SELECT ${name} AS v FROM ${table} ${which}`).values(...values);
    return [
      ...some(`WHERE ${name} > ? ORDER BY 1 LIMIT 3`, value),
      ...some(`WHERE ${name} < ? ORDER BY 1 DESC LIMIT 3`, value),
      ...some('ORDER BY seq DESC LIMIT 20'),
    ];
  },
});

/** The senders of all messages. */
function senders(sql: Prepare): Known {
  const isSender = 'EXISTS (SELECT 1 FROM message_rows WHERE sender_no = name_no)';
  return {
    isKnown: (value) => sql(`SELECT 1 FROM names WHERE name = ? AND ${isSender}`).has(value),
    near: () => sql<string>(`SELECT name FROM names WHERE ${isSender} LIMIT ${maxValues}`).values(),
  };
}

const anyOf = (...all: Known[]): Known => ({
  isKnown: (value) => all.some((one) => one.isKnown(value)),
  near: (value) => all.flatMap((one) => one.near(value)),
});

const known = {
  worker: (sql) => ({ isKnown: (value) => isKnownWorker(sql, value), near: () => workersOf(sql) }),
  'message sender': (sql) => anyOf(senders(sql), column(sql, 'system_agents', 'agent_name')),
  'log agent': (sql) => anyOf(column(sql, 'app_logs', 'agent'), column(sql, 'system_agents', 'agent_name')),
  'message type': (sql) => {
    const counts = countMessages(sql);
    return {
      isKnown: (value) => counts.has(value) || isMessageType(value),
      near: () => [...counts.keys(), ...messageTypes],
    };
  },
  user: (sql) => column(sql, 'workflow_executions', 'executed_by'),
  namespace: (sql) =>
    anyOf(
      ...['workflow_executions', 'message_namespaces', 'system_agents'].map((table) => column(sql, table, 'namespace')),
    ),
  workflow: (sql) => column(sql, 'workflow_executions', 'workflow_name'),
  site: (sql) => anyOf(column(sql, 'stf_sites', 'site'), column(sql, 'handed_over', 'site')),
  'STF file': (sql) => file(sql, 'stf_files', 'stf_filename'),
  'TF sample': (sql) => file(sql, 'fastmon_files', 'tf_filename'),
  'TF slice': (sql) => file(sql, 'tf_slices', 'slice_filename'),
} satisfies Record<string, (sql: Prepare) => Known>;

const maxSites = 20;

/** The kinds of filter values that may be absent from a store. */
export type ValueKind = keyof typeof known;

/** Known values that resemble an unknown one; undefined if the value is known. */
export function nearestKnown(sql: Prepare, kind: ValueKind, value: string) {
  const { isKnown, near }: Known = known[kind](sql);
  if (isKnown(value)) return undefined;
  // A testbed has only a few sites, so name all of them.
  return nearest(
    value.slice(0, 100),
    [...new Set(near(value))].filter(Boolean),
    kind === 'site' ? maxSites : undefined,
  );
}

/** Names and numbers in a store, for completion and for errors that list valid names. */

export const namespacesOf = (sql: Prepare) =>
  sql<string>('SELECT DISTINCT namespace FROM workflow_executions ORDER BY namespace').values();

export const recentRunNumbers = (sql: Prepare) =>
  sql<number>(
    'SELECT run_number FROM workflow_executions WHERE run_number IS NOT NULL ORDER BY seq DESC LIMIT 5',
  ).values();

/** Whether a run was created here, or is named in any message, with or without effect. */
export function runIsKnown(sql: Prepare, runNumber: number) {
  if (sql('SELECT 1 FROM workflow_executions WHERE run_number = ?').has(runNumber)) return true;
  return sql(`SELECT 1 FROM message_rows WHERE run_no = ${numberOf('?')} LIMIT 1`).has(String(runNumber));
}

/** Whether an execution is named in any message, with or without effect. */
export const executionIsMentioned = (sql: Prepare, executionId: string) =>
  sql(`SELECT 1 FROM message_rows WHERE execution_no = ${numberOf('?')} LIMIT 1`).has(executionId);
