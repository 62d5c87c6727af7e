import { objects, optionalString, string } from './fields.ts';

/** The state of one STF file at the sites of prompt processing. */
export const sitesOfFile = () =>
  objects({ name: optionalString, status: string, task_id: optionalString, reason: optionalString }).optional();
