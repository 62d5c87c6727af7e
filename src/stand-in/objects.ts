import { randomUUID } from 'node:crypto';

import { recordHeard } from '../db/observed/heard-messages.ts';
import type { Prepare } from '../db/sqlite/statements.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import {
  listObjects,
  maxListed,
  type MonitorObject,
  nextNumber,
  objectNamed,
  objectOf,
  putObject,
} from '../db/stand-in/objects.ts';
import { isRecorded, recordRefused } from '../db/stand-in/records.ts';
import { uncompiled } from '../domain/fields.ts';
import type { MessageLine } from '../observed/recording-lines.ts';
import { named, type Names, restLine } from '../observed/told/rest-call.ts';
import { type Answer, type Body, type Call, numberIn, type Query, type Resource, wordsOf } from './resource.ts';

/** The requests that programs may send about a resource's objects. */
export const callsOf = (resource: Resource): Call[] => [
  { method: 'GET', path: resource.path, answer: ({ sql }, { query, url }) => list(sql, resource, query, url) },
  { method: 'GET', path: `${resource.path}/:id`, answer: ({ sql }, { id }) => read(sql, resource, id) },
  { method: 'POST', path: resource.path, answer: (tx, question) => register(tx, { resource, ...question }) },
  { method: 'PATCH', path: `${resource.path}/:id`, answer: (tx, question) => change(tx, { resource, ...question }) },
];

/**
 * Answers with one object. If it is not registered here, some resources make up an answer, so that the programs
 * can continue.
 */
function read(sql: Prepare, resource: Resource, id: string): Answer {
  const body = objectOf(sql, resource.path, id)?.document ?? resource.unknown?.(id, sql);
  return body === undefined ? { status: 404, body: { detail: 'Not found.' } } : { status: 200, body };
}

const paging: ReadonlySet<string> = new Set(['limit', 'offset', 'format', 'page', 'ordering']);

/**
 * The objects that match a query, oldest first: an array or, with `limit`, a page if swf-monitor pages the
 * resource.
 * @param url the URL of the list
 */
function list(sql: Prepare, resource: Resource, query: Query, url: string): Answer {
  const fields = Object.entries(query).flatMap(([key, value]) => {
    const field = resource.aliases?.[key] ?? key;
    return field === '' || paging.has(key) || !/^\w+$/.test(field) ? [] : [[field, value] as const];
  });
  const meant = listObjects(sql, resource.path, { ...resource.wanted?.(query), fields }).filter(
    (object) => resource.isListed?.(object, query, sql) ?? true,
  );
  const offset = numberIn(query['offset']) ?? 0;
  const limit = numberIn(query['limit']);
  const results = meant.slice(offset, offset + (limit ?? Infinity)).map(({ document }) => document);
  const isCut = meant.length === maxListed;
  if (resource.isPaged !== true || limit === undefined) return { status: 200, body: results, isCut };
  const end = offset + results.length;
  const next = `${url}?${new URLSearchParams({ ...query, offset: String(end) }).toString()}`;
  const body = { count: meant.length, next: end > offset && end < meant.length ? next : null, results };
  return { status: 200, body, isCut };
}

interface Writing {
  resource: Resource;
  body: Body;
  /** ISO 8601 in UTC. */
  at: string;
}

/**
 * Registers an object. If the registration states a fact, a row is added to the log in the same transaction.
 * A repeated request gets the same answer.
 */
export function register(tx: Transaction, writing: Writing): Answer {
  const { resource, body, at } = writing;
  const { path, nameField, idKind, again, isOffRecord } = resource;
  const checked = resource.body.safeParse(body, { ...uncompiled, reportInput: true });
  if (!checked.success) return refused(tx, lineOf(writing, 'POST', path, {}), wordsOf(checked.error));
  const { object_id, told_name, ...names } = resource.namesOf(body, tx);
  const line = lineOf(writing, 'POST', path, named(names.run_id, told_name));
  const known = objectNamed(tx.sql, path, names.name);
  if (known !== undefined && (again === 'same' || (isOffRecord !== true && isRecorded(tx, line))))
    return { status: 201, body: known.document };
  if (known !== undefined && again === 'refuse')
    return refused(tx, line, { [nameField]: [`${names.name} is already registered, with other fields.`] });
  const id = object_id ?? known?.object_id ?? (idKind === 'uuid' ? randomUUID() : String(nextNumber(tx, path)));
  const shownId = idKind === 'number' || idKind === 'run' ? Number(id) : id;
  const document = { ...resource.more(body, at), ...body, [resource.idField]: shownId };
  return put(tx, resource, line, 201, { kind: path, object_id: id, ...names, document });
}

/** Changes an object. The change becomes a row of the log, with the object's run and file. */
function change(tx: Transaction, writing: Writing & { id: string }): Answer {
  const { resource, body, id } = writing;
  const { sql } = tx;
  const known = objectOf(sql, resource.path, id) ?? madeUp(sql, writing, id);
  const object = known && (resource.target?.(body, known, sql) ?? known);
  const run_id = object?.run_id ?? resource.runOf?.(sql, id);
  const line = lineOf(writing, 'PATCH', `${resource.path}/${id}`, named(run_id, object && nameOf(object)));
  if (object === undefined)
    return refused(tx, line, { detail: [`nothing with that id is registered here: ${id.slice(0, 100)}`] });
  return put(tx, resource, line, 200, { ...object, document: changed(resource, object, body) });
}

/**
 * Writes an object, and the log row that reports it. Some resources report nothing about a workflow, so their
 * writes add no rows.
 */
function put(tx: Transaction, { isOffRecord }: Resource, line: MessageLine, status: number, object: MonitorObject) {
  if (isOffRecord !== true) recordHeard(tx, line);
  putObject(tx, object);
  return { status, body: object.document };
}

/**
 * Creates an object that is not registered here, named by its path; undefined if the resource does not allow
 * this.
 */
function madeUp(sql: Prepare, { resource, at }: Writing, id: string): MonitorObject | undefined {
  const { path, idKind, unknown } = resource;
  if (unknown === undefined) return undefined;
  const document = { ...unknown(id, sql), updated_at: at };
  return { kind: path, object_id: id, name: id, run_id: idKind === 'run' ? id : undefined, document };
}

/** The name of a file or a slice, without its run. */
const nameOf = ({ name, run_id }: MonitorObject) =>
  run_id !== undefined && name.startsWith(`${run_id}/`) ? name.slice(run_id.length + 1) : undefined;

/** Fields that name an object and do not change. */
const lasting: readonly string[] = [
  'run',
  'run_number',
  'execution_id',
  'stf_file',
  'stf_filename',
  'tf_filename',
  'slice_id',
  'workflow_name',
  'version',
];

/**
 * The object after a change. Fields that name it keep their values, and a later change without an end does not
 * remove a recorded end.
 */
function changed({ idField }: Resource, { document }: MonitorObject, body: Body): Body {
  const kept = [idField, ...lasting, ...(body['end_time'] === null ? ['end_time'] : [])];
  const fixed = Object.fromEntries(kept.filter((name) => name in document).map((name) => [name, document[name]]));
  return { ...document, ...body, ...fixed };
}

function refused(tx: Transaction, line: MessageLine, words: Record<string, string[]>): Answer {
  const reason = Object.entries(words)
    .map(([field, said]) => `${field}: ${said.join(' ')}`)
    .join('; ');
  recordRefused(tx, line, reason.slice(0, 500));
  return { status: 400, body: words };
}

const lineOf = ({ body, at }: Writing, method: string, path: string, headers: Names): MessageLine =>
  restLine(at, method, `/api/${path}`, headers, body);
