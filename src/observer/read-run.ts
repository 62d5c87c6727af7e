import { fastProcessing, promptProcessing, workflowInId } from '../domain/workflows.ts';
import { sha256 } from '../lib/sha256.ts';
import { isShallow } from '../observed/body.ts';
import { chosenSites, isTracked } from '../observed/reading/prompt.ts';
import { type Fields, idOf, objectOf } from '../observed/reading/values.ts';
import type { MessageLine } from '../observed/recording-lines.ts';
import { linesOfObject, type ReadResource } from '../observed/told/rest-rows.ts';

/** The interval, in milliseconds, between readings of long lists, each of which covers a whole run. */
export const betweenLists = 20_000;

/** A run, identified by the ids that its programs use. */
export type ReadRun = Record<'execution_id' | 'run_id', string>;

export interface ReadingOptions {
  take: (line: MessageLine) => void;
  /**
   * Called when everything that the monitor had about a run at the time `at` (milliseconds since 1970) has been
   * read.
   */
  onRead: (run: ReadRun, at: number) => void;
  say: (line: string) => void;
  now: () => number;
}

/**
 * Whether PanDA may still process an STF file of prompt processing: the file has no result yet, and sites have
 * been chosen for it or are still to be chosen.
 */
const isOpen = ({ status, metadata }: Fields) =>
  (status === 'registered' || status === 'processing') && chosenSites(objectOf(metadata))?.length !== 0;

/** Whether an object belongs to one of the namespaces; true if the list is empty. */
export const isOf = (namespaces: readonly string[], { namespace }: Fields) =>
  namespaces.length === 0 || namespaces.includes(String(namespace));

/** Whether an STF file belongs to prompt processing: sites were chosen for it, or PanDA has it. */
const isOfPrompt = ({ metadata }: Fields) =>
  chosenSites(objectOf(metadata)) !== undefined || isTracked(objectOf(metadata));

type Run = ReturnType<typeof newRun>;

export const newRun = (execution_id: string, run_id?: string) => ({
  execution_id,
  run_id,
  /** Undefined until the run's id or files show the workflow. */
  isPrompt: isPromptById(workflowInId(execution_id)),
  /** Whether PanDA still has files of the run. */
  hasJobs: false,
  /** Whether the run is no longer listed as running. */
  isGone: false,
  /** When the reader saw that the run had ended, in milliseconds since 1970. */
  endedAt: undefined as number | undefined,
  /** When the reader last began to read the run's lists. */
  listedAt: -Infinity,
  /** Digests of the lines read about the run. */
  seen: new Set<string>(),
  /** STF files whose TF files have not been read yet, and all known STF files. */
  stfs: new Set<string>(),
  allStfs: new Set<string>(),
  /** Whether a request in this round was skipped. */
  isPartial: false,
  /** Whether an object of the run was skipped because it is nested too deeply. */
  isTooDeep: false,
});

const isPromptById = (workflow: string | undefined) =>
  workflow === promptProcessing ? true : workflow === fastProcessing ? false : undefined;

/** The objects in a list, which is either an array or a page that contains one. */
export function itemsOf(answer: unknown): Fields[] {
  const items = Array.isArray(answer) ? answer : objectOf(answer)['results'];
  if (!Array.isArray(items)) throw new Error('it returned something other than a list');
  return items.map(objectOf);
}

/** A request, the function that handles the answer, and the run that the request is for. */
export interface Step {
  path: string;
  take: (answer: unknown) => void;
  run?: Run;
}

export function createSteps({ onRead, now }: ReadingOptions, take: Take) {
  const listOf = (run: Run, resource: ReadResource, query: string): Step => ({
    run,
    path: `${resource}/${query}`,
    take(answer) {
      const objects = itemsOf(answer);
      if (resource === 'stf-files') {
        run.isPrompt ??= objects.some(isOfPrompt) || undefined;
        run.hasJobs = run.isPrompt === true && objects.some(isOpen);
      } else if (resource !== 'runs' && objects.length > 0) run.isPrompt ??= false;
      for (const object of objects) {
        if (resource === 'runs' && idOf(object['run_number']) !== run.run_id) continue;
        const isNew = take(run, resource, object);
        const stf = idOf(object['stf_filename']);
        if (resource !== 'stf-files' || stf === undefined || !isNew) continue;
        // Read an STF file's TF files when the STF file is registered, and again when it is ready.
        run.stfs.add(stf);
        run.allStfs.add(stf);
      }
    },
  });

  const tfFilesOf = (run: Run, stf: string): Step =>
    thenDo(listOf(run, 'fastmon-files', `?stf_filename=${encodeURIComponent(stf)}`), () => run.stfs.delete(stf));

  return (run: Run): Step[] => {
    const { run_id, execution_id } = run;
    const at = now();
    if (run.isGone && run.endedAt === undefined) return [endOf(run, take, now)];
    if (run_id === undefined || at - run.listedAt < betweenLists) return [];
    const byRun = `?run_number=${encodeURIComponent(run_id)}`;
    run.listedAt = at;
    run.isPartial = false;
    const lists = [
      listOf(run, 'stf-files', byRun),
      ...(run.isPrompt === false ? [] : [listOf(run, 'runs', byRun)]),
      ...(run.isPrompt === true
        ? []
        : [
            listOf(run, 'tf-slices', byRun),
            listOf(run, 'system-state-events', `${byRun}&event_type=slice_result`),
            ...[...run.stfs].map((stf) => tfFilesOf(run, stf)),
          ]),
    ];
    const last = lists.pop() as Step;
    return [...lists, thenDo(last, () => run.isPartial || onRead({ execution_id, run_id }, at))];
  };
}

/** For a run that is no longer listed as running: the request that shows how it ended. */
const endOf = (run: Run, take: Take, now: () => number): Step => ({
  run,
  path: `workflow-executions/${encodeURIComponent(run.execution_id)}/`,
  take(answer) {
    const execution = objectOf(answer);
    if (execution['status'] === 'running') return;
    take(run, 'workflow-executions', execution);
    run.endedAt = now();
    // Immediately read the rest of an ended run, including TF files that were added late to an STF file.
    run.listedAt = -Infinity;
    run.stfs = new Set(run.allStfs);
  },
});

const thenDo = (step: Step, act: () => unknown): Step => ({
  ...step,
  take(answer) {
    step.take(answer);
    act();
  },
});

/** Records the lines of an object that have not been read before. Returns whether there were any. */
type Take = ReturnType<typeof createTaker>;

/** An object that cannot be read must not prevent others from being read. */
export const createTaker =
  ({ take, say, now }: ReadingOptions) =>
  (run: Run, resource: ReadResource, object: Fields) => {
    if (!isShallow(object)) {
      if (!run.isTooDeep)
        say(
          `WARNING swf-monitor: an object in ${resource} for ${run.execution_id} is nested too deeply and was skipped`,
        );
      run.isTooDeep = true;
      return false;
    }
    const at = new Date(now()).toISOString();
    let isNew = false;
    for (const line of linesOfObject(resource, object, at, run.run_id)) {
      const { t: _, ...told } = line;
      const digest = sha256().update(JSON.stringify(told)).digest('base64').slice(0, 22);
      if (run.seen.has(digest)) continue;
      run.seen.add(digest);
      take(line);
      isNew = true;
    }
    return isNew;
  };
