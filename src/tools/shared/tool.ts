import * as z from 'zod';

import type { Past } from '../../db/past-queries.ts';
import type { Queries } from '../../db/queries.ts';
import { float, object, optionalOneOf, string } from '../../domain/fields.ts';
import { issueWords } from '../../domain/issue-words.ts';
import { maxAuthor } from '../../domain/logbook-words.ts';
import { openSectionOf, openSections } from '../../domain/params.ts';
import { argumentInvalid, SwfError, valueInvalid } from '../../lib/errors.ts';
import { parseTime } from '../../lib/time.ts';
import { momentArgument, momentFields } from './moment.ts';
import type { Control, Logbook, Services } from './services.ts';

/** The context of a tool that only reads: one state of the store, at one moment. */
export interface ToolContext {
  queries: Queries;
  /** Now, in milliseconds since 1970: the reference for relative times and ages. */
  now: number;
  /** The earlier moment that the call is about, as `TIME@MESSAGE_ID`; undefined for the present. */
  asOf?: string | undefined;
}

/** The context of a tool that may wait, work in steps or write. */
export interface LiveContext {
  /** The store as it is at the time of the call. Throws `SwfError` if there is none. */
  queries: () => Queries;
  /**
   * Queries the store as it was at a given moment. Throws `ARGUMENT_INVALID` if `asOf` names no moment.
   * @param present milliseconds since 1970
   */
  past: <T>(asOf: string, present: number, question: (past: Past) => Promise<T> | T) => Promise<T>;
  /** Queries one state of the store, however long that takes. */
  held: <T>(ask: (queries: Queries) => Promise<T>) => Promise<T>;
  /** Now, in milliseconds since 1970, or the moment that the call is about. */
  now: () => number;
  /** The earlier moment that the call is about, as `TIME@MESSAGE_ID`; undefined for the present. */
  asOf?: string | undefined;
  /** Aborted once no one waits for the answer. */
  signal: AbortSignal;
  /** Reports progress to the client, if the client requested it. */
  progress: (done: number, total: number | undefined, message: string) => void;
  /** Control over executions, if the server has it. */
  control: Control | undefined;
  /** The logbook, if the server may write to it. */
  logbook?: Logbook | undefined;
  /** Machine services that tools need in addition to the store. */
  services: () => Promise<Services>;
  /** The address of the page, for links in texts; undefined if unknown. */
  page?: string | undefined;
  /** The caller's name, as far as the server knows it: the name that the client gave, or `mcp`. */
  caller: () => string;
}

/** The context of a call that queries the store as it was at a given moment. */
export const pastContext = (context: LiveContext, past: Past): LiveContext => ({
  ...context,
  queries: () => past.queries,
  held: (ask) => ask(past.queries),
  past: () => Promise.reject(new Error('as_of is already set for this call')),
  now: () => past.now,
  asOf: past.exact,
});

/** One tool: a declaration, and a handler that returns its structured answer and lets errors propagate. */
export interface Tool<Name extends string = string> {
  name: Name;
  title: string;
  description: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** Other names for arguments, as used by the testbed's own monitor. */
  aliases: Readonly<Record<string, string>>;
  /** Whether the page can show the tool's answer in clients that show pages. */
  hasPage?: true;
  /** Whether the tool can be asked about an earlier moment. */
  takesMoment?: true;
  /**
   * Whether a call may use the processor for too long for other calls to wait; if omitted, no call does.
   */
  takesLong?: (args: Readonly<Record<string, unknown>>) => boolean;
  /** Set if the tool does more than read; most tools only read. */
  writes?: { destructive: boolean; idempotent: boolean };
  /** The tool's function: `handle` reads one state of the store; `perform` may wait, work in steps or write. */
  handle?: (args: never, context: ToolContext) => Record<string, unknown>;
  perform?: (args: never, context: LiveContext) => Promise<Record<string, unknown>>;
  /** Shortens the complete answer, which names its moment, to the tool's size limit. */
  shorten?: <T extends object>(answer: T) => T;
}

interface Declaration<Name extends string, In extends z.ZodRawShape, Out extends z.ZodObject>
  extends
    Pick<Tool<Name>, 'name' | 'title' | 'description' | 'hasPage' | 'takesMoment' | 'takesLong' | 'shorten'>,
    Partial<Pick<Tool, 'aliases'>> {
  /**
   * The tool's arguments; all others are refused. Schemas are created on first use: a call needs the schemas
   * of one tool, and startup needs none.
   */
  input: () => In;
  output: () => Out;
}

/** Declares a read-only tool, and checks that its handler matches its schemas. */
export const defineTool = <const Name extends string, In extends z.ZodRawShape, Out extends z.ZodObject>(
  tool: Declaration<Name, In, Out> & {
    handle: (args: z.output<z.ZodObject<In>>, context: ToolContext) => z.input<Out>;
  },
) => withSchemas(tool);

/** Declares a tool that may wait, work in steps or write. Checks that its handler matches its schemas. */
export const defineLiveTool = <const Name extends string, In extends z.ZodRawShape, Out extends z.ZodObject>(
  tool: Declaration<Name, In, Out> &
    Pick<Tool, 'writes'> & {
      perform: (args: z.output<z.ZodObject<In>>, context: LiveContext) => Promise<z.input<Out>>;
    },
) => withSchemas(tool);

/** The tool with its schemas, each created once. */
function withSchemas<Name extends string>({
  input,
  output,
  ...rest
}: Declaration<Name, z.ZodRawShape, z.ZodObject>): Tool<Name> {
  const made: { input?: z.ZodObject; output?: z.ZodObject } = {};
  const { takesMoment = false, takesLong } = rest;
  return {
    aliases: {},
    ...rest,
    // The store at an earlier moment is rebuilt from the log.
    takesLong: (args) => (takesMoment && args['as_of'] !== undefined) || takesLong?.(args) === true,
    get input() {
      return (made.input ??= object({ ...input(), ...(takesMoment ? momentArgument : {}) }));
    },
    get output() {
      return (made.output ??= takesMoment ? output().extend(momentFields) : output());
    },
  };
}

/** Arguments that tools share; each has the same name everywhere. */

/** Some clients send numbers as text. */
const numeric = <T extends z.ZodNumber>(schema: T, asText: RegExp, description: string) =>
  z
    .preprocess((value) => (typeof value === 'string' && asText.test(value) ? Number(value) : value), schema)
    .optional()
    .describe(description);

export const integer = (least: number, most: number, description: string) =>
  numeric(z.int().min(least).max(most), /^\s*-?\d{1,15}\s*$/, description);

export const number = (description: string) => numeric(float, /^\s*-?\d{1,15}(\.\d{1,15})?\s*$/, description);

/** A text that some clients send as a number. */
export const textOrNumber = (most: number, description: string) =>
  z
    .preprocess((value) => (typeof value === 'number' ? String(value) : value), z.string().min(1).max(most))
    .optional()
    .describe(description);

export const requiredText = (description: string, most = 300) => string.min(1).max(most).describe(description);

export const text = (description: string, most = 300) => string.min(1).max(most).optional().describe(description);

export const choice = <const Words extends readonly string[]>(words: Words, description: string) =>
  optionalOneOf(words).describe(description);

/** The person on whose behalf something is requested. */
export const requestedBy = (description: string) =>
  z.string().trim().min(1).max(maxAuthor).optional().describe(description);

const executionWords = 'Execution id, or "latest"';
export const executionId = text(executionWords);
export const requiredExecution = requiredText(executionWords);
export const runNumber = integer(0, Number.MAX_SAFE_INTEGER, 'Run number');
export const namespace = text('Namespace');

/** The arguments of every list. @param time the time that the list's window applies to, in words */
export const listArguments = (time: string) => ({
  limit: integer(1, 200, 'Rows per page (default 50)'),
  cursor: text('next_cursor of the previous page', 2000),
  order: choice(['newest', 'oldest'], 'Order of recording (default newest)'),
  start_time: text(`Earliest ${time}: ISO 8601, or -2h`),
  end_time: text(`Latest ${time}`),
});

/** The fields to return for items of a wide list. */
export const itemFields = text('Only these fields, separated by commas');

/** The start and end time for a list. Throws if they are not in order. */
export function parseWindow(asked: { start_time?: string | undefined; end_time?: string | undefined }, now: number) {
  const start_time = parseTime('start_time', asked.start_time, now);
  const end_time = parseTime('end_time', asked.end_time, now);
  if (start_time !== undefined && end_time !== undefined && start_time > end_time)
    throw argumentInvalid(
      `start_time = "${start_time}" is after end_time = "${end_time}"; give an earlier start or a later end`,
    );
  return { start_time, end_time };
}

/**
 * The id of an execution that exists (`latest` resolved), or undefined if none was requested. Throws
 * `EXECUTION_NOT_FOUND`.
 */
export const resolveExecution = (id: string | undefined, { queries }: ToolContext) =>
  id === undefined ? undefined : queries.execution(id).execution_id;

/** Throws `RUN_NOT_FOUND` for a run that the store does not know. */
export function requireRun(run: number | undefined, { queries }: ToolContext) {
  if (run === undefined || queries.runIsKnown(run)) return run;
  const recent = queries.recentRunNumbers();
  const known =
    recent.length === 0
      ? 'this store has no executions yet; "swf-mcp run" creates one'
      : `the newest ${recent.length === 1 ? 'is' : 'are'} ${recent.join(', ')}`;
  throw new SwfError('RUN_NOT_FOUND', `there is no run ${run}; ${known}`);
}

/**
 * The given parameters of a run, each with the name of its section in the configuration. Throws
 * `ARGUMENT_INVALID` for a value that the configuration would reject.
 */
export const givenParameters = (given: Readonly<Record<string, number | undefined>>) =>
  Object.entries(given).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const section = openSectionOf(name);
    if (section === undefined) throw new Error(`no section has ${name}`);
    const schema = (openSections[section].shape as Record<string, z.ZodType>)[name] as z.ZodType;
    const { error } = schema.safeParse(value);
    if (error === undefined) return [{ section, name, value }];
    throw valueInvalid(`${name} = ${value}: ${issueWords(error.issues[0] as z.core.$ZodIssue, value)}`);
  });
