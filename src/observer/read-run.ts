import { fastProcessing, promptProcessing, workflowInId } from '../domain/workflows.ts';
import { chosenSites, isTracked } from '../observed/reading/prompt.ts';
import { type Fields, objectOf } from '../observed/reading/values.ts';

/** Whether an STF file of prompt processing waits for PanDA: a site has it. */
export const isOpen = ({ status, metadata }: Fields) =>
  (status === 'registered' || status === 'processing') && chosenSites(objectOf(metadata))?.length !== 0;

/** Whether an object is of one of some namespaces; none: of any. */
export const isOf = (namespaces: readonly string[], { namespace }: Fields) =>
  namespaces.length === 0 || namespaces.includes(String(namespace));

/** Whether an STF file is of prompt processing: its sites were chosen, or PanDA has it. */
export const isOfPrompt = ({ metadata }: Fields) =>
  chosenSites(objectOf(metadata)) !== undefined || isTracked(objectOf(metadata));

/** A run being read. */
export type Run = ReturnType<typeof newRun>;

export const newRun = (execution_id: string, run_id?: string) => ({
  execution_id,
  run_id,
  /** Undefined until its id or its files show it. */
  isPrompt: isPromptById(workflowInId(execution_id)),
  /** Whether PanDA still has files of it. */
  hasJobs: false,
  /** Whether it is no longer listed as running. */
  isGone: false,
  /** When it was seen to have ended. Milliseconds since 1970. */
  endedAt: undefined as number | undefined,
  /** When reading its lists last began. */
  listedAt: -Infinity,
  /** Digests of the lines read about it. */
  seen: new Set<string>(),
  /** STF files whose TF files are still to be read, and all known STF files. */
  stfs: [] as string[],
  allStfs: new Set<string>(),
  /** Whether a request of this round was skipped. */
  isPartial: false,
  /** Whether an object of it was left out, since it is nested too deeply. */
  isTooDeep: false,
});

const isPromptById = (workflow: string | undefined) =>
  workflow === promptProcessing ? true : workflow === fastProcessing ? false : undefined;

/** The objects of a list: an array, or a page of it. */
export function itemsOf(answer: unknown): Fields[] {
  const items = Array.isArray(answer) ? answer : objectOf(answer)['results'];
  if (!Array.isArray(items)) throw new Error('it answers with something other than a list');
  return items.map(objectOf);
}
