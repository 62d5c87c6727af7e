import { logLevels } from '../../lib/logger.ts';
import { commandTypes } from '../../messages/vocabulary.ts';
import { insertLogLine } from '../log/log-lines.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A period in which a driver wrote nothing. Times are ISO 8601. */
interface Standstill {
  from: string;
  until: string;
}

/** As SQL: whether a message is something other than a person's command. */
const notCommand = commandTypes.map((type) => `type_no IS NOT ${numberOf(`'${type}'`)}`).join(' AND ');

/** In milliseconds since 1970. */
type Span = readonly [from: number, until: number];

/** Maximum number of an execution's messages to read when examining a period without a heartbeat. */
const maxRows = 20_000;

/**
 * The longest period within a range in which a process recorded nothing about the executions that it drives.
 * The process may have written after its last heartbeat. Entries that others make, such as a stop or an alarm,
 * do not count.
 */
function longestGap({ sql }: Transaction, processId: number, [from, until]: Span) {
  const read = drivenIn(sql, processId, new Date(from).toISOString(), new Date(until).toISOString()).map((driven) =>
    sql<number>(
      `SELECT recorded_ms FROM message_rows WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.exceptLogbook} AND ${notCommand}
       ORDER BY seq DESC LIMIT ?`,
    ).values(driven.execution_id, maxRows),
  );
  // If there are too many messages to read, the range begins at the oldest message that was read.
  const start = Math.max(from, ...read.map((rows) => (rows.length < maxRows ? from : (rows.at(-1) ?? from))));
  const within = read.flat().filter((at) => at > start && at < until);
  const times = [start, ...within, until].toSorted((x, y) => x - y);
  let longest: Span = [start, start];
  for (const [at, time] of times.entries()) {
    const before = times[at - 1] ?? time;
    if (time - before > longest[1] - longest[0]) longest = [before, time];
  }
  return longest;
}

/**
 * Records that a process wrote nothing for a while, with a log line for each execution that it drove at that
 * time. Returns a line for people, or undefined if the process did write.
 * @param between the times of two consecutive heartbeats, in milliseconds since 1970
 * @param shortest the shortest time to record, in seconds
 */
export function noteStandstill(tx: Transaction, processId: number, between: Span, shortest: number) {
  const [from, until] = longestGap(tx, processId, between);
  if (until - from < shortest * 1000) return undefined;
  const since = new Date(from).toISOString();
  const end = new Date(until).toISOString();
  const seconds = Math.round((until - from) / 100) / 10;
  const message = `nothing was written for ${seconds} s, since ${since}: the process was suspended, or the store could not be written`;
  for (const { execution_id, run_number, agent } of drivenIn(tx.sql, processId, since, end)) {
    tx.sql('INSERT INTO standstills (execution_id, since, until) VALUES (?, ?, ?)').run(execution_id, since, end);
    const run_id = run_number === null ? null : String(run_number);
    const origin = { agent: agent ?? 'unknown', execution_id, run_id };
    insertLogLine(tx, { timestamp: end, level: logLevels.WARNING, message, ...origin });
  }
  return message;
}

interface DrivenRow {
  execution_id: string;
  run_number: number | null;
  agent: string | null;
}

/** The executions that a process drove between two times (ISO 8601). */
const drivenIn = (sql: Prepare, processId: number, from: string, until: string) =>
  sql<DrivenRow>(
    `SELECT execution_id, run_number,
       (SELECT agent_name FROM system_agents WHERE process_id = o.process_id ORDER BY agent_type = 'daq_simulator' DESC LIMIT 1) AS agent
     FROM execution_owners AS o JOIN workflow_executions USING (execution_id)
     WHERE process_id = ? AND start_time < ? AND (end_time IS NULL OR end_time >= ?)`,
  ).all(processId, until, from);

const maxStandstills = 20;

export const standstillsOf = (sql: Prepare, executionId: string) =>
  sql<Standstill>(
    'SELECT since AS "from", until FROM standstills WHERE execution_id = ? ORDER BY standstill_id LIMIT ?',
  ).all(executionId, maxStandstills);
