import { present } from '../../lib/present.ts';
import { objectIn } from '../../lib/read-json.ts';
import { drawNumber, reserveNumber } from '../log/numbers.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { nameOf, numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

export type Document = Readonly<Record<string, unknown>>;

/** The keys that find an object. */
export interface ObjectNames {
  /** Its natural key within its kind. */
  name: string;
  run_id?: string | undefined;
  /** The number of a slice within its file. */
  number?: number | undefined;
  /** The file that programs look it up by. */
  parent?: string | undefined;
}

/** An object that a program has registered. */
export interface MonitorObject extends ObjectNames {
  kind: string;
  object_id: string;
  /** As returned to programs. */
  document: Document;
}

interface Row extends Pick<MonitorObject, 'kind' | 'object_id' | 'name'> {
  run_id: string | null;
  number: number | null;
  parent: string | null;
  document: string;
}

const columns = 'kind, object_id, name, run_id, number, parent, document';

/** @param rest of the query, behind the kind */
const objectsOf = (sql: Prepare, rest: string, kind: string, ...values: (string | number)[]): MonitorObject[] =>
  sql<Row>(`SELECT ${columns} FROM monitor_objects WHERE kind = ?${rest}`)
    .all(kind, ...values)
    .map(({ document, ...row }) => ({ ...present(row), document: objectIn(document) }));

export const objectOf = (sql: Prepare, kind: string, objectId: string): MonitorObject | undefined =>
  objectsOf(sql, ' AND object_id = ?', kind, objectId)[0];

/** The newest object of a natural key. */
export const objectNamed = (sql: Prepare, kind: string, name: string): MonitorObject | undefined =>
  objectsOf(sql, ' AND name = ? ORDER BY seq DESC LIMIT 1', kind, name)[0];

/** How many objects to list, the newest, and how many messages. */
export const maxListed = 20_000;

/** Filters of a list of objects. */
export interface ObjectsWanted extends Partial<ObjectNames> {
  /** Fields with their required text; an object without the field matches too. */
  fields?: readonly (readonly [field: string, text: string])[];
  /** Only objects of another status. */
  not?: string | undefined;
}

/** The objects of a kind that match, oldest first. */
export function listObjects(sql: Prepare, kind: string, wanted: ObjectsWanted): MonitorObject[] {
  const { run_id, number, parent, fields = [], not } = wanted;
  const conditions: [condition: string, ...values: (string | number)[]][] = [];
  // The file is the most selective of these.
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
 * An observed execution with the fields that swf-monitor would return; undefined if nothing was received
 * about it.
 */
export const knownExecution = (sql: Prepare, executionId: string) =>
  sql<Document>(
    'SELECT execution_id, namespace, status, executed_by, start_time, end_time FROM workflow_executions WHERE execution_id = ?',
  ).get(executionId);

/** Writes an object, replacing any object with the same id. */
export function putObject({ sql }: Transaction, object: MonitorObject): void {
  const { kind, object_id, name, run_id = null, number = null, parent = null, document } = object;
  sql(
    `INSERT INTO monitor_objects (kind, object_id, name, run_id, number, parent, document) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (kind, object_id) DO UPDATE SET name = excluded.name, run_id = excluded.run_id, number = excluded.number,
       parent = excluded.parent, document = excluded.document`,
  ).run(kind, object_id, name, run_id, number, parent, JSON.stringify(document));
}

/** Draws the next number of a counter, from 1. */
export const nextNumber = (tx: Transaction, name: string) => drawNumber(tx, `monitor ${name}`);

/** Draws a run number of this store that no observed run has. */
export function nextRunNumber(tx: Transaction): number {
  const isHeard = tx.sql('SELECT 1 FROM observed_runs WHERE run_id = ?');
  for (;;) {
    const number = drawNumber(tx, 'run');
    if (!isHeard.has(String(number))) return number;
  }
}

/** Draws the number of the next execution of a workflow, above all known ones. */
export function nextSequence(tx: Transaction, workflow: string): number {
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

/** The bus messages of an execution in sending order, as listed by swf-monitor. */
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
