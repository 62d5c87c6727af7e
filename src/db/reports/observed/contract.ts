import type { BrokenKey } from '../../../monitoring/heard-facts.ts';
import type { ExecutionRow } from '../../execution/find-execution.ts';
import { messageColumns } from '../../migrations/message-columns.ts';
import { nameOf, numberOf } from '../../migrations/names.ts';
import { jsonField, type Prepare } from '../../sqlite/statements.ts';
import { timedDelays } from '../stage-delays.ts';

/** The actual contract of the bus: the messages that programs sent during a run. */
export type BusContract = ReturnType<typeof busContract>;

/** The messages of one type that one program sent to one destination. */
export type SaidType = BusContract['types'][number];

interface Row {
  message_type: string;
  sender: string | null;
  destination: string;
  messages: number;
  first: number;
  last: number;
}

/** @param execution an execution driven by other programs */
export function busContract(sql: Prepare, { execution_id }: ExecutionRow) {
  const rows = sql<Row>(
    `SELECT ${nameOf('type_no')} AS message_type, ${nameOf('sender_no')} AS sender, ${messageColumns.destination} AS destination,
       count(*) AS messages, min(sent_ms) AS first, max(sent_ms) AS last
     FROM message_rows INDEXED BY message_rows_execution WHERE execution_no = ${numberOf('?')}
     GROUP BY type_no, sender_no, 3 ORDER BY first, 1, 2`,
  ).all(execution_id);
  const begin = rows[0]?.first ?? 0;
  return {
    execution_id,
    /** In the order in which they first appeared. */
    types: rows.map(({ message_type, sender, destination, messages, first, last }) => ({
      message_type,
      sender: sender ?? '',
      destination,
      messages,
      /** Seconds since the first message of the run. */
      first_seconds: (first - begin) / 1000,
      every_seconds: messages < 2 ? undefined : Math.round((last - first) / (messages - 1)) / 1000,
      /** The keys that only some messages contain, and the number of messages with each key. */
      keys: keysOf(sql, execution_id, message_type, sender ?? ''),
    })),
    delays: timedDelays(sql, execution_id),
    broken: brokenKeys(sql, execution_id),
  };
}

const keysOf = (sql: Prepare, executionId: string, type: string, sender: string) =>
  Object.fromEntries(
    sql<{ key: string; filled: number }>(
      `SELECT key, sum(filled) AS filled FROM observed_keys
       WHERE execution_id = ? AND message_type = ? AND sender = ? AND key <> '' GROUP BY key ORDER BY key`,
    )
      .all(executionId, type, sender)
      .map(({ key, filled }) => [key, filled]),
  );

const most = 20;

interface CountRow extends Pick<BrokenKey, 'sender' | 'message_type' | 'key' | 'of'> {
  filled: number;
}

/**
 * Keys that a sender includes in some messages of a type and state but not in others, the most frequently
 * missing first. A key that depends on the state, or is never included, is not listed.
 */
export const brokenKeys = (sql: Prepare, executionId: string) =>
  sql<CountRow>(
    `SELECT k.sender, k.message_type, k.key, k.filled, a.filled AS "of" FROM observed_keys AS k
       JOIN observed_keys AS a ON a.execution_id = k.execution_id AND a.sender = k.sender AND a.message_type = k.message_type AND a.state = k.state AND a.key = ''
     WHERE k.execution_id = ? AND k.filled < a.filled ORDER BY a.filled - k.filled DESC, k.sender, k.message_type, k.key LIMIT ${most}`,
  )
    .all(executionId)
    .map((row) => {
      const { sender, message_type, key, filled, of } = row;
      return { sender, message_type, key, missing: of - filled, of, example: exampleOf(sql, executionId, row) };
    });

/** The sender's newest message without the key. */
function exampleOf(sql: Prepare, id: string, { sender, message_type, key }: CountRow) {
  // Other characters would need quotes in a JSON path.
  if (!/^[\w.-]+$/.test(key)) return undefined;
  return sql<string>(
    `SELECT ${messageColumns.message_id} FROM message_rows INDEXED BY message_rows_type
     WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf('?')} AND sender_no = ${numberOf('?')} AND ${jsonField('body', key)} IS NULL
     ORDER BY seq DESC LIMIT 1`,
  ).value(id, message_type, sender);
}
