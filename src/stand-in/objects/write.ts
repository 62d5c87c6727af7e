import { randomUUID } from 'node:crypto';

import { recordHeard } from '../../db/observed/heard-messages.ts';
import type { Transaction } from '../../db/sqlite/transaction.ts';
import { nextNumber } from '../../db/stand-in/numbers.ts';
import { type MonitorObject, objectNamed, objectOf, putObject } from '../../db/stand-in/objects.ts';
import { isRecorded, recordRefused } from '../../db/stand-in/refused.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import { named, type Names, restLine } from '../../observed/told/rest-call.ts';
import { wordsOf } from './fields.ts';
import { finderOf } from './finder.ts';
import type { Answer, Body, Resource } from './resource.ts';

export interface Writing {
  resource: Resource;
  body: Body;
  /** ISO 8601 in UTC. */
  at: string;
}

/** Registers an object; if that states a fact, it adds a row of the log in the same transaction. The same request again gets the same answer. */
export function register(tx: Transaction, writing: Writing): Answer {
  const { resource, body, at } = writing;
  const { path, nameField, idKind } = resource;
  const checked = resource.body.safeParse(body, { jitless: true, reportInput: true });
  if (!checked.success) return refused(tx, lineOf(writing, 'POST', path, {}), wordsOf(checked.error));
  const { object_id, told_name, ...names } = resource.namesOf(body, tx);
  const line = lineOf(writing, 'POST', path, named(names.run_id, told_name));
  const known = objectNamed(tx.sql, path, names.name);
  if (known !== undefined && (resource.again === 'same' || (resource.isOffRecord !== true && isRecorded(tx, line))))
    return { status: 201, body: known.document };
  if (known !== undefined && resource.again === 'refuse')
    return refused(tx, line, { [nameField]: [`${names.name} is registered already, with other fields.`] });
  record(tx, resource, line);
  const id = object_id ?? known?.object_id ?? (idKind === 'uuid' ? randomUUID() : String(nextNumber(tx, path)));
  const document = { ...resource.more(body, at), ...body, [resource.idField]: idIn(resource, id) };
  putObject(tx, { kind: path, object_id: id, ...names, document });
  return { status: 201, body: document };
}

const idIn = ({ idKind }: Resource, id: string): string | number =>
  idKind === 'number' || idKind === 'run' ? Number(id) : id;

/** Changes an object. A change is a row of the log, under its object's run and file. */
export function change(tx: Transaction, writing: Writing, id: string): Answer {
  const { resource, body } = writing;
  const find = finderOf(tx.sql);
  const known = objectOf(tx.sql, resource.path, id) ?? madeUp(tx, writing, id);
  const object = known && (resource.target?.(body, known, find) ?? known);
  const told_name = object && nameOf(object);
  const run_id = object?.run_id ?? resource.runOf?.(id, find);
  const line = lineOf(writing, 'PATCH', `${resource.path}/${id}`, named(run_id, told_name));
  if (object === undefined)
    return refused(tx, line, { detail: [`nothing of that id is registered here: ${id.slice(0, 100)}`] });
  record(tx, resource, line);
  const document = changed(resource, object, body);
  putObject(tx, { ...object, document });
  return { status: 200, body: document };
}

/** An object that nobody has registered here, named by its path. */
function madeUp(tx: Transaction, { resource, at }: Writing, id: string): MonitorObject | undefined {
  const { path, idKind, unknown } = resource;
  if (unknown === undefined) return undefined;
  const document = { ...unknown(id, finderOf(tx.sql)), updated_at: at };
  return { kind: path, object_id: id, name: id, ...(idKind === 'run' ? { run_id: id } : {}), document };
}

/** The name of a file or a slice, without its run. */
const nameOf = ({ name, run_id }: MonitorObject): string | undefined =>
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

/** The object after a change. Its names stay, and a later change without an end does not take back a recorded one. */
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

/** Some resources state nothing about a workflow, so their writes make no rows of the log. */
function record(tx: Transaction, { isOffRecord }: Resource, line: MessageLine): void {
  if (isOffRecord !== true) recordHeard(tx, line);
}

const lineOf = ({ body, at }: Writing, method: string, path: string, headers: Names): MessageLine =>
  restLine(at, method, `/api/${path}`, headers, body);
