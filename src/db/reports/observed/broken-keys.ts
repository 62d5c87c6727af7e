import type { BrokenKey } from '../../../monitoring/heard-facts.ts';
import { numberOf } from '../../migrations/names.ts';
import { jsonField, type Prepare } from '../../sqlite/statements.ts';

/** How many keys to report. */
const most = 20;

interface CountRow extends Pick<BrokenKey, 'sender' | 'message_type' | 'key' | 'of'> {
  filled: number;
}

/**
 * Keys that a sender fills in some messages of a type and state but not in others, most frequently missing first. A key that depends on the state,
 * or is never filled, is not broken.
 */
export const brokenKeys = (sql: Prepare, executionId: string): BrokenKey[] =>
  sql<[string], CountRow>(
    `SELECT k.sender, k.message_type, k.key, k.filled, a.filled AS "of" FROM observed_keys AS k
       JOIN observed_keys AS a ON a.execution_id = k.execution_id AND a.sender = k.sender AND a.message_type = k.message_type AND a.state = k.state AND a.key = ''
     WHERE k.execution_id = ? AND k.filled < a.filled ORDER BY a.filled - k.filled DESC, k.sender, k.message_type, k.key LIMIT ${most}`,
  )
    .all(executionId)
    .map((row) => {
      const { sender, message_type, key, filled, of } = row;
      return { sender, message_type, key, missing: of - filled, of, example: exampleOf(sql, executionId, row) };
    });

/** The newest message of a sender that does not fill a key. */
function exampleOf(sql: Prepare, id: string, { sender, message_type, key }: CountRow): string | undefined {
  // Other characters would need quotes in a JSON path.
  if (!/^[\w.-]+$/.test(key)) return undefined;
  return sql<[string, string, string], string>(
    `SELECT message_id FROM message_rows INDEXED BY message_rows_type
     WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf('?')} AND sender_no = ${numberOf('?')} AND ${jsonField('body', key)} IS NULL
     ORDER BY seq DESC LIMIT 1`,
  ).value(id, message_type, sender);
}
