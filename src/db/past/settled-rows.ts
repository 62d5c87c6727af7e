import { promptProcessing } from '../../domain/workflows.ts';
import { cameOverBroker } from '../log/rows.ts';
import type { LogPart } from '../maintenance/replay.ts';
import { isoTime } from '../migrations/message-columns.ts';
import type { Connection } from '../sqlite/connection.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { chooseHeard, copyHeard } from './settled-heard.ts';
import { chooseSlices, copySlices } from './settled-slices.ts';
import { insertFrom } from './unlogged-rows.ts';

/** An execution some of whose messages are new in a past store, and others later. */
export interface PartlyNew {
  id: string;
  origin: 'own' | 'observed';
}

/** As SQL: rows of an execution's log. */
const ofLog = 'FROM live.message_rows WHERE execution_no = name_no';

/**
 * The executions that have many new rows. Not those of prompt processing, whose messages depend on one another,
 * nor those that share their run, which a message may confuse.
 */
const partlyNew = (sql: Prepare, { after, last, recordedBy }: LogPart, least: number) =>
  sql<PartlyNew>(
    `SELECT execution_id AS id, origin FROM live.workflow_executions AS e JOIN live.names ON name = execution_id
     WHERE (SELECT count(*) FROM (SELECT 1 ${ofLog} AND seq > $after AND seq <= $last LIMIT $least)) = $least
       AND NOT EXISTS (SELECT 1 FROM message_rows WHERE execution_no = name_no AND seq > $after)
       AND ($recordedBy = ${Number.MAX_SAFE_INTEGER} OR NOT EXISTS (SELECT 1 ${ofLog} AND seq <= $last AND recorded_ms > $recordedBy))
       AND workflow_name IS NOT '${promptProcessing}'
       AND NOT EXISTS (SELECT 1 FROM live.observed_runs AS o JOIN live.observed_runs AS other USING (run_id)
         WHERE o.execution_id = e.execution_id AND (other.execution_id <> e.execution_id OR o.policy IS NOT NULL))`,
  ).all({ after, last, recordedBy, least });

/** As SQL: the columns that decide which messages belong to an observed execution. */
const names = (schema: string) =>
  `SELECT told_id, namespace, run_id, told_start FROM ${schema}.observed_runs WHERE execution_id = $id`;

/** Whether further messages of an execution are found to be its own: an observed one is named by its messages. */
const isKnown = (sql: Prepare, { id, origin }: PartlyNew) =>
  origin === 'own' || sql(`${names('main')} INTERSECT ${names('live')}`).has({ id });

/**
 * What is settled at the end of a part of a log: a slice or a file whose messages all lie in the part is the same
 * then as now, so its rows are copied. All other messages have to be replayed.
 * @param least with fewer new messages, an execution is replayed without looking for what is settled
 */
export function settledRows(sql: Prepare, live: Connection, part: LogPart, least: number) {
  for (const table of ['settled (seq INTEGER PRIMARY KEY)', 'settled_names (name TEXT PRIMARY KEY) WITHOUT ROWID'])
    sql(`CREATE TEMP TABLE IF NOT EXISTS ${table}`).run();
  for (const table of ['settled', 'settled_names']) sql(`DELETE FROM ${table}`).run();
  let waiting = partlyNew(sql, part, least);
  const known: PartlyNew[] = [];
  return {
    /** As SQL: the numbers of messages that need no replay. */
    numbers: 'SELECT seq FROM settled',
    /** Looks for what is settled of executions that are known by now. @param after the last row that was replayed */
    choose(after: number) {
      const found = waiting.filter((one) => isKnown(sql, one));
      if (found.length === 0) return;
      waiting = waiting.filter((one) => !found.includes(one));
      known.push(...found);
      for (const { id, origin } of found) {
        const of = { id, after, last: part.last };
        if (origin === 'own') chooseSlices(sql, of);
        else chooseHeard(sql, of, live);
      }
    },
    /** Copies what is settled, once all else is replayed. */
    copy(tx: Transaction) {
      sql(insertFrom(sql, 'message_rows', 'seq IN (SELECT seq FROM settled)', unsent)).run();
      for (const { id, origin } of known) {
        if (origin === 'own') copySlices(tx, id);
        else copyHeard(tx, id);
        for (const update of counts) sql(update).run(id);
      }
    },
  };
}

/** As SQL: the columns of a message that a replay writes in another way: nothing is to be sent. */
const unsent = { goes_out: 'NULL', outbox_sent_at: `iif(${cameOverBroker}, ${isoTime('recorded_ms')}, NULL)` };

/** As SQL: counts the slices of each file of an execution. */
const counts = [
  ['stf_files', 'stf'],
  ['fastmon_files', 'tf'],
].map(
  ([table, kind]) =>
    `UPDATE ${table} SET slice_count = (SELECT count(*) FROM tf_slices AS s INDEXED BY tf_slices_${kind} WHERE s.${kind}_filename = ${table}.${kind}_filename
       AND s.execution_id = ${table}.execution_id) WHERE execution_id = ?`,
);
