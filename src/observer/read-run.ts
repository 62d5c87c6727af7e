import { fastProcessing, promptProcessing, workflowInId } from '../domain/workflows.ts';
import { chosenSites, isTracked } from '../observed/reading/prompt.ts';
import { type Fields, objectOf } from '../observed/reading/values.ts';
import type { MessageLine } from '../observed/recording-lines.ts';
import { lineOfBeat, zoned } from '../observed/told/rest-rows.ts';

/** Whether an STF file of prompt processing waits for PanDA: a site has it. */
export const isOpen = ({ status, metadata }: Fields): boolean =>
  (status === 'registered' || status === 'processing') && chosenSites(objectOf(metadata))?.length !== 0;

/** Whether an STF file is of prompt processing: its sites were chosen, or PanDA has it. */
export const isOfPrompt = ({ metadata }: Fields): boolean =>
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

/** A heartbeat this old, in milliseconds, when its agent is first seen, is its last sign of life; clocks differ by less. */
const oldBeat = 300_000;

/**
 * Finds in lists of swf-monitor's agents those of prompt processing that live: their heartbeats change. Returns
 * rows of their signs of life.
 * @param at when a list was read, in milliseconds since 1970
 */
export function createBeatTest() {
  const seen = new Map<unknown, unknown>();
  return (agents: readonly Fields[], at: number): MessageLine[] =>
    agents.flatMap((agent) => {
      const { instance_name: name, last_heartbeat: beat } = agent;
      if (agent['agent_type'] !== 'PROCESSING' || typeof beat !== 'string' || seen.get(name) === beat) return [];
      const isFirst = !seen.has(name);
      seen.set(name, beat);
      const time = new Date(at).toISOString();
      const told = zoned(beat, time) ?? time;
      return lineOfBeat(agent, isFirst && at - Date.parse(told) > oldBeat ? told : time);
    });
}

const isPromptById = (workflow: string | undefined): boolean | undefined =>
  workflow === promptProcessing ? true : workflow === fastProcessing ? false : undefined;

/** The objects of a list: an array, or a page of it. */
export function itemsOf(answer: unknown): Fields[] {
  const items = Array.isArray(answer) ? answer : objectOf(answer)['results'];
  if (!Array.isArray(items)) throw new Error('it answers with something other than a list');
  return items.map(objectOf);
}
