import type * as z from 'zod';

import type { Transaction } from '../../db/sqlite/transaction.ts';
import type { Document, MonitorObject, ObjectNames, ObjectsWanted } from '../../db/stand-in/objects.ts';

/** The answer to a request. */
export interface Answer {
  status: number;
  body: unknown;
}

/** A value that a program has sent, after its check. */
export type Body = Readonly<Record<string, unknown>>;

/** The names of an object that is registered, and those that its row of the log has beside its body. */
export interface Registration extends ObjectNames {
  /** Where the program chooses the id; left out, it is drawn. */
  object_id?: string;
  /** The name of a file or a slice for the log. */
  told_name?: string;
}

/** One of the collections of swf-monitor: a new one is a file in `resources/` and a line in its list. */
export interface Resource {
  /** As it stands in paths: `stf-files`. */
  path: string;
  /** The field of answers that has the id: a number or a UUID that is drawn, or a run number or a text that the program tells. */
  idField: string;
  idKind: 'number' | 'uuid' | 'run' | 'text';
  /** The field of a registration that names its object. */
  nameField: string;
  /** The fields that a registration must have. */
  body: z.ZodType<Body>;
  namesOf: (body: Body, tx: Transaction) => Registration;
  /** The fields of an answer that the body does not give. @param at ISO 8601 */
  more: (body: Body, at: string) => Document;
  /** A second registration of a name with another body: is answered as the first was, stands in its place, or is refused. */
  again: 'same' | 'replace' | 'refuse';
  /** Whether its writes are rows of the log. */
  isRow: boolean;
  /** How a list is narrowed down by parts of a query that have a column; others are compared with the fields of each object. */
  find?: (query: Readonly<Record<string, string>>, find: Finder) => MonitorObject[];
  /** The object that a change is of, where its body tells better than its path. */
  target?: (body: Body, object: MonitorObject, find: Finder) => MonitorObject | undefined;
  /** An object that nobody has registered here, and that their programs take to be there. */
  unknown?: (id: string, find: Finder) => Document;
  /** The run of an object that is not known by one. */
  runOf?: (id: string, find: Finder) => string | undefined;
  /** The other names that a query has for a field. */
  aliases?: Readonly<Record<string, string>>;
}

/** How objects are found. */
export interface Finder {
  named: (kind: string, name: string) => MonitorObject | undefined;
  list: (kind: string, by: ObjectsWanted) => MonitorObject[];
  /** The newest run that was registered for an execution. */
  newestRun: (executionId: string) => string | undefined;
  /** An execution that was heard of; undefined where none was. */
  execution: (id: string) => Document | undefined;
}
