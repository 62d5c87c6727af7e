import { aborted, withDeadline } from '../lib/deadline.ts';
import { messageIdOf } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import type { ExecutionContext } from './agent.ts';
import type { Payload, SliceQueue } from './ports.ts';
import { asOpenSlice, resultOf, slotName, startFields } from './slice-messages.ts';

/** The parts of one execution that a worker needs. */
export interface SliceWork {
  execution: ExecutionContext;
  queue: SliceQueue;
  payload: Payload;
}

/** A slice that names its execution: without one there is nothing to work for. */
export type SliceOfExecution = Message<'slice'> & { execution_id: string };

/** A slice that a broker hands out to one slot, until it is acknowledged or the connection ends. */
export interface QueuedSlice {
  slice: SliceOfExecution;
  /** Does nothing where the connection has ended: the broker hands the slice out again then. */
  acknowledge: () => void;
}

export interface QueuedSliceWorkerOptions {
  name: string;
  hostname: string;
  /** The execution of a slice; for one that this store does not know, work without rows. */
  workFor: (slice: SliceOfExecution) => SliceWork;
  /** Aborted when no slice is begun any more. */
  draining: AbortSignal;
  /** Resolves when the broker has confirmed a message of ours. */
  sent: (messageId: string) => Promise<void>;
}

/** How long a worker that is told to stop waits for the broker to confirm a result, in milliseconds. */
const confirmationPatience = 10_000;

/** A slice that was not open may be so after these messages. */
const wakesOn: ReadonlySet<MessageType> = new Set<MessageType>([
  'resume_run',
  'end_run',
  'slice',
  'slice_result',
  'workflow_ended',
]);

/**
 * Works on slices from a broker's queue. A slice is acknowledged when its result has been recorded, sent and confirmed, so the slice of a
 * dead worker is handed out again. A slice that turns out to be done is acknowledged without work.
 */
export class QueuedSliceWorker {
  readonly #options: QueuedSliceWorkerOptions;
  /** Work in hand in this process, by attempt. A slice that is handed out again meanwhile joins it. */
  readonly #inHand = new Map<string, Promise<string | undefined>>();

  constructor(options: QueuedSliceWorkerOptions) {
    this.#options = options;
  }

  /** Resolves when the slot is free again. Throws the errors of `Journal.step` and of the payload. */
  async handle({ slice, acknowledge }: QueuedSlice, slot: number): Promise<void> {
    const work = this.#options.workFor(slice);
    const key = `${slice.execution_id}/${slice.slice_filename}/${slice.attempt}`;
    const known = this.#inHand.get(key);
    const doing = known ?? this.#work(slice, slotName(this.#options.name, slot), work);
    if (known === undefined) this.#inHand.set(key, doing);
    let resultId: string | undefined;
    try {
      resultId = await doing;
    } finally {
      if (known === undefined) this.#inHand.delete(key);
    }
    // Without confirmation the result is in the log all the same: the next worker to be handed the slice finds it there.
    const isOver =
      resultId === undefined
        ? work.queue.standing(slice.slice_filename, slice.attempt) === 'over'
        : await this.#sentInTime(resultId);
    if (isOver) acknowledge();
  }

  /** Works on a slice unless it is over. Returns the id of the result, where there is one of ours. */
  async #work(slice: Message<'slice'>, worker_id: string, work: SliceWork): Promise<string | undefined> {
    const { journal, clock, lifetime } = work.execution;
    const { name, hostname } = this.#options;
    const fields = startFields(asOpenSlice(slice), worker_id, hostname);
    if (!(await this.#start(slice, fields, work))) return undefined;
    const result = await work.payload.run(asOpenSlice(slice), { worker_id, signal: lifetime.stopped });
    if (lifetime.stopped.aborted) return undefined;
    const draft = resultOf(fields, result);
    await journal.step({ sender: name, tick: clock.now(), says: [draft] });
    const { sender, namespace, execution_id } = slice;
    return messageIdOf({ ...draft, sender, namespace, execution_id });
  }

  /** Records the start of a slice as soon as it may be begun. False: it is over, or nothing is begun any more. */
  async #start(
    { slice_filename, attempt }: Message<'slice'>,
    fields: ReturnType<typeof startFields>,
    { execution, queue }: SliceWork,
  ): Promise<boolean> {
    const { journal, notifier, lifetime, clock } = execution;
    const ends = AbortSignal.any([lifetime.stopped, this.#options.draining]);
    for (;;) {
      if (ends.aborted) return false;
      const standing = queue.standing(slice_filename, attempt);
      if (standing === 'over') return false;
      if (standing === 'given up' || !queue.isOpen()) {
        // Standby, or given up: the slice stays with the broker, unacknowledged, until that changes.
        await notifier.news(ends, wakesOn);
        continue;
      }
      let isStarted = false;
      const says = (): Draft[] => {
        // Asked again inside the step, where nothing can come in between.
        isStarted = queue.isOpen();
        return isStarted ? [{ msg_type: 'slice_started', ...fields }] : [];
      };
      await journal.step({ sender: this.#options.name, tick: clock.now(), says });
      if (isStarted) return true;
    }
  }

  /** Whether the broker confirms a message. Once the worker drains, the wait has an end. */
  async #sentInTime(messageId: string): Promise<boolean> {
    const sent = this.#options.sent(messageId).then(() => true);
    const waiting = new AbortController();
    const drains = aborted(this.#options.draining, waiting.signal);
    try {
      return await Promise.race([sent, drains.then(() => withDeadline(sent, confirmationPatience, false))]);
    } finally {
      waiting.abort();
    }
  }
}
