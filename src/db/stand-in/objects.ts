import { present } from '../../lib/present.ts';
import { objectIn } from '../../lib/read-json.ts';
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

const asObject = ({ document, ...row }: Row): MonitorObject => ({ ...present(row), document: objectIn(document) });

function firstObject(sql: Prepare, where: string, values: [string, string]): MonitorObject | undefined {
  const row = sql<[string, string], Row>(`SELECT ${columns} FROM monitor_objects WHERE ${where}`).get(...values);
  return row === undefined ? undefined : asObject(row);
}

export const objectOf = (sql: Prepare, kind: string, objectId: string): MonitorObject | undefined =>
  firstObject(sql, 'kind = ? AND object_id = ?', [kind, objectId]);

/** The newest object of a natural key. */
export const objectNamed = (sql: Prepare, kind: string, name: string): MonitorObject | undefined =>
  firstObject(sql, 'kind = ? AND name = ? ORDER BY seq DESC LIMIT 1', [kind, name]);

/** How many objects to list: the newest. */
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
  return sql<unknown[], Row>(
    `SELECT ${columns} FROM monitor_objects WHERE kind = ?${where} ORDER BY seq DESC LIMIT ${maxListed}`,
  )
    .all(kind, ...conditions.flatMap(([, ...values]) => values))
    .map(asObject)
    .toReversed();
}

/** The newest run that was registered for an execution. */
export const newestRunOf = (sql: Prepare, executionId: string): string | undefined =>
  sql<[string], string | null>(
    `SELECT run_id FROM monitor_objects WHERE kind = 'run-states' AND parent = ? ORDER BY seq DESC LIMIT 1`,
  ).value(executionId) ?? undefined;

/** A heard execution with the fields that swf-monitor would return; undefined if it was not heard of. */
export const knownExecution = (sql: Prepare, executionId: string): Document | undefined =>
  sql<[string], Document>(
    'SELECT execution_id, namespace, status, executed_by, start_time, end_time FROM workflow_executions WHERE execution_id = ?',
  ).get(executionId);

/** Writes an object, replacing any object with the same id. */
export function putObject({ sql }: Transaction, object: MonitorObject): void {
  const { kind, object_id, name, run_id, number, parent, document } = object;
  sql(
    `INSERT INTO monitor_objects (kind, object_id, name, run_id, number, parent, document) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (kind, object_id) DO UPDATE SET name = excluded.name, run_id = excluded.run_id, number = excluded.number,
       parent = excluded.parent, document = excluded.document`,
  ).run(kind, object_id, name, run_id ?? null, number ?? null, parent ?? null, JSON.stringify(document));
}
