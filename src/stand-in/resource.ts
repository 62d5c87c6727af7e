import * as z from 'zod';

import type { Prepare } from '../db/sqlite/statements.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import type { Document, MonitorObject, ObjectNames, ObjectsWanted } from '../db/stand-in/objects.ts';
import { hasHidden, maxShortName } from '../observed/reading/values.ts';

export interface Answer {
  status: number;
  body: unknown;
  /** Whether there may be more objects than the listed ones. */
  isCut?: boolean;
}

/** The values that a program sent, after validation. */
export type Body = Readonly<Record<string, unknown>>;

export type Query = Readonly<Record<string, string>>;

export interface Question {
  body: Body;
  query: Query;
  /** ISO 8601 in UTC. */
  at: string;
  /** The id of the object that the path names. */
  id: string;
  /** The address, without its query. */
  url: string;
}

export interface Call {
  method: 'GET' | 'POST' | 'PATCH';
  /** The path below `/api/`. */
  path: string;
  /** Whether the call, like a read, needs no token. */
  isOpen?: true;
  /** A read uses only `sql`, without a transaction, so it does not have to wait for writers. */
  answer: (tx: Transaction, question: Question) => Answer;
}

/** The names of a registered object, and the names that its log row has in addition to those in the body. */
interface Registration extends ObjectNames {
  /** The id, if the program chooses it; if absent, an id is generated. */
  object_id?: string;
  /** The name of a file or a slice, for the log. */
  told_name?: string | undefined;
}

/**
 * A collection in swf-monitor. To add one, put it in the file for its subject and in the list in
 * `resources.ts`.
 */
export interface Resource {
  /** The resource's name in paths, such as `stf-files`. */
  path: string;
  /**
   * The answer field that contains the id: a generated number or UUID, or a run number or text from the
   * program.
   */
  idField: string;
  idKind: 'number' | 'uuid' | 'run' | 'text';
  /** The field of a registration that names the object. */
  nameField: string;
  body: z.ZodType<Body>;
  namesOf: (body: Body, tx: Transaction) => Registration;
  /** The fields that the answer has in addition to those in the request's body. @param at ISO 8601 */
  more: (body: Body, at: string) => Document;
  /**
   * How to react if a name is registered again with a different body: the request gets the first answer,
   * replaces the first object, or is refused.
   */
  again: 'same' | 'replace' | 'refuse';
  /** Whether swf-monitor pages its answer to a list request with `limit`. */
  isPaged?: true;
  /** Writes to the resource add no rows to the log, since they report nothing about a workflow. */
  isOffRecord?: true;
  /**
   * Narrows a list by the query parameters that correspond to a column; the others are compared with the fields
   * of each object.
   */
  wanted?: (query: Query) => ObjectsWanted;
  /** Whether an object that matches the query is listed. */
  isListed?: (object: MonitorObject, query: Query, sql: Prepare) => boolean;
  /** The object that a change applies to, if the change's body identifies it better than the path does. */
  target?: (body: Body, object: MonitorObject, sql: Prepare) => MonitorObject | undefined;
  /** The answer for an object that is not registered here but that the testbed's programs expect to exist. */
  unknown?: (id: string, sql: Prepare) => Document;
  /** The run of an object whose id and names do not include one. */
  runOf?: (sql: Prepare, id: string) => string | undefined;
  /** Other names that queries may use for a field. */
  aliases?: Readonly<Record<string, string>>;
}

/** A file name: any text of at most 1,000 characters. */
export const fileName = () => z.string().min(1).max(1000);

/** An id or a name that can appear in a path and on one line. */
export const word = () =>
  z
    .string()
    .min(1)
    .max(maxShortName)
    .refine((text) => !hasHidden(text), 'An id may contain only visible characters.');

/** A run number, which some programs write as text. */
export const runNumber = () =>
  z.union([z.int().min(0), z.string().regex(/^(?:0|[1-9]\d{0,14})$/)], 'A run number is required, such as 102001.');

/** Additional fields from a program. */
export const addedFields = () => z.record(z.string(), z.unknown()).nullish();

export const count = () => z.int().min(0);

/** A query parameter as a number; undefined if it is not a number. */
export const numberIn = (text = '') => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

const requiredWords = 'This field is required.';

/** The answer to a request without a required field. */
export const without = (field: string): Answer => ({ status: 400, body: { [field]: [requiredWords] } });

/** The errors for each invalid field of a body, as in swf-monitor's answers: `{field: [words]}`. */
export function wordsOf({ issues }: z.ZodError) {
  const words: Record<string, string[]> = {};
  for (const { path, message, code, input } of issues) {
    const field = path.length === 0 ? 'detail' : path.join('.');
    const isMissing = code === 'invalid_type' && input === undefined;
    (words[field] ??= []).push(isMissing ? requiredWords : message);
  }
  return words;
}
