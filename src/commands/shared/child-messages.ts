import * as z from 'zod';

import { errorCodes } from '../../lib/errors.ts';

/** The messages of a process to the swf-mcp that has started it, over the channel that Node opens between the two. */
export const childMessageSchema = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('started'), execution_id: z.string(), run_number: z.int() }),
  /** Another process, named in `by`, has resumed the execution. */
  z.strictObject({ event: z.literal('resumed'), by: z.string() }),
  z.strictObject({ event: z.literal('done') }),
  z.strictObject({ event: z.literal('failed'), code: z.enum(errorCodes), sentence: z.string() }),
]);

export type ChildMessage = z.infer<typeof childMessageSchema>;
