import { present } from '../../lib/present.ts';
import { objectIn } from '../../lib/read-json.ts';
import { drawNumber, reserveNumber } from '../log/numbers.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { nameOf, numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

export type Document = Readonly<Record<string, unknown>>;

/** The keys for finding an object. */
export interface ObjectNames {
  /** The object's natural key, which is unique within its kind. */
  name: string;
  run_id?: string | undefined;
  /** The number of a slice within its file. */
  number?: number | undefined;
  /** The file by which programs look the object up. */
  parent?: string | undefined;
}

/** An object that a program has registered. */
export interface MonitorObject extends ObjectNames {
  kind: string;
  object_id: string;
  /** The object as returned to programs. */
  document: Document;
}

interface Row extends Pick<MonitorObject, 'kind' | 'object_id' | 'name'> {
  run_id: string | null;
  number: number | null;
  parent: string | null;
  document: string;
}

const columns = 'kind, object_id, name, run_id, number, parent, document';

/** The objects of a kind. @param rest the rest of the query, after the kind */
const objectsOf = (sql: Prepare, rest: string, kind: string, ...values: (string | number)[]): MonitorObject[] =>
  sql<Row>(`SELECT ${columns} FROM monitor_objects WHERE kind = ?${rest}`)
    .all(kind, ...values)
    .map(({ document, ...row }) => ({ ...present(row), document: objectIn(document) }));

export const objectOf = (sql: Prepare, kind: string, objectId: string): MonitorObject | undefined =>
  objectsOf(sql, ' AND object_id = ?', kind, objectId)[0];

export const objectNamed = (sql: Prepare, kind: string, name: string): MonitorObject | undefined =>
  objectsOf(sql, ' AND name = ? ORDER BY seq DESC LIMIT 1', kind, name)[0];

/** At most this many objects (the newest ones) or messages are listed. */
export const maxListed = 20_000;

export interface ObjectsWanted extends Partial<ObjectNames> {
  /** Fields with their required texts. An object without such a field matches too. */
  fields?: readonly (readonly [field: string, text: string])[];
  /** Selects only objects whose status differs from this one. */
  not?: string | undefined;
}

/** The matching objects of a kind, oldest first. */
export function listObjects(sql: Prepare, kind: string, wanted: ObjectsWanted): MonitorObject[] {
  const { run_id, number, parent, fields = [], not } = wanted;
  const conditions: [condition: string, ...values: (string | number)[]][] = [];
  // Of these keys, the file (`parent`) selects the fewest rows.
  if (parent !== undefined) conditions.push(['parent = ?', parent]);
  if (run_id !== undefined) conditions.push([parent === undefined ? 'run_id = ?' : '+run_id = ?', run_id]);
  if (number !== undefined) conditions.push(['number = ?', number]);
  if (not !== undefined) conditions.push([`coalesce(document ->> '$.status', '') <> ?`, not]);
  for (const [field, text] of fields)
    conditions.push(['(document ->> ? IS NULL OR CAST(document ->> ? AS TEXT) = ?)', field, field, text]);
  const where = conditions.map(([condition]) => ` AND ${condition}`).join('');
  const rest = `${where} ORDER BY seq DESC LIMIT ${maxListed}`;
  return objectsOf(sql, rest, kind, ...conditions.flatMap(([, ...values]) => values)).toReversed();
}

/** The newest run that was registered for an execution. */
export const newestRunOf = (sql: Prepare, executionId: string) =>
  sql<string | null>(
    `SELECT run_id FROM monitor_objects WHERE kind = 'run-states' AND parent = ? ORDER BY seq DESC LIMIT 1`,
  ).value(executionId) ?? undefined;

/**
 * An observed execution, with the fields that swf-monitor would return; undefined if nothing was received
 * about it.
 */
export const knownExecution = (sql: Prepare, executionId: string) =>
  sql<Document>(
    'SELECT execution_id, namespace, status, executed_by, start_time, end_time FROM workflow_executions WHERE execution_id = ?',
  ).get(executionId);

/** Writes an object, replacing any object with the same id. */
export function putObject({ sql }: Transaction, object: MonitorObject) {
  const { kind, object_id, name, run_id = null, number = null, parent = null, document } = object;
  sql(
    `INSERT INTO monitor_objects (kind, object_id, name, run_id, number, parent, document) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (kind, object_id) DO UPDATE SET name = excluded.name, run_id = excluded.run_id, number = excluded.number,
       parent = excluded.parent, document = excluded.document`,
  ).run(kind, object_id, name, run_id, number, parent, JSON.stringify(document));
}

/** Assigns the next number of a counter, from 1. */
export const nextNumber = (tx: Transaction, name: string) => drawNumber(tx, `monitor ${name}`);

/** Assigns a run number of this store that no observed run has. */
export function nextRunNumber(tx: Transaction) {
  const isHeard = tx.sql('SELECT 1 FROM observed_runs WHERE run_id = ?');
  for (;;) {
    const number = drawNumber(tx, 'run');
    if (!isHeard.has(String(number))) return number;
  }
}

/** Assigns the number of the next execution of a workflow, higher than any known number. */
export function nextSequence(tx: Transaction, workflow: string) {
  const known = tx
    .sql<string>(
      `SELECT execution_id FROM workflow_executions WHERE substr(execution_id, 1, length($prefix)) = $prefix`,
    )
    .values({ prefix: `${workflow}-` })
    .map((id) => Number(/-(\d{1,9})(?:~.*)?$/.exec(id)?.[1] ?? 0));
  const highest = known.reduce((a, b) => Math.max(a, b), 0);
  const name = `execution of ${workflow}`;
  reserveNumber(tx, `monitor ${name}`, highest);
  return nextNumber(tx, name);
}

/** The bus messages of an execution in sending order, as swf-monitor lists them. */
export function messagesOf(sql: Prepare, executionId: string | undefined): object[] {
  if (executionId === undefined) return [];
  return sql<Record<string, unknown> & { payload: string }>(
    `SELECT seq AS id, ${nameOf('type_no')} AS message_type, ${nameOf('execution_no')} AS execution_id, ${nameOf('run_no')} AS run_id,
       ${nameOf('sender_no')} AS sender_agent, destination, ${isoTime('sent_ms')} AS sent_at, body AS payload FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND destination LIKE '/topic/%' ORDER BY sent_ms, seq LIMIT ${maxListed}`,
  )
    .all(executionId)
    .map(({ payload, ...message }) => ({ ...message, message_content: objectIn(payload) }));
}
