import { setImmediate as nextTurn } from 'node:timers/promises';

import { RestingPlaces, restWords } from '../domain/resting-places.ts';
import { were } from '../lib/counted.ts';
import type { LogLine } from '../lib/logger.ts';
import { startStopwatch, steadyClock } from '../lib/time.ts';
import type { Draft } from '../messages/message.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import type { ExecutionContext } from './agent.ts';
import type { LeftSlice, OpenSlice, Payload, PayloadResult, SliceQueue } from './ports.ts';
import { failureOf, resultOf, slotName, startFields } from './slice-messages.ts';

/** An attempt fails once this many drivers have been killed, perhaps by its payload, while it was in progress. */
const maxKilledDrivers = 3;

/**
 * The slices that earlier processes began but did not end, in the order in which to begin them again. A slice during
 * which two drivers were killed begins alone, so that another kill shows which slice is the cause, and costs no other
 * slice an attempt.
 * @param killed how many drivers were killed while an attempt was in progress
 */
export function createLeftSlices(left: readonly LeftSlice[], killed: (slice: OpenSlice) => number) {
  let suspects: OpenSlice[] = left.filter((slice) => killed(slice) === maxKilledDrivers - 1);
  let others: OpenSlice[] = left.filter((slice) => killed(slice) < maxKilledDrivers - 1);
  let alone: OpenSlice | undefined;
  return {
    /** Slices whose attempt fails: too many drivers were killed during it. */
    givenUp: left.filter((slice) => killed(slice) >= maxKilledDrivers),
    /** Number of slices to start while no other slice is in hand. */
    suspects: suspects.length,
    /** At most `limit` slices to begin now; undefined if none is left. @param isIdle whether no slice is in hand */
    next(limit: number, isIdle: boolean) {
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

/** No other part waits for this type of message, so a slot that is done announces it to wake its own agent. */
const ownNews: MessageType = 'slice_started';

/** After these messages, a slice may be available for a worker, or a worker for a slice. */
const wakesOn = new Set<MessageType>([ownNews, 'slice', 'slice_result', 'resume_run', 'start_run']);

/** One worker agent with many slots. Each slot works on one slice at a time. */
interface WorkerOptions {
  name: string;
  slots: number;
  hostname: string;
  queue: SliceQueue;
  payload: Payload;
  /** Called when the set of resting slots changes, with a sentence about each slot that currently takes no slices. */
  onResting?: (words: readonly string[]) => void;
}

/**
 * Assigns queued slices to free slots until the execution is stopped; slices then in hand get no result. Slices that
 * an earlier process started but did not finish go first, as the same attempt. Throws the errors of `Journal.step`
 * and of the payload.
 */
export async function runWorkerPool(options: WorkerOptions, execution: ExecutionContext) {
  const { name, hostname, queue, payload } = options;
  const { clock, journal, lifetime, notifier } = execution;
  const { stopped } = lifetime;
  const left = createLeftSlices(queue.inProcess(), (slice) => payload.killed?.(slice) ?? 0);
  const rests = createRests(options, execution);
  const hands = createHands(payload, execution, rests.begun);
  let free = Array.from({ length: options.slots }, (_, index) => slotName(name, index + 1));

  function next(most: number) {
    if (stopped.aborted || most === 0 || !queue.isOpen()) return [];
    return left.next(most, hands.areEmpty()) ?? queue.queued(most);
  }

  /** Records one step: the results from slots that are done, and the starts of the slices that free slots begin. */
  async function takeStep() {
    if (stopped.aborted) return;
    const ended = hands.finished.splice(0);
    left.ended(ended.map(({ slice }) => slice));
    const logs = rests.noteEnds(ended);
    free.push(...ended.map(({ slot }) => slot));
    const ready = rests.ready(free);
    let begun: OpenSlice[] = [];
    let slots: string[] = [];
    await journal.step({
      sender: name,
      tick: clock.now(),
      says: () => {
        // Chosen inside the step: if the run paused between choice and step, a slice would start in standby.
        begun = next(ready.length);
        slots = rests.slotsFor(begun, ready);
        return [
          ...ended.map(({ slice, slot, result, took }) => resultOf(startFields(slice, slot, hostname), result, took)),
          ...begun.map((slice, at) => startOf(slice, slots[at] as string, hostname)),
        ];
      },
      logs,
    });
    const taken = new Set(slots);
    free = free.filter((slot) => !taken.has(slot));
    left.begun(begun);
    for (const [at, slice] of begun.entries()) hands.begin(slice, slots[at] as string);
    for (const _ of ended) clock.leave();
  }

  const hasNothingToDo = () =>
    hands.finished.length + hands.failures.length === 0 && next(Math.min(1, rests.ready(free).length)).length === 0;

  await failGivenUp(name, left, execution);
  while (!stopped.aborted && hands.failures.length === 0) {
    if (hasNothingToDo()) await notifier.news(stopped, wakesOn);
    // Slots that become free in the same turn of the event loop share one step.
    else await nextTurn().then(takeStep);
  }
  rests.close();
  await hands.ended();
}

const startOf = (slice: OpenSlice, slot: string, hostname: string): Draft => ({
  msg_type: 'slice_started',
  ...startFields(slice, slot, hostname),
});

/** Fails the slices during which three drivers were killed, and logs that slices under suspicion start alone. */
async function failGivenUp(
  sender: string,
  { givenUp, suspects }: ReturnType<typeof createLeftSlices>,
  { journal, clock }: ExecutionContext,
) {
  if (givenUp.length + suspects === 0) return;
  const error = 'the process that drives the execution was killed three times while processing this slice';
  const says = givenUp.map((slice) => failureOf(slice, error));
  const message = `two processes were killed while ${were(suspects, 'slice')} in progress; these now start one at a time, so that a third kill shows which one is the cause`;
  const logs = suspects === 0 ? [] : [{ level: 'WARNING' as const, message }];
  await journal.step({ sender, tick: clock.now(), says, logs });
}

interface Finished {
  slice: OpenSlice;
  slot: string;
  result: PayloadResult;
  /** Seconds of wall time; undefined if the workflow's time is virtual. */
  took: number | undefined;
}

/** The slices that slots have in hand, and the outcomes of finished slices. */
function createHands(
  payload: Payload,
  { clock, lifetime, notifier }: ExecutionContext,
  onBegin: (slot: string) => void,
) {
  const { stopped: signal } = lifetime;
  const inHand = new Set<Promise<void>>();
  const finished: Finished[] = [];
  const failures: unknown[] = [];

  async function work(slice: OpenSlice, slot: string) {
    // Virtual time must not advance until the result is recorded.
    clock.enter();
    onBegin(slot);
    const took = startStopwatch();
    try {
      const result = await payload.run(slice, { worker_id: slot, signal });
      // A payload that ends only because everything stops has no result.
      if (!signal.aborted) finished.push({ slice, slot, result, took: clock.isVirtual ? undefined : took() });
    } catch (error) {
      failures.push(error);
    }
    notifier.announce([ownNews]);
  }

  return {
    finished,
    failures,
    areEmpty: () => inHand.size === 0,
    begin(slice: OpenSlice, slot: string) {
      const hand = work(slice, slot).finally(() => inHand.delete(hand));
      inHand.add(hand);
    },
    /**
     * Throws the first failure immediately, since only a failure makes the supervisor stop the other parts and, with
     * them, the work in hand.
     */
    async ended() {
      if (failures.length > 0) throw failures[0];
      await Promise.all(inHand);
    },
  };
}

/** The slots that currently take no slices, since slices that fail in them succeed elsewhere. */
function createRests({ onResting }: WorkerOptions, { agent, notifier }: ExecutionContext) {
  const places = new RestingPlaces(agent.params.worker.max_retries);
  const seconds = startStopwatch();
  const now = () => 1000 * seconds();
  /** Wakes the pool when a slot's rest is over. */
  let rested: NodeJS.Timeout | undefined;
  /** The resting slots as last reported. */
  let reported = '';
  /** The slice that failed last in each slot. */
  const lastFailed = new Map<string, string>();
  return {
    begun: (slot: string) => places.begun(slot),
    /** @returns log lines about the rests that begin */
    noteEnds: (ended: readonly Finished[]) =>
      ended.flatMap(({ slice: { slice_filename: slice, attempt }, slot: place, result }) => {
        const error = result.state === 'failed' ? result.error : undefined;
        if (error !== undefined) lastFailed.set(place, slice);
        return places
          .ended({ place, slice, error, attempt }, now())
          .map((rest): LogLine => ({ level: 'WARNING', message: restWords(rest, now(), steadyClock().now()) }));
      }),
    /** Those of the given slots that take slices now. Wakes the pool when another slot may take one. */
    ready(slots: readonly string[]) {
      const at = now();
      const resting = places.resting(at);
      const words = resting.map(({ place, until }) => `${place} ${until}`).join();
      if (words !== reported) onResting?.(resting.map((rest) => restWords(rest, at, steadyClock().now())));
      reported = words;
      if (resting.length === 0) return slots;
      clearTimeout(rested);
      const wake = () => notifier.announce([ownNews]);
      rested = setTimeout(wake, Math.min(...resting.map(({ until }) => until)) - at + 1).unref();
      return slots.filter((slot) => !resting.some(({ place }) => place === slot));
    },
    /** A slot for each slice; if possible, not the slot where it last failed. */
    slotsFor(slices: readonly OpenSlice[], ready: readonly string[]) {
      const free = [...ready];
      return slices.map(({ slice_filename: slice }) => {
        const other = free.findIndex((slot) => lastFailed.get(slot) !== slice);
        return free.splice(Math.max(0, other), 1)[0] as string;
      });
    },
    close() {
      clearTimeout(rested);
      if (reported !== '') onResting?.([]);
    },
  };
}
