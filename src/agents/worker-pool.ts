import { setImmediate as nextTurn } from 'node:timers/promises';

import { type Resting, RestingPlaces, restWords } from '../domain/resting-places.ts';
import { isRetried } from '../domain/slice-states.ts';
import { counted } from '../lib/counted.ts';
import { startStopwatch } from '../lib/time.ts';
import type { Draft } from '../messages/message.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import type { ExecutionContext } from './agent.ts';
import type { LeftSlice, OpenSlice, Payload, PayloadResult, SliceQueue } from './ports.ts';
import { failureOf, resultOf, slotName, startFields } from './slice-messages.ts';

/** An attempt fails once this many drivers were killed while it was in progress: its payload may have killed them. */
const maxKilledDrivers = 3;

/**
 * The slices that earlier processes began and did not end, in the order in which to begin them again. A slice during which two drivers were killed begins
 * alone, so that another kill shows which slice it is and costs no other slice an attempt.
 * @param killed how many drivers were killed while an attempt was in progress
 */
export function createLeftSlices(left: readonly LeftSlice[], killed: (slice: OpenSlice) => number) {
  let suspects: OpenSlice[] = left.filter((slice) => killed(slice) === maxKilledDrivers - 1);
  let others: OpenSlice[] = left.filter((slice) => killed(slice) < maxKilledDrivers - 1);
  let alone: OpenSlice | undefined;
  return {
    /** Slices whose attempt has failed. */
    givenUp: left.filter((slice) => killed(slice) >= maxKilledDrivers),
    /** How many begin alone. */
    suspects: suspects.length,
    /** The slices to begin now, at most `limit`; undefined when none is left and new slices may begin. @param isIdle whether no slice is in hand */
    next(limit: number, isIdle: boolean): OpenSlice[] | undefined {
      if (alone !== undefined) return [];
      if (suspects.length > 0) return isIdle ? suspects.slice(0, 1) : [];
      return others.length > 0 ? others.slice(0, limit) : undefined;
    },
    begun(slices: readonly OpenSlice[]) {
      alone ??= suspects.find((slice) => slices.includes(slice));
      suspects = suspects.filter((slice) => !slices.includes(slice));
      others = others.filter((slice) => !slices.includes(slice));
    },
    ended(slices: readonly OpenSlice[]) {
      if (alone !== undefined && slices.includes(alone)) alone = undefined;
    },
  };
}

/** Nothing else waits for this type: a finished slot uses it to wake its own agent. */
const ownNews: MessageType = 'slice_started';

/** After these messages, a slice may be free for a worker, or a worker for a slice. */
const wakesOn = new Set<MessageType>([ownNews, 'slice', 'slice_result', 'resume_run', 'start_run']);

/** One worker agent with many slots. Each slot works on one slice at a time. */
interface WorkerOptions {
  name: string;
  slots: number;
  hostname: string;
  queue: SliceQueue;
  payload: Payload;
  /** Called with a sentence about each slot that currently takes no slices, when they change. */
  onResting?: (words: readonly string[]) => void;
}

/**
 * Assigns queued slices to free slots until the execution is stopped, which leaves slices in hand without a result.
 * Slices that an earlier process started but did not finish go first, as the same attempt. Throws the errors of
 * `Journal.step` and of the payload.
 */
export const runWorkerPool = (options: WorkerOptions, execution: ExecutionContext) =>
  new WorkerPool(options, execution).run();

interface Finished {
  slice: OpenSlice;
  slot: string;
  result: PayloadResult;
  tookSeconds: number | undefined;
}

class WorkerPool {
  readonly #options: WorkerOptions;
  readonly #execution: ExecutionContext;
  #free: string[];
  readonly #left: ReturnType<typeof createLeftSlices>;
  readonly #places: RestingPlaces;
  /** The clock of the rests: seconds of wall time since this pool was made. */
  readonly #seconds = startStopwatch();
  /** Wakes this pool when a slot has rested enough. */
  #rested: NodeJS.Timeout | undefined;
  /** The last report of the slots that rest. */
  #told = '';
  /** The slice that each slot failed last. */
  readonly #lastFailed = new Map<string, string>();
  readonly #finished: Finished[] = [];
  readonly #inHand = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  constructor(options: WorkerOptions, execution: ExecutionContext) {
    this.#options = options;
    this.#execution = execution;
    this.#places = new RestingPlaces(execution.agent.params.worker.max_retries);
    this.#free = Array.from({ length: options.slots }, (_, index) => slotName(options.name, index + 1));
    this.#left = createLeftSlices(options.queue.inProcess(), (slice) => options.payload.killed?.(slice) ?? 0);
  }

  async run(): Promise<void> {
    const { stopped } = this.#execution.lifetime;
    await this.#failGivenUp();
    while (!stopped.aborted && this.#failures.length === 0) {
      if (this.#hasNothingToDo()) await this.#execution.notifier.news(stopped, wakesOn);
      // Slots that become free in the same turn share one step.
      else await nextTurn().then(() => this.#takeStep());
    }
    clearTimeout(this.#rested);
    if (this.#told !== '') this.#options.onResting?.([]);
    // The supervisor stops the other parts when it learns of the failure. Only then does the work in hand have a reason to end.
    if (this.#failures.length > 0) throw this.#failures[0];
    await Promise.all(this.#inHand);
  }

  /** Fails the slices that were being processed at three kills, since no worker will, and reports that others start alone. */
  async #failGivenUp() {
    const { givenUp, suspects } = this.#left;
    if (givenUp.length + suspects === 0) return;
    const { journal, clock } = this.#execution;
    const error = 'the process that drives the execution was killed three times while processing this slice';
    const says = givenUp.map((slice) => failureOf(slice, error));
    const message = `two processes were killed while ${counted(suspects, 'slice')} ${suspects === 1 ? 'was' : 'were'} in progress; these now start one at a time, so that a third kill shows which one is the cause`;
    const logs = suspects === 0 ? [] : [{ level: 'WARNING' as const, message }];
    await journal.step({ sender: this.#options.name, tick: clock.now(), says, logs });
  }

  /** One step: the results of finished slots, and the starts of the slices that the free slots begin. */
  async #takeStep() {
    const { journal, clock, lifetime } = this.#execution;
    if (lifetime.stopped.aborted) return;
    const ended = this.#finished.splice(0);
    this.#left.ended(ended.map(({ slice }) => slice));
    const rests = this.#noteEnds(ended);
    const ready = this.#ready([...this.#free, ...ended.map(({ slot }) => slot)]);
    let begun: OpenSlice[] = [];
    let slots: string[] = [];
    await journal.step({
      sender: this.#options.name,
      tick: clock.now(),
      says: () => {
        // Read inside the step: otherwise a pause in between would let a slice start in standby.
        begun = this.#next(ready.length);
        slots = this.#slotsFor(begun, ready);
        return this.#drafts(ended, begun, slots);
      },
      logs: rests.map((rest) => ({ level: 'WARNING', message: restWords(rest, this.#now()) })),
    });
    const taken = new Set(slots);
    this.#free = [...this.#free, ...ended.map(({ slot }) => slot)].filter((slot) => !taken.has(slot));
    this.#left.begun(begun);
    for (const [index, slice] of begun.entries()) this.#begin(slice, slots[index] as string);
    for (const _ of ended) clock.leave();
  }

  /** Milliseconds. */
  #now(): number {
    return 1000 * this.#seconds();
  }

  /** @returns the rests that begin */
  #noteEnds(ended: readonly Finished[]): Resting[] {
    const { max_retries } = this.#execution.agent.params.worker;
    return ended.flatMap(({ slice: { slice_filename: slice, attempt }, slot: place, result }) => {
      const error = result.state === 'failed' ? result.error : undefined;
      if (error !== undefined) this.#lastFailed.set(place, slice);
      const end = { place, slice, error, isAgain: attempt > 1, isRetried: isRetried(attempt, max_retries) };
      return this.#places.ended(end, this.#now());
    });
  }

  /** The slots, of those given, that take slices now. Wakes this pool when another one will. */
  #ready(slots: readonly string[]): readonly string[] {
    const now = this.#now();
    const resting = this.#places.resting(now);
    const told = resting.map(({ place, until }) => `${place} ${until}`).join();
    if (told !== this.#told) this.#options.onResting?.(resting.map((rest) => restWords(rest, now)));
    this.#told = told;
    if (resting.length === 0) return slots;
    clearTimeout(this.#rested);
    const wake = () => this.#execution.notifier.announce([ownNews]);
    this.#rested = setTimeout(wake, Math.min(...resting.map(({ until }) => until)) - now + 1).unref();
    return slots.filter((slot) => !resting.some(({ place }) => place === slot));
  }

  /** A slot for each slice; if there is another one, not the slot where it failed last. */
  #slotsFor(slices: readonly OpenSlice[], ready: readonly string[]): string[] {
    const free = [...ready];
    return slices.map(({ slice_filename: slice }) => {
      const other = free.findIndex((slot) => this.#lastFailed.get(slot) !== slice);
      return free.splice(Math.max(0, other), 1)[0] as string;
    });
  }

  #drafts(ended: readonly Finished[], begun: readonly OpenSlice[], slots: readonly string[]): Draft[] {
    const { hostname } = this.#options;
    return [
      ...ended.map(({ slice, slot, result, tookSeconds }) =>
        resultOf(startFields(slice, slot, hostname), result, tookSeconds),
      ),
      ...begun.map((slice, index) => ({
        msg_type: 'slice_started' as const,
        ...startFields(slice, slots[index] as string, hostname),
      })),
    ];
  }

  #begin(slice: OpenSlice, slot: string) {
    const hand: Promise<void> = this.#work(slice, slot).finally(() => this.#inHand.delete(hand));
    this.#inHand.add(hand);
  }

  async #work(slice: OpenSlice, slot: string) {
    const { clock, lifetime, notifier } = this.#execution;
    // Virtual time must not advance until the result is recorded.
    clock.enter();
    this.#places.begun(slot);
    const took = startStopwatch();
    try {
      const result = await this.#options.payload.run(slice, { worker_id: slot, signal: lifetime.stopped });
      // A payload that ends only because everything stops has no result.
      const tookSeconds = clock.isVirtual ? undefined : took();
      if (!lifetime.stopped.aborted) this.#finished.push({ slice, slot, result, tookSeconds });
    } catch (error) {
      this.#failures.push(error);
    }
    notifier.announce([ownNews]);
  }

  #next(most: number): OpenSlice[] {
    const { queue } = this.#options;
    if (this.#execution.lifetime.stopped.aborted || most === 0 || !queue.isOpen()) return [];
    return this.#left.next(most, this.#inHand.size === 0) ?? queue.queued(most);
  }

  #hasNothingToDo(): boolean {
    return (
      this.#finished.length === 0 &&
      this.#failures.length === 0 &&
      this.#next(Math.min(1, this.#ready(this.#free).length)).length === 0
    );
  }
}
