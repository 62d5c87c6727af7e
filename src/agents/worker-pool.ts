import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Draft, MessageType } from '../messages/vocabulary.ts';
import type { Payload, PayloadResult } from '../payload/placeholder.ts';
import type { Workplace } from './log-consumer.ts';
import type { OpenSlice, SliceQueue } from './ports.ts';

/** Nobody else waits for these messages: with them a slot that has finished wakes its own agent. */
const ownNews = 'slice_started';

/** What can make a slice free for a worker, or a worker free for a slice. */
const interesting: ReadonlySet<MessageType> = new Set<MessageType>([
  ownNews,
  'slice',
  'slice_result',
  'resume_run',
  'start_run',
]);

/** One worker agent with many slots. Each slot works on one slice at a time. */
export interface WorkerOptions {
  name: string;
  slots: number;
  hostname: string;
  queue: SliceQueue;
  payload: Payload;
}

interface Finished {
  slice: OpenSlice;
  slot: string;
  result: PayloadResult;
}

/**
 * Hands queued slices to free slots until `signal` is aborted; then slices in hand are left without a result.
 * Slices that an earlier process began and did not end are handed out first, as the same attempt.
 */
export async function runWorker(options: WorkerOptions, workplace: Workplace): Promise<void> {
  const { signal, bus, journal, clock } = workplace;
  const { queue, name, hostname } = options;
  const free = Array.from({ length: options.slots }, (_, index) => `${name}/${String(index + 1).padStart(2, '0')}`);
  let leftOver = queue.inProcess();
  const finished: Finished[] = [];
  const inHand = new Set<Promise<void>>();
  const failures: unknown[] = [];

  const work = async (slice: OpenSlice, slot: string): Promise<void> => {
    // Until its result is recorded: time must not go on meanwhile.
    clock.enter();
    try {
      const result = await options.payload.run(slice, { worker_id: slot, signal });
      // What ends because everything ends has no result.
      if (!signal.aborted) finished.push({ slice, slot, result });
    } catch (error) {
      failures.push(error);
    }
    bus.announce([ownNews]);
  };

  /** In one step: what has been finished, and what the slots that are free then begin. */
  const takeStep = async (): Promise<void> => {
    if (signal.aborted) return;
    const ended = finished.splice(0);
    let begun: OpenSlice[] = [];
    await journal.step({
      sender: name,
      tick: clock.now(),
      says: () => {
        // Looked at inside the step: a pause that came between would find a slice begun in standby.
        begun = next(free.length + ended.length);
        const slots = [...free, ...ended.map(({ slot }) => slot)];
        return [
          ...ended.map(({ slice, slot, result }) => resultOf(sliceFields(slice, slot, hostname), result)),
          ...begun.map((slice, index) => ({
            msg_type: 'slice_started' as const,
            ...sliceFields(slice, slots[index] as string, hostname),
          })),
        ];
      },
    });
    free.push(...ended.map(({ slot }) => slot));
    leftOver = leftOver.filter((slice) => !begun.includes(slice));
    for (const slice of begun) {
      const hand: Promise<void> = work(slice, free.shift() as string).finally(() => inHand.delete(hand));
      inHand.add(hand);
    }
    for (const _ of ended) clock.leave();
  };

  const next = (most: number): OpenSlice[] => {
    if (signal.aborted || most === 0 || !queue.isOpen()) return [];
    return leftOver.length > 0 ? leftOver.slice(0, most) : queue.queued(most);
  };

  const hasNothingToDo = (): boolean =>
    finished.length === 0 && failures.length === 0 && next(Math.min(1, free.length)).length === 0;

  while (!signal.aborted && failures.length === 0) {
    if (hasNothingToDo()) await bus.news(signal, interesting);
    // Slots that become free in the same turn are dealt with in one step.
    else await nextTurn().then(takeStep);
  }
  // Whoever hears of the failure stops the others; only then has everything in hand a reason to end.
  if (failures.length > 0) throw failures[0];
  await Promise.all(inHand);
}

/** The fields that `slice_started` and `slice_result` share. */
export function sliceFields(
  { slice_id, slice_filename, tf_filename, attempt }: OpenSlice,
  worker_id: string,
  hostname: string,
) {
  return { slice_id, slice_filename, tf_filename, attempt, worker_id, hostname };
}

export function resultOf(fields: ReturnType<typeof sliceFields>, result: PayloadResult): Draft<'slice_result'> {
  return {
    msg_type: 'slice_result',
    ...fields,
    state: result.state,
    processing_seconds: Math.round(result.seconds * 1000) / 1000,
    ...(result.state === 'failed' ? { error: result.error } : {}),
    ...result.facts,
  };
}
