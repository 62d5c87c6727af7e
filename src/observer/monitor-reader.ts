import { backoff } from '../lib/duration.ts';
import { messageOf } from '../lib/errors.ts';
import { sha256 } from '../lib/sha256.ts';
import { isShallow } from '../observed/body.ts';
import { type Fields, idOf, objectOf } from '../observed/reading/values.ts';
import type { MessageLine } from '../observed/recording-lines.ts';
import { linesOfObject, type ReadResource } from '../observed/told/rest-rows.ts';
import { isOf, isOfPrompt, isOpen, itemsOf, newRun, type Run } from './read-run.ts';

/** Time between the starts of two requests, in milliseconds: their monitor has other work. */
const betweenRequests = 1000;

const backoffBounds = { first: 2000, longest: 60_000 };

/** Interval for reading long lists, which hold a whole run, in milliseconds. */
const betweenLists = 20_000;

/** A run is read for this long after its end, in milliseconds: results come late. */
const readAfterEnd = 120_000;

/**
 * The files of prompt processing take hours: they are read for this long after the end of data taking, in
 * milliseconds.
 */
const readJobs = 24 * 3_600_000;

/** A run, by the ids that its programs use. */
type ReadRun = Record<'execution_id' | 'run_id', string>;

interface MonitorReaderOptions {
  /** GET below `/api/`. Rejects if the monitor is away or answers with anything but JSON. */
  get: (path: string) => Promise<unknown>;
  namespaces: readonly string[];
  /** Executions that were running when they were last read. */
  known?: readonly ReadRun[];
  take: (line: MessageLine) => void;
  /** Called when everything that the monitor had about a run at a time was read. Milliseconds since 1970. */
  onRead: (run: ReadRun, at: number) => void;
  say: (line: string) => void;
  now?: () => number;
}

/**
 * Reads swf-monitor, one request after the other and at most one a second: running executions, their runs and
 * parameters, files, slices and results. Takes each object once. While the monitor is away it backs off, and
 * says so once.
 */
export function createMonitorReader(given: MonitorReaderOptions) {
  const options = { now: Date.now, known: [], ...given };
  const { say, now } = options;
  const nextRound = createRounds(options);
  let failures = 0;
  let hasRead = false;
  const succeeded = (): true => {
    if (failures > 0) say('swf-monitor is back');
    failures = 0;
    hasRead = true;
    return true;
  };
  const failed = (error: unknown): false => {
    if (failures === 0) say(`WARNING swf-monitor cannot be read: ${requestFailure(error)}; retrying`);
    failures += 1;
    return false;
  };
  return {
    /** Whether the monitor answers; otherwise nothing is known about the present. */
    isHearing: () => hasRead && failures === 0,
    /** Makes one request after the other, round by round. A failed request is made again a few times. */
    async read(signal: AbortSignal, wait: (milliseconds: number) => Promise<void>): Promise<void> {
      const waiting: Step[] = [];
      let tries = 0;
      while (!signal.aborted) {
        const began = now();
        if (waiting.length === 0) waiting.push(...nextRound());
        const [{ act, run }] = waiting as [Step];
        const isDone = await act().then(succeeded, (error: unknown) => signal.aborted || failed(error));
        tries += 1;
        if (isDone || tries >= maxTries) {
          if (!isDone && run !== undefined) run.isPartial = true;
          waiting.shift();
          tries = 0;
        }
        const pause = failures === 0 ? betweenRequests : backoff(failures, backoffBounds);
        await wait(Math.max(0, pause - (now() - began)));
      }
    },
  };
}

/** The requests of each round: executions and runs first, then the requests due for each run. */
function createRounds(options: Required<MonitorReaderOptions>): () => Step[] {
  const { get, namespaces, known, now } = options;
  const runs = new Map(known.map(({ execution_id, run_id }) => [execution_id, newRun(execution_id, run_id)]));
  const take = createTaker(options);
  const stepsOf = createSteps(options, take);
  let statesReadAt = -Infinity;

  async function readExecutions(): Promise<void> {
    const all = itemsOf(await get('workflow-executions/?status=running'));
    const running = all.filter((one) => isOf(namespaces, one));
    for (const run of runs.values()) run.isGone = true;
    for (const one of running) {
      const id = idOf(one['execution_id']);
      if (id === undefined) continue;
      const run = runs.get(id) ?? newRun(id);
      runs.set(id, run);
      run.isGone = false;
      // Only once its run is known, so that it is not mistaken for another of its name.
      if (run.run_id !== undefined) take(run, 'workflow-executions', one);
    }
  }

  async function readRunStates(): Promise<void> {
    statesReadAt = now();
    for (const state of itemsOf(await get('run-states/'))) {
      const run = runs.get(String(objectOf(state['metadata'])['execution_id']));
      const run_id = idOf(state['run_number']);
      if (run === undefined || run_id === undefined || run.endedAt !== undefined) continue;
      // The same execution id may have been used before: take the newest run.
      if (run.run_id !== undefined && Number(run.run_id) > Number(run_id)) continue;
      run.run_id = run_id;
      take(run, 'run-states', state);
    }
  }

  return () => {
    const lists = [...runs.values()].flatMap((run) => stepsOf(run).map((act) => ({ act, run })));
    for (const { execution_id, endedAt = Infinity, hasJobs } of runs.values())
      if (now() - endedAt > (hasJobs ? readJobs : readAfterEnd)) runs.delete(execution_id);
    const isRunUnknown = [...runs.values()].some(({ run_id }) => run_id === undefined);
    const isDue = isRunUnknown || now() - statesReadAt >= betweenLists;
    return [{ act: readExecutions }, ...(isDue ? [{ act: readRunStates }] : []), ...lists];
  };
}

/** The requests due for a run. */
function createSteps(options: Required<MonitorReaderOptions>, take: Take) {
  const { get, onRead, now } = options;

  async function readEnd(run: Run): Promise<void> {
    const execution = objectOf(await get(`workflow-executions/${encodeURIComponent(run.execution_id)}/`));
    if (execution['status'] === 'running') return;
    take(run, 'workflow-executions', execution);
    run.endedAt = now();
    // Read the rest of an ended run at once, including TF files that came later than others of their STF.
    run.listedAt = -Infinity;
    run.stfs = [...run.allStfs];
  }

  async function list(run: Run, resource: ReadResource, query: string): Promise<void> {
    const objects = itemsOf(await get(`${resource}/${query}`));
    if (resource === 'stf-files') {
      run.isPrompt ??= objects.some(isOfPrompt) || undefined;
      run.hasJobs = run.isPrompt !== false && objects.some(isOpen);
    } else if (resource !== 'runs' && objects.length > 0) run.isPrompt ??= false;
    for (const object of objects) {
      if (resource === 'runs' && idOf(object['run_number']) !== run.run_id) continue;
      const isNew = take(run, resource, object);
      const stf = idOf(object['stf_filename']);
      if (resource !== 'stf-files' || stf === undefined || !isNew) continue;
      // Read its TF files when it is registered, and again when it is ready.
      run.stfs.push(stf);
      run.allStfs.add(stf);
    }
  }

  return (run: Run): (() => Promise<void>)[] => {
    const { run_id, execution_id } = run;
    const at = now();
    if (run.isGone && run.endedAt === undefined) return [() => readEnd(run)];
    if (run_id === undefined || at - run.listedAt < betweenLists) return [];
    const byRun = `?run_number=${encodeURIComponent(run_id)}`;
    run.listedAt = at;
    run.isPartial = false;
    const stfs = run.stfs.splice(0);
    return [
      () => list(run, 'stf-files', byRun),
      ...(run.isPrompt === false ? [] : [() => list(run, 'runs', byRun)]),
      ...(run.isPrompt === true
        ? []
        : [
            () => list(run, 'tf-slices', byRun),
            () => list(run, 'system-state-events', `${byRun}&event_type=slice_result`),
            ...stfs.map((stf) => () => list(run, 'fastmon-files', `?stf_filename=${encodeURIComponent(stf)}`)),
          ]),
      () => {
        if (!run.isPartial) onRead({ execution_id, run_id }, at);
        return Promise.resolve();
      },
    ];
  };
}

/** Takes the lines of an object that were not read before. Returns whether there were any. */
type Take = ReturnType<typeof createTaker>;

/** One object that cannot be read must not keep others from being read. */
const createTaker =
  ({ take, say, now }: Required<MonitorReaderOptions>) =>
  (run: Run, resource: ReadResource, object: Fields): boolean => {
    if (!isShallow(object)) {
      if (!run.isTooDeep)
        say(
          `WARNING swf-monitor: an object of ${resource} of ${run.execution_id} is nested too deeply; it was skipped`,
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

/** A request that fails this often is skipped: the cause is not the monitor's absence. */
const maxTries = 3;

/** A request, and the run that it is for. */
interface Step {
  act: () => Promise<void>;
  run?: Run;
}

/** Why a request failed, in words: a failed fetch has it only in its cause. */
function requestFailure(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return 'it did not answer in time';
  return cause?.code ?? cause?.message?.slice(0, 100) ?? messageOf(error);
}
