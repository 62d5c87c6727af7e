import { stages } from '../../domain/stages.ts';
import type { ReaderBehind } from '../../monitoring/evidence.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** A role with fewer unread rows is not reported. */
const farBehind = 1000;

/** The roles that read the log, each with the message that begins its stage. Workers have a queue instead. */
const readers = stages.flatMap(({ stage, agent }) =>
  agent === 'worker' ? [] : [{ role: agent, reads: stage.split(' → ')[0] ?? '' }],
);

/** The roles that are 1,000 or more rows behind the log of an execution. */
export const readersBehind = (sql: Prepare, executionId: string, isOverBroker: boolean): ReaderBehind[] =>
  readers.flatMap(({ role, reads }) => {
    const cursors = sql<[string, string], number>('SELECT seq FROM cursors WHERE execution_id = ? AND role = ?');
    const cursor = cursors.value(executionId, role);
    // Over a broker a role may be played by agents that have no cursor here.
    if (cursor === undefined && isOverBroker) return [];
    const { rows, since } = sql<[string, number, number], { rows: number; since: string | null }>(
      `SELECT count(*) AS rows, ${isoTime('min(recorded_ms)')} AS since FROM (
         SELECT recorded_ms FROM message_rows INDEXED BY message_rows_type
         WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf(`'${reads}'`)} AND seq > ? ORDER BY seq LIMIT ?)`,
    ).get(executionId, cursor ?? 0, farBehind) ?? { rows: 0, since: null };
    return rows < farBehind || since === null ? [] : [{ role, rows, since }];
  });
