import type { DeliveredSlice, ExecutionStanding } from '../agents/slice-worker.ts';
import { lateSeconds } from '../domain/liveness.ts';
import { workersMayTake } from '../domain/run-phases.ts';
import type { ExecutionState } from '../messages/telemetry.ts';

/** A recorder that is not heard for this long is silent, in milliseconds. */
const silentMilliseconds = lateSeconds * 1000;

/** Executions that are kept in mind. The oldest are forgotten; a recorder says those that run every few seconds. */
const mostKept = 1000;

/** Executions that the broker is asked to leave alone: a header must not become longer than a broker reads. */
const mostUnwanted = 50;

interface View {
  state: ExecutionState;
  over: AbortController;
}

/** The executions of a namespace as their recorders say that they stand. Nothing of it is stored: a process that starts hears it within seconds. */
export class ExecutionViews {
  /** By execution and store: two stores may give the same id. */
  readonly #views = new Map<string, View>();
  /** When something was heard from the recorder of each store. */
  readonly #heard = new Map<string, number>();
  /** When the first and the last slice of an execution came that no recorder speaks of: those behind the first need not wait as long. */
  readonly #unheardOf = new Map<string, { first: number; last: number }>();
  readonly #waiting = new Set<() => void>();
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  #onPaused: () => void = () => {};
  #lastPaused = '';

  constructor() {
    // The silence of a recorder changes how an execution stands, and says nothing.
    this.#timer = setInterval(() => this.#look(), 1000);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#wake();
  }

  /** Calls back when executions have come to rest or go on. */
  onPaused(callback: () => void): void {
    this.#onPaused = callback;
  }

  hear(state: ExecutionState): void {
    const { execution_id, store_id, epoch, status } = state;
    this.#heard.set(store_id, performance.now());
    const key = keyOf(execution_id, store_id);
    const known = this.#views.get(key);
    // A driver that was thought dead and speaks again is none any more.
    if (known !== undefined && (epoch < known.state.epoch || known.over.signal.aborted)) return;
    const view = { state, over: known?.over ?? new AbortController() };
    this.#unheardOf.delete(execution_id);
    this.#views.delete(key);
    this.#views.set(key, view);
    if (status !== 'running') view.over.abort();
    const [oldest] = this.#views.keys();
    if (this.#views.size > mostKept && oldest !== undefined) this.#views.delete(oldest);
    this.#look();
  }

  stateOf(executionId: string, storeId?: string): ExecutionState | undefined {
    return this.#find(executionId, storeId)?.state;
  }

  /** Aborted when the execution is over. */
  overFor(executionId: string, storeId?: string): AbortSignal {
    return this.#find(executionId, storeId)?.over.signal ?? neverAborted;
  }

  /** The executions whose slices are left on the queue for now. */
  paused(): string[] {
    return [...this.#views.values()].filter((view) => this.#rests(view)).map(({ state }) => state.execution_id);
  }

  /** The same as headers and values of slices. */
  unwanted(): Record<string, string[]> {
    return { execution_id: this.paused().slice(-mostUnwanted) };
  }

  /** Whether the recorder of a store has been silent; of all stores, where it is left out. */
  isSilent(storeId?: string): boolean {
    const times = storeId === undefined ? [...this.#heard.values()] : [this.#heard.get(storeId) ?? this.#began];
    return performance.now() - Math.max(this.#began, ...times) >= silentMilliseconds;
  }

  standing(delivered: DeliveredSlice): ExecutionStanding {
    const view = this.#find(delivered.slice.execution_id, delivered.storeId);
    if (view === undefined) return this.#unheard(delivered);
    if (view.over.signal.aborted) return 'over';
    return this.#rests(view) ? 'paused' : 'open';
  }

  /** Resolves at the next word or silence of a recorder, or when `signal` is aborted. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      if (signal.aborted) wake();
      else {
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake);
      }
    });
  }

  /** Where nobody says of which store, the one that was heard last is meant. */
  #find(executionId: string, storeId: string | undefined): View | undefined {
    if (storeId !== undefined) return this.#views.get(keyOf(executionId, storeId));
    return [...this.#views.values()].findLast(({ state }) => state.execution_id === executionId);
  }

  #unheard({ slice: { execution_id: executionId }, storeId, since }: DeliveredSlice): ExecutionStanding {
    // The recorder of a slice that comes first is waited for from now on.
    if (!this.#heard.has(storeId)) this.#heard.set(storeId, performance.now());
    // Without its recorder nobody knows better than the queue, which has handed it out.
    if (this.isSilent(storeId)) return 'open';
    // Its recorder speaks of others and not of this one: it has ended, or nobody drives it. Once it is taken up again, it is sent again.
    const now = performance.now();
    const known = this.#unheardOf.get(executionId);
    // After a while without any it may have been taken up.
    const first = known !== undefined && now - known.last < 2 * silentMilliseconds ? known.first : since;
    this.#unheardOf.set(executionId, { first, last: now });
    const [oldest] = this.#unheardOf.keys();
    if (this.#unheardOf.size > mostKept && oldest !== undefined) this.#unheardOf.delete(oldest);
    return now - first < silentMilliseconds ? 'unknown' : 'over';
  }

  /** Without its recorder a pause is none: nobody would ever end it. */
  #rests({ state }: View): boolean {
    const { status, held, phase, store_id } = state;
    return status === 'running' && (held || !workersMayTake(phase)) && !this.isSilent(store_id);
  }

  #look(): void {
    const paused = this.paused().join(' ');
    if (paused !== this.#lastPaused) {
      this.#lastPaused = paused;
      this.#onPaused();
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

const neverAborted = new AbortController().signal;

const keyOf = (executionId: string, storeId: string): string => `${executionId} ${storeId}`;
