import type { DeliveredSlice } from '../agents/ports.ts';
import type { ExecutionStanding } from '../agents/slice-worker.ts';
import { lateSeconds } from '../domain/liveness.ts';
import { workersMayTake } from '../domain/run-phases.ts';
import { setNewest } from '../lib/once-for.ts';
import { createNotifier } from '../messages/notifier.ts';
import type { ExecutionState } from '../messages/telemetry.ts';

/** A recorder unheard for this long is silent, in milliseconds. */
const silentMilliseconds = lateSeconds * 1000;

/**
 * The most executions to remember. The oldest are forgotten; recorders report running ones every few seconds.
 */
const maxKept = 1000;

/** The most executions to exclude at the broker: a header must not grow longer than a broker reads. */
const maxUnwanted = 50;

/** The slots that take slices: `one` tries one at a time, or `none` leaves the queue to others. */
export type Taking = 'all' | 'one' | 'none';

interface View {
  state: ExecutionState;
  over: AbortController;
  /** Whether a slice on trial has ended since this state: what follows is up to the recorder. */
  isTried: boolean;
}

export type ExecutionViews = ReturnType<typeof createExecutionViews>;

/**
 * A namespace's executions as their recorders report them. Nothing is stored: a starting process receives
 * everything within seconds.
 */
export function createExecutionViews() {
  /** By execution and store: two stores may give the same id. */
  const views = new Map<string, View>();
  const recorders = createRecorders();
  /** Any change wakes all that wait for one. */
  const news = createNotifier();
  const rests = createRests(views, recorders);
  let onPaused = () => {};
  let onOver: (storeId: string, messageId: string) => void = () => {};
  let lastPaused = 'all others';

  /** Without a store id, finds the execution that was heard last. */
  function find(executionId: string, storeId: string | undefined) {
    if (storeId !== undefined) return views.get(keyOf(executionId, storeId));
    return [...views.values()].findLast(({ state }) => state.execution_id === executionId);
  }

  function look() {
    const paused = [rests.taking(), ...rests.paused(1), 'others', ...rests.paused(2)].join(' ');
    if (paused !== lastPaused) {
      lastPaused = paused;
      onPaused();
    }
    news.announce([]);
  }

  // A recorder's silence changes the standing of executions, but is not an event.
  const timer = setInterval(look, 1000);
  return {
    ...rests,
    close() {
      clearInterval(timer);
      news.announce([]);
    },
    /** Calls back when executions pause or resume for a worker of this process. */
    onPaused(worker: string, callback: () => void) {
      rests.ofWorker(worker);
      onPaused = callback;
    },
    /** Calls back with each slice whose attempt has ended although a worker has started it. */
    onOver(callback: typeof onOver) {
      onOver = callback;
    },
    hear(state: ExecutionState) {
      const { execution_id, store_id, epoch, status, over } = state;
      recorders.noteHeard(store_id);
      const key = keyOf(execution_id, store_id);
      const known = views.get(key);
      // A driver that was presumed dead and speaks again is no longer the driver.
      if (known !== undefined && (epoch < known.state.epoch || known.over.signal.aborted)) return;
      const view = { state, over: known?.over ?? new AbortController(), isTried: false };
      recorders.noteReported(key);
      setNewest(views, key, view, maxKept);
      if (status !== 'running') view.over.abort();
      for (const id of over ?? []) onOver(store_id, id);
      look();
    },
    /** Call when a slice has ended, before its recorder learns of it: a trial of its worker waits for the answer. */
    noteEnd({ slice, storeId }: DeliveredSlice) {
      const view = find(slice.execution_id, storeId);
      if (view === undefined || rests.restOf(view, 2) === undefined) return;
      view.isTried = true;
      look();
    },
    stateOf: (executionId: string, storeId?: string) => find(executionId, storeId)?.state,
    /** Aborted when the execution has ended. */
    overFor: (executionId: string, storeId?: string) => find(executionId, storeId)?.over.signal ?? neverAborted,
    /** Whether a store's recorder is silent; without a store id, whether all are. */
    isSilent: recorders.isSilent,
    standing(delivered: DeliveredSlice, slot = 1): ExecutionStanding {
      const view = find(delivered.slice.execution_id, delivered.storeId);
      if (view === undefined) return recorders.standing(delivered);
      if (view.over.signal.aborted) return 'over';
      return rests.rests(view, slot) ? 'paused' : 'open';
    },
    /** Resolves when a recorder speaks or falls silent, or when `signal` is aborted. */
    changed: (signal: AbortSignal) => news.news(signal),
  };
}

/** When recorders were heard, and slices of executions that none reports. */
function createRecorders() {
  const began = performance.now();
  /** When each store's recorder was last heard. */
  const heard = new Map<string, number>();
  /**
   * When the first and last slices came for each execution, by its key, that no recorder reports: slices
   * after the first need not wait as long.
   */
  const unheardOf = new Map<string, { first: number; last: number }>();
  const noteHeard = (storeId: string) => void heard.set(storeId, performance.now());

  function isSilent(storeId?: string) {
    const times = storeId === undefined ? [...heard.values()] : [heard.get(storeId) ?? began];
    return performance.now() - Math.max(began, ...times) >= silentMilliseconds;
  }

  return {
    noteHeard,
    isSilent,
    noteReported: (key: string) => void unheardOf.delete(key),
    /** The standing of a slice whose execution no recorder reports. */
    standing({ slice, storeId, since }: DeliveredSlice): ExecutionStanding {
      // If a slice comes before its recorder is heard, start waiting for the recorder now.
      if (!heard.has(storeId)) noteHeard(storeId);
      // Without its recorder, trust the queue, which delivered the slice.
      if (isSilent(storeId)) return 'open';
      // Its recorder reports other executions but not this one: it has ended, or has no driver. Once it is
      // resumed, the slice is sent again.
      const now = performance.now();
      const key = keyOf(slice.execution_id, storeId);
      const known = unheardOf.get(key);
      // After a while without slices, it may have been resumed.
      const first = known !== undefined && now - known.last < 2 * silentMilliseconds ? known.first : since;
      setNewest(unheardOf, key, { first, last: now }, maxKept);
      return now - first < silentMilliseconds ? 'unknown' : 'over';
    },
  };
}

/** The executions that leave slots idle for now. */
function createRests(
  views: ReadonlyMap<string, View>,
  { isSilent }: Pick<ReturnType<typeof createRecorders>, 'isSilent'>,
) {
  /** The worker of this process, which an execution may let rest. */
  let worker: string | undefined;
  // Without its recorder nothing would ever end a pause or a rest.
  const isRunning = ({ state: { status, store_id } }: View) => status === 'running' && !isSilent(store_id);

  /** Why an execution lets a slot of the worker of this process rest; undefined if it does not. */
  function restOf(view: View, slot: number) {
    if (!isRunning(view)) return undefined;
    const { resting = [], on_trial = [] } = view.state;
    const letRest = slot === 1 && !view.isTried ? resting : [...resting, ...on_trial];
    return letRest.find(({ agent }) => agent === worker)?.detail;
  }

  /** Whether the execution is paused, or lets this slot rest. */
  function rests(view: View, slot: number) {
    const { held, phase } = view.state;
    return isRunning(view) && (held || !workersMayTake(phase) || restOf(view, slot) !== undefined);
  }

  /** The executions whose slices a slot of the worker leaves on the queue for now. @param slot from 1 */
  const paused = (slot = 1) =>
    [...views.values()].filter((view) => rests(view, slot)).map(({ state }) => state.execution_id);

  return {
    restOf,
    rests,
    paused,
    ofWorker(name: string) {
      worker = name;
    },
    /** The same as `paused`, as slice headers and their values. */
    unwanted: (slot = 1) => ({ execution_id: paused(slot).slice(-maxUnwanted) }),
    /**
     * The running executions that let a slot of the worker of this process rest, and why: during a trial all
     * slots but the first.
     * @param slot from 1
     */
    resting: (slot = 1) =>
      [...views.values()].flatMap((view) => {
        const detail = restOf(view, slot);
        return detail === undefined ? [] : [{ execution_id: view.state.execution_id, detail }];
      }),
    /** The slots of the worker of this process that some running execution does not let rest. */
    taking(): Taking {
      const running = [...views.values()].filter(isRunning);
      const allRest = (slot: number) => running.length > 0 && running.every((view) => restOf(view, slot) !== undefined);
      return allRest(1) ? 'none' : allRest(2) ? 'one' : 'all';
    },
  };
}

const neverAborted = new AbortController().signal;

const keyOf = (executionId: string, storeId: string) => `${executionId} ${storeId}`;
