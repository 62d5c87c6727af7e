import { objects, optionalString, string } from './fields.ts';

/** How the sites of prompt processing fare with one STF file. */
export const sitesOfFile = () =>
  objects({ name: optionalString, status: string, task_id: optionalString, reason: optionalString }).optional();
