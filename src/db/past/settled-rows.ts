import { promptProcessing } from '../../domain/workflows.ts';
import type { LogPart } from '../maintenance/replay.ts';
import type { Connection } from '../sqlite/connection.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { copyHeard, recountHeard } from './settled-heard.ts';
import { copySlices } from './settled-slices.ts';

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

/** As SQL: the columns that decide to which execution a message belongs. */
const identity = (schema: string) =>
  `SELECT origin, o.told_id, o.namespace, o.run_id, o.told_start FROM ${schema}.workflow_executions AS e
   LEFT JOIN ${schema}.observed_runs AS o USING (execution_id) WHERE e.execution_id = $id`;

/** Whether all that names an execution is in the past store, so that its further messages are found to be its own. */
const isKnown = (sql: Prepare, id: string) => sql(`${identity('main')} INTERSECT ${identity('live')}`).has({ id });

/**
 * Copies what is settled at the end of a part of a log: a slice or a file whose messages all lie in the part is
 * the same then as now. All other messages have to be replayed.
 * @param least with fewer new messages, an execution is replayed without looking for what is settled
 */
export function settledCopier(sql: Prepare, live: Connection, part: LogPart, least: number) {
  sql('CREATE TEMP TABLE IF NOT EXISTS settled (seq INTEGER PRIMARY KEY)').run();
  sql('CREATE TEMP TABLE IF NOT EXISTS settled_names (name TEXT PRIMARY KEY) WITHOUT ROWID').run();
  let waiting = partlyNew(sql, part, least);
  const copied: PartlyNew[] = [];
  return {
    /** Copies what is settled of the executions that are known by now. @param after the last row that was replayed */
    copy(tx: Transaction, after: number) {
      const known = waiting.filter(({ id }) => isKnown(sql, id));
      if (known.length === 0) return;
      waiting = waiting.filter((one) => !known.includes(one));
      for (const one of known) {
        for (const table of ['settled', 'settled_names']) sql(`DELETE FROM temp.${table}`).run();
        const of = { id: one.id, after, last: part.last };
        if (one.origin === 'own') copySlices(tx, of);
        else copyHeard(tx, of, live);
        copied.push(one);
      }
    },
    /** Counts again what is counted over all slices and files. */
    recount() {
      for (const { id, origin } of copied) {
        sql(countIn('stf_files', 'slice_count', 'tf_slices', 'stf_filename')).run(id);
        sql(countIn('fastmon_files', 'slice_count', 'tf_slices', 'tf_filename')).run(id);
        if (origin === 'observed') recountHeard(sql, id);
      }
    },
  };
}

/** As SQL: counts rows of a table for each row of another that they name. */
const countIn = (table: string, column: string, counted: string, name: string) =>
  `UPDATE ${table} SET ${column} = (SELECT count(*) FROM ${counted} AS c WHERE c.${name} = ${table}.${name} AND c.execution_id = ${table}.execution_id)
   WHERE execution_id = ?`;
