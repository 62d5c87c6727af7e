import type { DeliveredSlice } from '../agents/ports.ts';
import type { ExecutionStanding } from '../agents/slice-worker.ts';
import { lateSeconds } from '../domain/liveness.ts';
import { workersMayTake } from '../domain/run-phases.ts';
import { setNewest } from '../lib/once-for.ts';
import { createNotifier } from '../messages/notifier.ts';
import type { ExecutionState } from '../messages/telemetry.ts';

/** A recorder that has not been heard from for this long, in milliseconds, counts as silent. */
const silentMilliseconds = lateSeconds * 1000;

/**
 * How many executions to remember. Beyond that, the oldest are forgotten; recorders report running ones every
 * few seconds.
 */
const maxKept = 1000;

/** Maximum number of executions to exclude at the broker: a header must not grow longer than a broker accepts. */
const maxUnwanted = 50;

/** The slots that take slices: `one` for a trial of a single slot, `none` to leave the queue to others. */
export type Taking = 'all' | 'one' | 'none';

interface View {
  state: ExecutionState;
  over: AbortController;
  /** Whether a slice has ended during a trial since this state was reported: the recorder decides what follows. */
  isTried: boolean;
}

/**
 * A namespace's executions as reported by their recorders. Nothing is stored, since a newly started process
 * receives everything within seconds.
 */
export class ExecutionViews {
  /** By execution and store: two stores may assign the same id. */
  readonly #views = new Map<string, View>();
  /** When each store's recorder was last heard from. */
  readonly #heard = new Map<string, number>();
  /**
   * When the first and last slices arrived for each execution that no recorder reports, by execution and store.
   * A later slice need not wait as long as the first.
   */
  readonly #unheardOf = new Map<string, { first: number; last: number }>();
  /** Any change wakes all waiters. */
  readonly #news = createNotifier();
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  #onPaused = () => {};
  #onOver: (storeId: string, messageId: string) => void = () => {};
  #lastPaused = 'all others';
  /** The worker of this process, which an execution may tell to rest. */
  #worker: string | undefined;

  constructor() {
    // When a recorder falls silent, the pauses of its executions end without an event.
    this.#timer = setInterval(() => this.#look(), 1000);
  }

  close() {
    clearInterval(this.#timer);
    this.#news.announce([]);
  }

  /** Calls back when executions pause or resume for a worker of this process. */
  onPaused(worker: string, callback: () => void) {
    this.#worker = worker;
    this.#onPaused = callback;
  }

  /** Calls back with each slice that a worker has started although the attempt is over. */
  onOver(callback: (storeId: string, messageId: string) => void) {
    this.#onOver = callback;
  }

  hear(state: ExecutionState) {
    const { execution_id, store_id, epoch, status, over } = state;
    this.#heard.set(store_id, performance.now());
    const key = keyOf(execution_id, store_id);
    const known = this.#views.get(key);
    // If a driver that was presumed dead is heard from again, it is no longer the driver.
    if (known !== undefined && (epoch < known.state.epoch || known.over.signal.aborted)) return;
    const view = { state, over: known?.over ?? new AbortController(), isTried: false };
    this.#unheardOf.delete(key);
    setNewest(this.#views, key, view, maxKept);
    if (status !== 'running') view.over.abort();
    for (const id of over ?? []) this.#onOver(store_id, id);
    this.#look();
  }

  /**
   * Call when a slice has ended, before the recorder learns of it: if this worker is on trial, it waits for the
   * recorder's answer.
   */
  noteEnd({ slice, storeId }: DeliveredSlice) {
    const view = this.#find(slice.execution_id, storeId);
    if (view === undefined || this.#restOf(view, 2) === undefined) return;
    view.isTried = true;
    this.#look();
  }

  stateOf(executionId: string, storeId?: string): ExecutionState | undefined {
    return this.#find(executionId, storeId)?.state;
  }

  /** Aborted when the execution has ended. */
  overFor(executionId: string, storeId?: string) {
    return this.#find(executionId, storeId)?.over.signal ?? neverAborted;
  }

  /** The executions whose slices a slot of the worker leaves on the queue for now. @param slot from 1 */
  paused(slot = 1) {
    return [...this.#views.values()].filter((view) => this.#rests(view, slot)).map(({ state }) => state.execution_id);
  }

  /**
   * The running executions for which a slot of this process's worker rests, and why: during a trial, all
   * slots but the first rest.
   * @param slot from 1
   */
  resting(slot = 1) {
    return [...this.#views.values()].flatMap((view) => {
      const detail = this.#restOf(view, slot);
      return detail === undefined ? [] : [{ execution_id: view.state.execution_id, detail }];
    });
  }

  /** Which slots of this process's worker may take slices: all except those that rest for every running execution. */
  taking() {
    const isRunning = ({ state: { status, store_id } }: View) => status === 'running' && !this.isSilent(store_id);
    const running = [...this.#views.values()].filter(isRunning);
    const rests = (slot: number) =>
      running.length > 0 && running.every((view) => this.#restOf(view, slot) !== undefined);
    return rests(1) ? 'none' : rests(2) ? 'one' : 'all';
  }

  /** The result of `paused`, as the header values of unwanted slices. */
  unwanted(slot = 1) {
    return { execution_id: this.paused(slot).slice(-maxUnwanted) };
  }

  /** Whether a store's recorder is silent; without a store id, whether all recorders are. */
  isSilent(storeId?: string) {
    const times = storeId === undefined ? [...this.#heard.values()] : [this.#heard.get(storeId) ?? this.#began];
    return performance.now() - Math.max(this.#began, ...times) >= silentMilliseconds;
  }

  standing(delivered: DeliveredSlice, slot = 1) {
    const view = this.#find(delivered.slice.execution_id, delivered.storeId);
    if (view === undefined) return this.#unheard(delivered);
    if (view.over.signal.aborted) return 'over';
    return this.#rests(view, slot) ? 'paused' : 'open';
  }

  /** Resolves when a recorder is heard from or falls silent, or when `signal` is aborted. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#news.news(signal);
  }

  /** Without a store id, finds the execution with this id whose recorder was heard from most recently. */
  #find(executionId: string, storeId: string | undefined) {
    if (storeId !== undefined) return this.#views.get(keyOf(executionId, storeId));
    return [...this.#views.values()].findLast(({ state }) => state.execution_id === executionId);
  }

  #unheard({ slice, storeId, since }: DeliveredSlice): ExecutionStanding {
    // If a slice arrives before any report from its recorder, start waiting for the recorder now.
    if (!this.#heard.has(storeId)) this.#heard.set(storeId, performance.now());
    // While the recorder is silent, trust the queue, which delivered the slice.
    if (this.isSilent(storeId)) return 'open';
    // The recorder reports other executions but not this one, which has therefore ended or has no driver.
    // Once it is resumed, the slice is sent again.
    const now = performance.now();
    const key = keyOf(slice.execution_id, storeId);
    const known = this.#unheardOf.get(key);
    // If no slice has arrived for a while, the execution may have been resumed in the meantime.
    const first = known !== undefined && now - known.last < 2 * silentMilliseconds ? known.first : since;
    setNewest(this.#unheardOf, key, { first, last: now }, maxKept);
    return now - first < silentMilliseconds ? 'unknown' : 'over';
  }

  /**
   * Whether the execution is paused, or this slot rests for it. While the execution's recorder is silent,
   * neither counts, since nothing would end the wait.
   */
  #rests(view: View, slot: number) {
    const { status, held, phase, store_id } = view.state;
    if (status !== 'running' || this.isSilent(store_id)) return false;
    return held || !workersMayTake(phase) || this.#restOf(view, slot) !== undefined;
  }

  /** Why a slot of this process's worker rests for an execution; undefined if it does not. */
  #restOf({ state, isTried }: View, slot: number) {
    const { resting = [], on_trial = [], status, store_id } = state;
    if (status !== 'running' || this.isSilent(store_id)) return undefined;
    const letRest = slot === 1 && !isTried ? resting : [...resting, ...on_trial];
    return letRest.find(({ agent }) => agent === this.#worker)?.detail;
  }

  #look() {
    const paused = [this.taking(), ...this.paused(1), 'others', ...this.paused(2)].join(' ');
    if (paused !== this.#lastPaused) {
      this.#lastPaused = paused;
      this.#onPaused();
    }
    this.#news.announce([]);
  }
}

const neverAborted = new AbortController().signal;

const keyOf = (executionId: string, storeId: string) => `${executionId} ${storeId}`;
