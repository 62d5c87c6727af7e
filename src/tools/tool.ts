import type * as z from 'zod';

import type { Queries } from '../db/queries.ts';

/** What a tool's handler is given beside its arguments. */
export interface ToolContext {
  queries: Queries;
  /** Now, in milliseconds since 1970: what relative times and ages are counted from. */
  now: number;
}

/** One tool: a declaration, and a handler that returns its structured answer and lets every error pass. */
export interface Tool {
  name: string;
  title: string;
  description: string;
  input: z.ZodObject;
  output: z.ZodObject;
  /** Other spellings of arguments, as the testbed's own monitor has them. */
  aliases: Readonly<Record<string, string>>;
  handle: (args: never, context: ToolContext) => Record<string, unknown>;
}

/** Declares a tool, checking that handler and schemas fit. */
export function defineTool<In extends z.ZodObject, Out extends z.ZodObject>(tool: {
  name: string;
  title: string;
  description: string;
  input: In;
  output: Out;
  aliases?: Readonly<Record<string, string>>;
  handle: (args: z.output<In>, context: ToolContext) => z.input<Out>;
}): Tool {
  return { aliases: {}, ...tool };
}
