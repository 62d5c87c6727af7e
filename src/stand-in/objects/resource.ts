import type * as z from 'zod';

import type { Transaction } from '../../db/sqlite/transaction.ts';
import type { Document, MonitorObject, ObjectNames } from '../../db/stand-in/objects.ts';
import type { Finder } from './finder.ts';

export interface Answer {
  status: number;
  body: unknown;
  /** Whether there may be more than is listed. */
  isCut?: boolean;
}

/** A checked value from a program. */
export type Body = Readonly<Record<string, unknown>>;

/** The names of a registered object, and the names that its row of the log has beside its body. */
export interface Registration extends ObjectNames {
  /** The id, if the program chooses it; if left out, it is drawn. */
  object_id?: string;
  /** The name of a file or a slice for the log. */
  told_name?: string;
}

/** A collection of swf-monitor. To add one, add a file in `resources/` and a line to its list. */
export interface Resource {
  /** Its name in paths: `stf-files`. */
  path: string;
  /** The answer field that has the id: a drawn number or UUID, or a run number or text that the program gives. */
  idField: string;
  idKind: 'number' | 'uuid' | 'run' | 'text';
  /** The field of a registration that names its object. */
  nameField: string;
  /** The fields that a registration must have. */
  body: z.ZodType<Body>;
  namesOf: (body: Body, tx: Transaction) => Registration;
  /** The answer fields that the body does not give. @param at ISO 8601 */
  more: (body: Body, at: string) => Document;
  /** A second registration of a name with another body gets the first answer, replaces the first, or is refused. */
  again: 'same' | 'replace' | 'refuse';
  /** swf-monitor answers a list with `limit` in pages. */
  isPaged?: true;
  /** Its writes are no rows of the log: they state nothing about a workflow. */
  isOffRecord?: true;
  /** Narrows a list by the query parts that have a column; other parts are compared with the fields of each object. */
  find?: (query: Readonly<Record<string, string>>, find: Finder) => MonitorObject[];
  /** The object that a change applies to, if its body tells better than its path. */
  target?: (body: Body, object: MonitorObject, find: Finder) => MonitorObject | undefined;
  /** An object that nobody has registered here but their programs expect to exist. */
  unknown?: (id: string, find: Finder) => Document;
  /** The run of an object that is not identified by one. */
  runOf?: (id: string, find: Finder) => string | undefined;
  /** Other names for a field in queries. */
  aliases?: Readonly<Record<string, string>>;
}
