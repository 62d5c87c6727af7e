import { decodeMessage, type Draft, type Message, type MessageType } from '../messages/vocabulary.ts';
import type { Payload } from '../payload/placeholder.ts';
import type { Workplace } from './log-consumer.ts';
import type { OpenSlice, SliceQueue } from './ports.ts';
import { resultOf, sliceFields } from './worker-pool.ts';

/** A slice as a broker hands it out: to one slot, until it is acknowledged or the connection ends. */
export interface Handout {
  body: string;
  /** Does nothing where the connection has ended: the broker hands the slice out again then. */
  acknowledge(): void;
}

/** What a worker process has of one execution. */
export interface SliceBench {
  workplace: Workplace;
  queue: SliceQueue;
  payload: Payload;
}

export interface QueueWorkerOptions<Given extends Handout> {
  name: string;
  hostname: string;
  /** The execution that a slice belongs to; for one that this store does not know, a bench without rows. */
  benchOf: (slice: Message<'slice'>) => SliceBench;
  /** Aborted when no slice is to be begun any more. */
  stopping: AbortSignal;
  /** Records what is no slice. */
  reject: (handout: Given) => Promise<void>;
  /** Resolves when the broker has confirmed a message of ours. */
  sent: (messageId: string) => Promise<void>;
}

/** How long a worker that is told to stop waits for the broker to confirm a result. */
const patienceMilliseconds = 10_000;

const interesting: ReadonlySet<MessageType> = new Set<MessageType>([
  'resume_run',
  'end_run',
  'slice',
  'slice_result',
  'workflow_ended',
]);

/**
 * Works on slices from a queue. A slice is acknowledged when its result has been recorded, sent and confirmed, so a slice
 * whose worker dies is handed out again; one that turns out to be done is acknowledged without work.
 */
export function createQueueWorker<Given extends Handout>({
  name,
  hostname,
  benchOf,
  stopping,
  reject,
  sent,
}: QueueWorkerOptions<Given>) {
  /** Work in hand in this process: a slice that is handed out again meanwhile joins it. */
  const inHand = new Map<string, Promise<string | undefined>>();

  /** Works on a slice unless it is over; the id of the result, where there is one of ours. */
  const work = async (
    slice: Message<'slice'>,
    worker_id: string,
    { workplace, queue, payload }: SliceBench,
  ): Promise<string | undefined> => {
    const { journal, bus, signal, clock } = workplace;
    const waits = AbortSignal.any([signal, stopping]);
    const open = asOpenSlice(slice);
    const fields = sliceFields(open, worker_id, hostname);
    const start = { made: false };
    while (!start.made) {
      if (waits.aborted) return undefined;
      const standing = queue.standing(slice.slice_filename, slice.attempt);
      if (standing === 'over') return undefined;
      if (standing === 'given up' || !queue.isOpen()) {
        // Standby, or given up: the slice stays with the broker, unacknowledged, until that changes.
        await bus.news(waits, interesting);
        continue;
      }
      // Looked at again where nothing can come between.
      const says = (): Draft[] => {
        start.made = queue.isOpen();
        return start.made ? [{ msg_type: 'slice_started', ...fields }] : [];
      };
      await journal.step({ sender: name, tick: clock.now(), says });
    }
    const result = await payload.run(open, { worker_id, signal });
    if (signal.aborted) return undefined;
    await journal.step({ sender: name, tick: clock.now(), says: [resultOf(fields, result)] });
    return `${slice.execution_id}/slice_result/${slice.slice_filename}/${slice.attempt}/${worker_id}@${hostname}`;
  };

  const sentInTime = async (messageId: string): Promise<boolean> => {
    let giveUp = (): void => {};
    const late = new Promise<boolean>((resolve) => {
      giveUp = (): void => void setTimeout(() => resolve(false), patienceMilliseconds).unref();
    });
    if (stopping.aborted) giveUp();
    else stopping.addEventListener('abort', giveUp);
    try {
      return await Promise.race([sent(messageId).then(() => true), late]);
    } finally {
      stopping.removeEventListener('abort', giveUp);
    }
  };

  /** Resolves when the slot is free again. */
  const handle = async (handout: Given, slot: string): Promise<void> => {
    const decoded = decodeMessage(handout.body);
    if (
      decoded.kind !== 'message' ||
      decoded.message.msg_type !== 'slice' ||
      decoded.message.execution_id === undefined
    ) {
      await reject(handout);
      handout.acknowledge();
      return;
    }
    const message = decoded.message;
    const bench = benchOf(message);
    const key = `${message.execution_id}/${message.slice_filename}/${message.attempt}`;
    const known = inHand.get(key);
    const doing = known ?? work(message, `${name}/${slot}`, bench);
    if (known === undefined) inHand.set(key, doing);
    let resultId: string | undefined;
    try {
      resultId = await doing;
    } finally {
      if (known === undefined) inHand.delete(key);
    }
    if (resultId !== undefined) {
      // Told to stop while the broker does not answer: the result is in the log, and whoever is handed the slice sees it there.
      if (!(await sentInTime(resultId))) return;
    }
    // Without a result the slice is acknowledged only where nobody has to work on it any more.
    else if (bench.queue.standing(message.slice_filename, message.attempt) !== 'over') return;
    handout.acknowledge();
  };

  return { handle };
}

function asOpenSlice(message: Message<'slice'>): OpenSlice {
  const { slice_id, slice_filename, tf_filename, stf_filename, start, end, tf_count, attempt } = message;
  return { slice_id, slice_filename, tf_filename, stf_filename, tf_first: start, tf_last: end, tf_count, attempt };
}
