import { SwfError } from '../../lib/errors.ts';
import type { Connection } from '../sqlite/connection.ts';
import { preparer } from '../sqlite/statements.ts';
import { blockDifferences, damageOf, schemaDifferences } from './integrity.ts';

/** What is said of a message, byte for byte. When it was sent is read from its text, by today's rules. */
const logRows = `SELECT seq, message_id, destination, payload, recorded_at, headers
  FROM workflow_messages JOIN (SELECT seq, headers FROM message_rows) USING (seq) ORDER BY seq`;

/** Throws `STORE_CORRUPT` if a new store is not sound, or has not exactly the messages of the older one. */
export function requireSameLog(old: Connection, db: Connection) {
  const wrong = [...damageOf(db), ...schemaDifferences(db), ...blockDifferences(preparer(db))];
  if (wrong[0] !== undefined) throw unequal(old, wrong[0]);
  const read = db.prepare<[], unknown[]>(logRows).raw().iterate();
  for (const row of old.prepare<[], unknown[]>(logRows).raw().iterate()) {
    const same = read.next();
    if (same.done === true || row.some((value, at) => value !== same.value[at])) {
      read.return?.();
      throw unequal(old, `message ${String(row[0])} (${String(row[1])}) would be another one`);
    }
  }
  if (read.next().done !== true) throw unequal(old, 'there would be more messages');
}

const unequal = (old: Connection, why: string): SwfError =>
  new SwfError(
    'STORE_CORRUPT',
    `the store ${old.name} cannot be upgraded: ${why}; it is left as it is: look with "swf-mcp check" of the version that made it`,
  );

/** Maximum number of executions to list. */
const maxListed = 20;

interface Standing {
  execution_id: string;
  words: string;
}

/** Executions whose status or counts the new store has differently, a sentence each. */
export function statusChanges(old: Connection, db: Connection): string[] {
  const standings = (of: Connection): Standing[] =>
    preparer(of)<Standing>(
      `SELECT execution_id, status || ', ' || slices_completed || ' of ' || slices_created || ' TF slices completed, ' ||
         slices_failed || ' failed' AS words
       FROM workflow_executions JOIN run_states USING (execution_id) ORDER BY execution_id`,
    ).all();
  const now = new Map(standings(db).map(({ execution_id, words }) => [execution_id, words]));
  const changes = standings(old).flatMap(({ execution_id, words }) => {
    const changed = now.get(execution_id) ?? 'missing';
    return changed === words ? [] : [`${execution_id} was ${words}; now it is ${changed}`];
  });
  const more = changes.length - maxListed;
  return more <= 0 ? changes : [...changes.slice(0, maxListed), `${more} more executions`];
}
