import { backoff } from '../lib/duration.ts';
import { messageOf } from '../lib/errors.ts';
import { idOf, objectOf } from '../observed/reading/values.ts';
import {
  betweenLists,
  createSteps,
  createTaker,
  isOf,
  itemsOf,
  newRun,
  type ReadingOptions,
  type ReadRun,
  type Step,
} from './read-run.ts';

/** Minimum time between the starts of two requests, in milliseconds: the monitor also serves others. */
const betweenRequests = 1000;

const backoffBounds = { first: 2000, longest: 60_000 };

/** A run is read for this many milliseconds after its end, since results may arrive late. */
const readAfterEnd = 120_000;

/**
 * Files take hours in prompt processing, so swf-monitor is queried about them for this many milliseconds after
 * the end of data taking.
 */
const readJobs = 24 * 3_600_000;

interface MonitorReaderOptions extends Omit<ReadingOptions, 'now'>, Partial<Pick<ReadingOptions, 'now'>> {
  /** Sends a GET below `/api/`. Rejects if the monitor is unreachable or does not answer with JSON. */
  get: (path: string) => Promise<unknown>;
  namespaces: readonly string[];
  known?: readonly ReadRun[];
}

/**
 * Reads swf-monitor, one request after another and at most one a second: running executions, their runs and
 * parameters, files, slices and results. Takes each object once. Backs off while the monitor is unreachable.
 * Reports once that the monitor is unreachable or refuses a request, and once that it answers again.
 */
export function createMonitorReader(given: MonitorReaderOptions) {
  const options = { now: Date.now, known: [], ...given };
  const { say, now } = options;
  const nextRound = createRounds(options);
  /** Number of failed requests since the last success, and whether a failure has been reported. */
  let failures = 0;
  let isReported = false;
  let hasRead = false;
  const refused = createRefused(now);
  const succeeded = (path: string): true => {
    const reported = refused.noteSuccess(path);
    if (reported !== undefined) say(`swf-monitor answers requests for ${reported} again`);
    failures = 0;
    isReported = false;
    hasRead = true;
    return true;
  };
  const failed = (path: string, error: unknown): false => {
    failures += 1;
    if (!refused.noteFailure(path, !isReported)) return false;
    say(`WARNING swf-monitor does not answer requests for ${path}: ${requestFailure(error)}; retrying`);
    isReported = true;
    return false;
  };
  return {
    /** Whether the monitor answers; if not, the current state is unknown. */
    isHearing: () => hasRead && failures === 0,
    /** Makes the requests of each round one after the other. Retries a failed request a few times. */
    async read(signal: AbortSignal, wait: (milliseconds: number) => Promise<void>) {
      const waiting: Step[] = [];
      let tries = 0;
      while (!signal.aborted) {
        const began = now();
        if (waiting.length === 0) waiting.push(...nextRound());
        const [{ path, take, run }] = waiting as [Step];
        const isDone = await options
          .get(path)
          .then(take)
          .then(
            () => succeeded(path),
            (error: unknown) => signal.aborted || failed(path, error),
          );
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

/** The requests of each round: executions and runs first, followed by the requests due for each run. */
function createRounds(options: Required<MonitorReaderOptions>): () => Step[] {
  const { namespaces, known, now } = options;
  const runs = new Map(known.map(({ execution_id, run_id }) => [execution_id, newRun(execution_id, run_id)]));
  const take = createTaker(options);
  const stepsOf = createSteps(options, take);
  let statesReadAt = -Infinity;

  function takeExecutions(answer: unknown) {
    const running = itemsOf(answer).filter((one) => isOf(namespaces, one));
    for (const run of runs.values()) run.isGone = true;
    for (const one of running) {
      const id = idOf(one['execution_id']);
      if (id === undefined) continue;
      const run = runs.get(id) ?? newRun(id);
      runs.set(id, run);
      run.isGone = false;
      // Take the object only once its run is known; otherwise the run could be mistaken for another run with
      // the same name.
      if (run.run_id !== undefined) take(run, 'workflow-executions', one);
    }
  }

  function takeRunStates(answer: unknown) {
    for (const state of itemsOf(answer)) {
      const run = runs.get(String(objectOf(state['metadata'])['execution_id']));
      const run_id = idOf(state['run_number']);
      if (run === undefined || run_id === undefined || run.endedAt !== undefined) continue;
      // Several runs may have had this execution id, so take the newest one.
      if (run.run_id !== undefined && Number(run.run_id) > Number(run_id)) continue;
      run.run_id = run_id;
      take(run, 'run-states', state);
    }
  }

  return () => {
    const lists = [...runs.values()].flatMap(stepsOf);
    for (const { execution_id, endedAt = Infinity, hasJobs } of runs.values())
      if (now() - endedAt > (hasJobs ? readJobs : readAfterEnd)) runs.delete(execution_id);
    const isRunUnknown = [...runs.values()].some(({ run_id }) => run_id === undefined);
    const isDue = isRunUnknown || now() - statesReadAt >= betweenLists;
    if (isDue) statesReadAt = now();
    return [
      { path: 'workflow-executions/?status=running', take: takeExecutions },
      ...(isDue ? [{ path: 'run-states/', take: takeRunStates }] : []),
      ...lists,
    ];
  };
}

/**
 * The kinds of objects for which requests fail: for each kind, the reported path, and for each failing path,
 * when it last failed. While the monitor is unreachable, all requests fail, and one log line is enough.
 */
function createRefused(now: () => number) {
  const kinds = new Map<string, { reported: string; failures: Map<string, number> }>();
  return {
    /**
     * Returns whether to report a failure.
     * @param isFirst whether no failure has been reported since the last success
     */
    noteFailure(path: string, isFirst: boolean) {
      const known = kinds.get(kindOf(path));
      known?.failures.set(path, now());
      if (!isFirst || known !== undefined) return false;
      kinds.set(kindOf(path), { reported: path, failures: new Map([[path, now()]]) });
      return true;
    },
    /** Returns the reported path once all requests of its kind succeed again. */
    noteSuccess(path: string) {
      const known = kinds.get(kindOf(path));
      if (known === undefined) return undefined;
      known.failures.delete(path);
      for (const [other, at] of known.failures) if (now() - at > askedAgain) known.failures.delete(other);
      if (known.failures.size > 0) return undefined;
      kinds.delete(kindOf(path));
      return known.reported;
    },
  };
}

/** The kind of object that a path names; each run and each STF file has its own paths. */
const kindOf = (path: string) => path.slice(0, path.indexOf('/'));

/**
 * After this many milliseconds, a failure is forgotten: the path is presumably no longer requested, since its
 * run has ended.
 */
const askedAgain = 900_000;

/** A request that has failed this many times is skipped until the next round: perhaps only this one fails. */
const maxTries = 3;

/** The reason why a request failed. For a failed fetch, only the error's `cause` gives the reason. */
function requestFailure(error: unknown) {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return 'it did not answer in time';
  return cause?.code ?? cause?.message?.slice(0, 100) ?? messageOf(error);
}
