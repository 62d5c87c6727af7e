import type { Draft, MessageType } from '../bus/messages.ts';
import type { OpenSlice, SliceQueue } from '../workflow/journal.ts';
import type { Payload, PayloadResult } from './payload.ts';
import type { Workplace } from './reader.ts';

/** What can make a slice free for a worker, or a worker free for a slice. */
const interesting: ReadonlySet<MessageType> = new Set<MessageType>([
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

/**
 * Hands queued slices to free slots until `signal` is aborted; then slices in hand are left without a result.
 * Slices that an earlier process began and did not end are handed out first, as the same attempt.
 */
export async function runWorker(options: WorkerOptions, workplace: Workplace): Promise<void> {
  const { signal, bus, journal, clock } = workplace;
  const { queue, name, hostname } = options;
  const free = Array.from({ length: options.slots }, (_, index) => `${name}/${String(index + 1).padStart(2, '0')}`);
  const leftOver = queue.inProcess();
  const inHand = new Set<Promise<void>>();
  const failures: unknown[] = [];

  const work = async (slice: OpenSlice, slot: string): Promise<void> => {
    const result = await options.payload.run(slice, { worker_id: slot, signal });
    if (signal.aborted) return;
    await journal.step({
      sender: name,
      tick: clock.now(),
      says: [resultOf(sliceFields(slice, slot, hostname), result)],
    });
    free.push(slot);
    bus.announce(['slice_result']);
  };

  const begin = (slice: OpenSlice, slot: string): void => {
    clock.enter();
    const hand = work(slice, slot)
      .catch((error: unknown) => {
        failures.push(error);
        bus.announce(interesting);
      })
      .finally(() => {
        inHand.delete(hand);
        clock.leave();
      });
    inHand.add(hand);
  };

  /** Looks and takes in one transaction: a pause that comes between would find a slice begun in standby. */
  const takeSome = async (): Promise<void> => {
    let pairs: { slice: OpenSlice; slot: string }[] = [];
    await journal.step({
      sender: name,
      tick: clock.now(),
      says: () => {
        pairs = next().map((slice, index) => ({ slice, slot: free[index] as string }));
        return pairs.map(({ slice, slot }) => ({
          msg_type: 'slice_started' as const,
          ...sliceFields(slice, slot, hostname),
        }));
      },
    });
    free.splice(0, pairs.length);
    for (const { slice, slot } of pairs) {
      const place = leftOver.indexOf(slice);
      if (place >= 0) leftOver.splice(place, 1);
      begin(slice, slot);
    }
  };

  const next = (): OpenSlice[] => {
    if (free.length === 0 || !queue.isOpen()) return [];
    return leftOver.length > 0 ? leftOver.slice(0, free.length) : queue.queued(free.length);
  };

  while (!signal.aborted && failures.length === 0) {
    if (next().length === 0) await bus.news(signal, interesting);
    else await takeSome();
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
