import * as z from 'zod';

import type { Prepare } from '../db/sqlite/statements.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import type { Document, MonitorObject, ObjectNames, ObjectsWanted } from '../db/stand-in/objects.ts';
import { hasHidden, maxShortName } from '../observed/reading/values.ts';

export interface Answer {
  status: number;
  body: unknown;
  /** Whether there may be more than are listed. */
  isCut?: boolean;
}

/** A checked value from a program. */
export type Body = Readonly<Record<string, unknown>>;

/** The parts of a query. */
export type Query = Readonly<Record<string, string>>;

export interface Question {
  body: Body;
  query: Query;
  /** ISO 8601 in UTC. */
  at: string;
  /** The object that the path names. */
  id: string;
  /** The address, without its query. */
  url: string;
}

/** A request that is answered. */
export interface Call {
  method: 'GET' | 'POST' | 'PATCH';
  /** Below `/api/`. */
  path: string;
  /** Whether it is answered without a token, as a read is. */
  isOpen?: true;
  /** A read gets no transaction, only `sql`: it does not have to wait for writers. */
  answer: (tx: Transaction, question: Question) => Answer;
}

/** The names of a registered object, and the names that its row of the log has besides its body. */
interface Registration extends ObjectNames {
  /** The id, if the program chooses it; otherwise one is drawn. */
  object_id?: string;
  /** The name of a file or a slice for the log. */
  told_name?: string | undefined;
}

/**
 * A collection of swf-monitor. To add one, add it to the file of its subject and to the list in
 * `resources.ts`.
 */
export interface Resource {
  /** Its name in paths: `stf-files`. */
  path: string;
  /**
   * The answer field that has the id: a drawn number or UUID, or a run number or text that the program gives.
   */
  idField: string;
  idKind: 'number' | 'uuid' | 'run' | 'text';
  /** The field of a registration that names its object. */
  nameField: string;
  /** The fields that a registration must have. */
  body: z.ZodType<Body>;
  namesOf: (body: Body, tx: Transaction) => Registration;
  /** The answer fields that the body does not give. @param at ISO 8601 */
  more: (body: Body, at: string) => Document;
  /**
   * A second registration of a name with another body gets the first answer, replaces the first, or is
   * refused.
   */
  again: 'same' | 'replace' | 'refuse';
  /** swf-monitor answers a list with `limit` in pages. */
  isPaged?: true;
  /** Its writes do not become rows of the log: they state nothing about a workflow. */
  isOffRecord?: true;
  /**
   * Narrows a list by the query parts that have a column; other parts are compared with the fields of each
   * object.
   */
  wanted?: (query: Query) => ObjectsWanted;
  /** Whether a list includes an object that matches the query. */
  isListed?: (object: MonitorObject, query: Query, sql: Prepare) => boolean;
  /** The object that a change applies to, if its body identifies it better than its path. */
  target?: (body: Body, object: MonitorObject, sql: Prepare) => MonitorObject | undefined;
  /** An object that is not registered here but that the testbed's programs expect to exist. */
  unknown?: (id: string, sql: Prepare) => Document;
  /** The run of an object that is not identified by one. */
  runOf?: (sql: Prepare, id: string) => string | undefined;
  /** Other names for a field in queries. */
  aliases?: Readonly<Record<string, string>>;
}

/** A file name: opaque text of at most 1,000 characters. */
export const fileName = () => z.string().min(1).max(1000);

/** An id or a name that fits into a path and on one line. */
export const word = () =>
  z
    .string()
    .min(1)
    .max(maxShortName)
    .refine((text) => !hasHidden(text), 'An id may contain only visible characters.');

/** A run number, which some programs write as text. */
export const runNumber = () =>
  z.union([z.int().min(0), z.string().regex(/^(?:0|[1-9]\d{0,14})$/)], 'A run number is required, such as 102001.');

/** Extra fields that a program adds. */
export const addedFields = () => z.record(z.string(), z.unknown()).nullish();

export const count = () => z.int().min(0);

/** A part of a query as a number; undefined if it is not a number. */
export const numberIn = (text = '') => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

const requiredWords = 'This field is required.';

/** The answer to a request without a field that it needs. */
export const without = (field: string): Answer => ({ status: 400, body: { [field]: [requiredWords] } });

/** The errors for each invalid field of a body, as in swf-monitor's answers: `{field: [words]}`. */
export function wordsOf({ issues }: z.ZodError): Record<string, string[]> {
  const words: Record<string, string[]> = {};
  for (const { path, message, code, input } of issues) {
    const field = path.length === 0 ? 'detail' : path.join('.');
    const isMissing = code === 'invalid_type' && input === undefined;
    (words[field] ??= []).push(isMissing ? requiredWords : message);
  }
  return words;
}
