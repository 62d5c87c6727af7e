import type * as z from 'zod';

import type { Past } from '../../db/past-queries.ts';
import type { Queries } from '../../db/queries.ts';
import { object } from '../../domain/fields.ts';
import { momentArgument, momentFields } from './moment.ts';
import type { Control, Logbook, Services } from './services.ts';

/** The context of a tool that only reads: one state of the store, at one moment. */
export interface ToolContext {
  queries: Queries;
  /** Now, in milliseconds since 1970: the base of relative times and ages. */
  now: number;
  /** The earlier moment that the call is about, as `TIME@MESSAGE_ID`; undefined for the present. */
  asOf?: string | undefined;
}

/** The context of a tool that may wait, work in steps or write. */
export interface LiveContext {
  /** The store as it is at the time of the call. Throws `SwfError` if it does not exist. */
  queries: () => Queries;
  /**
   * Queries the store as it was at a moment. Throws `ARGUMENT_INVALID` if `asOf` names none.
   * @param present milliseconds since 1970
   */
  past: <T>(asOf: string, present: number, question: (past: Past) => Promise<T> | T) => Promise<T>;
  /** Queries one state of the store, for as long as that takes. */
  held: <T>(ask: (queries: Queries) => Promise<T>) => Promise<T>;
  /** Now, in milliseconds since 1970, or the moment that the call is about. */
  now: () => number;
  /** The earlier moment that the call is about, as `TIME@MESSAGE_ID`; undefined for the present. */
  asOf?: string | undefined;
  /** Aborted once the answer is no longer awaited. */
  signal: AbortSignal;
  /** Reports progress to the client, if it asked for that. */
  progress: (done: number, total: number | undefined, message: string) => void;
  /** The control over executions, if the server has it. */
  control: Control | undefined;
  /** The logbook, if the server may write it. */
  logbook?: Logbook | undefined;
  /** What tools need of the machine in addition to the store. */
  services: () => Promise<Services>;
  /** The address of the page, for links in texts; undefined if unknown. */
  page?: string | undefined;
  /** The name of the caller, as far as the server knows it: the client's own, or `mcp`. */
  caller: () => string;
}

/** The context of a call that asks the store as it was at a moment. */
export const pastContext = (context: LiveContext, past: Past): LiveContext => ({
  ...context,
  queries: () => past.queries,
  held: (ask) => ask(past.queries),
  past: () => Promise.reject(new Error('a call as of an earlier moment requests another moment')),
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
  /** Other spellings of arguments, as the testbed's own monitor has them. */
  aliases: Readonly<Record<string, string>>;
  /** Whether the page can show its answer, to clients that show pages. */
  hasPage?: true;
  /** Whether it can be asked about an earlier moment. */
  takesMoment?: true;
  /** Whether a call may keep the processor for longer than others should wait; if left out, it never does. */
  takesLong?: (args: Readonly<Record<string, unknown>>) => boolean;
  /** Its effects besides reading; most tools have none. */
  writes?: { destructive: boolean; idempotent: boolean };
  /** Reads one state of the store (`handle`), or may wait, work in steps or write (`perform`). */
  handle?: (args: never, context: ToolContext) => Record<string, unknown>;
  perform?: (args: never, context: LiveContext) => Promise<Record<string, unknown>>;
}

interface Declaration<Name extends string, In extends z.ZodRawShape, Out extends z.ZodObject>
  extends
    Pick<Tool<Name>, 'name' | 'title' | 'description' | 'hasPage' | 'takesMoment' | 'takesLong'>,
    Partial<Pick<Tool, 'aliases'>> {
  /**
   * Its arguments; others are refused. Schemas are made on first use: a call needs those of one tool, and a
   * start needs none.
   */
  input: () => In;
  output: () => Out;
}

/** Declares a tool that only reads, checking that handler and schemas fit. */
export const defineTool = <const Name extends string, In extends z.ZodRawShape, Out extends z.ZodObject>(
  tool: Declaration<Name, In, Out> & {
    handle: (args: z.output<z.ZodObject<In>>, context: ToolContext) => z.input<Out>;
  },
) => withSchemas(tool);

/** Declares a tool that may wait, work in steps or write, checking that handler and schemas fit. */
export const defineLiveTool = <const Name extends string, In extends z.ZodRawShape, Out extends z.ZodObject>(
  tool: Declaration<Name, In, Out> &
    Pick<Tool, 'writes'> & {
      perform: (args: z.output<z.ZodObject<In>>, context: LiveContext) => Promise<z.input<Out>>;
    },
) => withSchemas(tool);

/** The tool with its schemas, each made once. */
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
    // The store at an earlier moment is made from the log.
    takesLong: (args) => (takesMoment && args['as_of'] !== undefined) || takesLong?.(args) === true,
    get input() {
      return (made.input ??= object({ ...input(), ...(takesMoment ? momentArgument : {}) }));
    },
    get output() {
      return (made.output ??= takesMoment ? output().extend(momentFields) : output());
    },
  };
}
