import { setMaxListeners } from 'node:events';

import { sliceMessageId } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { OpenSlice, Payload, PayloadResult } from './ports.ts';
import { asOpenSlice, resultOf, slotName, startFields } from './slice-messages.ts';

/** A slice that names its execution: without one there is nothing to work for. */
export type SliceOfExecution = Message<'slice'> & { execution_id: string };

/** A slice as a broker hands it out. */
export interface DeliveredSlice {
  slice: SliceOfExecution;
  /** The store of the recorder that sent it. */
  storeId: string;
  /** Where its results go, where that is no usual place. */
  replyTo: string | undefined;
  /** When it came, in milliseconds of the process. */
  since: number;
}

/** The same in the hand of one slot. The two ways to let go of it do nothing where the connection has ended. */
export interface QueuedSlice extends DeliveredSlice {
  acknowledge: () => void;
  giveBack: () => void | Promise<void>;
}

/** Why a worker cannot do a slice. */
export type Misfit = Pick<Draft<'slice_returned'>, 'reason' | 'detail'>;

/** A payload has found out in the midst of its work that it cannot be done here. */
export class SliceReturned extends Error {
  readonly misfit: Misfit;

  constructor(misfit: Misfit) {
    super(misfit.detail ?? misfit.reason);
    this.misfit = misfit;
  }
}

/**
 * How the execution of a slice stands: slices of an `open` one may be begun; those of a `paused` one wait on the queue; of one that is `over`
 * nothing is left to do; of an `unknown` one nobody has heard yet.
 */
export type ExecutionStanding = 'open' | 'paused' | 'over' | 'unknown';

export interface SliceWorkerOptions {
  name: string;
  hostname: string;
  standing: (delivered: DeliveredSlice) => ExecutionStanding;
  /** Resolves when a standing may have changed, or `signal` is aborted. */
  changed: (signal: AbortSignal) => Promise<void>;
  /** Aborted when the execution is over, whatever is still in hand. */
  overFor: (delivered: DeliveredSlice) => AbortSignal;
  /** The work on a slice, or why it cannot be done here. */
  prepare: (delivered: DeliveredSlice) => Promise<Payload | Misfit>;
  /** Says that a slice is begun. False where the recorder does not want that now. */
  begin: (draft: Draft<'slice_started'>, delivered: DeliveredSlice) => Promise<boolean>;
  /** Says how a slice has ended. Resolves when nothing can take it away any more; with false where the broker does not take it. */
  say: (draft: Draft<'slice_result' | 'slice_returned'>, delivered: DeliveredSlice) => Promise<boolean>;
  /** Aborted when no slice is begun any more. */
  draining: AbortSignal;
  /** Aborted when everything ends, finished or not. */
  stopped: AbortSignal;
  /** The slices in hand, or the free slots, have changed. */
  onChange: () => void;
}

/** How long a worker that is told to stop waits for the broker to confirm a result, in milliseconds. */
const confirmationPatience = 10_000;

/** The fate of a slice on its queue; `kept`: it stays unacknowledged, for the broker to hand out again. */
type Outcome = 'done' | 'back' | 'kept';

/**
 * Works on slices from a broker's queue. A slice is acknowledged when its result has been confirmed, so the slice of a dead worker is handed
 * out again. One whose execution is over is acknowledged without work; one that this worker cannot do is said to be returned.
 */
export class SliceWorker {
  readonly #options: SliceWorkerOptions;
  /** Work in hand in this process, by attempt. A slice that is handed out again meanwhile joins it. */
  readonly #inHand = new Map<string, Promise<Outcome>>();
  /** For each execution that is heard of: aborted when it is over, or everything ends. */
  readonly #ends = new WeakMap<AbortSignal, AbortSignal>();
  /** Ends the waits for confirmation, after a while. */
  readonly #impatient = new Set<() => void>();

  constructor(options: SliceWorkerOptions) {
    this.#options = options;
    options.draining.addEventListener('abort', () => {
      for (const giveUp of this.#impatient) giveUp();
    });
  }

  /** The ids of the slice messages in hand. */
  get inHand(): string[] {
    return [...this.#inHand.keys()];
  }

  /** Resolves when the slot is free again. Throws the errors of `say` and of the payload. */
  async handle(delivered: QueuedSlice, slot: number): Promise<void> {
    const { slice, acknowledge, giveBack } = delivered;
    const key = sliceMessageId(slice.execution_id, slice.slice_filename, slice.attempt);
    const known = this.#inHand.get(key);
    const doing = known ?? this.#work(delivered, slotName(this.#options.name, slot));
    if (known === undefined) this.#inHand.set(key, doing);
    this.#options.onChange();
    try {
      const outcome = await doing;
      if (outcome === 'done') acknowledge();
      else if (outcome === 'back') await giveBack();
    } finally {
      if (known === undefined) this.#inHand.delete(key);
      this.#options.onChange();
    }
  }

  async #work(delivered: DeliveredSlice, worker_id: string): Promise<Outcome> {
    const { overFor, stopped } = this.#options;
    const { slice } = delivered;
    const before = await this.#untilOpen(delivered);
    if (before !== undefined) return before;
    const fields = startFields(asOpenSlice(slice), worker_id, this.#options.hostname);
    const payload = await this.#prepared(delivered);
    if (typeof payload === 'string') return payload;
    if ('reason' in payload) return this.#confirmed(returnOf(fields, payload), delivered);
    if (!(await this.#options.begin({ msg_type: 'slice_started', ...fields }, delivered))) return 'back';
    const over = overFor(delivered);
    const signal = this.#ends.get(over) ?? endOf(over, stopped);
    this.#ends.set(over, signal);
    const result = await runOrReturn(payload, asOpenSlice(slice), { worker_id, signal });
    if (over.aborted) return 'done';
    if (stopped.aborted) return 'kept';
    if ('reason' in result) return this.#confirmed(returnOf(fields, result), delivered);
    return this.#confirmed(resultOf(fields, result), delivered);
  }

  /** The work, or why it cannot be done here. A file that has to be fetched takes its time: where it is not to be begun any more, what becomes of the slice. */
  async #prepared(delivered: DeliveredSlice): Promise<Payload | Misfit | Outcome> {
    const { prepare, overFor, draining } = this.#options;
    const ended = (): Outcome | undefined =>
      overFor(delivered).aborted ? 'done' : draining.aborted ? 'kept' : undefined;
    try {
      const prepared = await prepare(delivered);
      return ended() ?? ('reason' in prepared ? prepared : ((await this.#untilOpen(delivered)) ?? prepared));
    } catch (error) {
      // A fetch that was given up says nothing of the file.
      const outcome = ended();
      if (outcome === undefined) throw error;
      return outcome;
    }
  }

  /** Undefined as soon as the slice may be begun; otherwise what becomes of it. */
  async #untilOpen(delivered: DeliveredSlice): Promise<Outcome | undefined> {
    const { draining, standing, changed } = this.#options;
    for (;;) {
      // A lifetime that is stopped drains too.
      if (draining.aborted) return 'kept';
      switch (standing(delivered)) {
        case 'open':
          return undefined;
        case 'over':
          return 'done';
        case 'paused':
          return 'back';
        case 'unknown':
          await changed(draining);
      }
    }
  }

  /** Says the last word about a slice. Once the worker drains, the wait for its confirmation has an end. */
  #confirmed(draft: Draft<'slice_result' | 'slice_returned'>, delivered: DeliveredSlice): Promise<Outcome> {
    const { draining } = this.#options;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const giveUp = (): void => {
        timer = setTimeout(() => resolve('kept'), confirmationPatience);
      };
      this.#impatient.add(giveUp);
      if (draining.aborted) giveUp();
      this.#say(draft, delivered)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          this.#impatient.delete(giveUp);
        });
    });
  }

  /** A result that the broker does not take, which may be too large for it, is told without what the payload wrote. */
  async #say(draft: Draft<'slice_result' | 'slice_returned'>, delivered: DeliveredSlice): Promise<Outcome> {
    const { say } = this.#options;
    if (await say(draft, delivered)) return 'done';
    if (draft.msg_type === 'slice_returned') return 'back';
    const { slice_id, slice_filename, tf_filename, attempt, worker_id, hostname } = draft;
    const fields = { slice_id, slice_filename, tf_filename, attempt, worker_id, hostname };
    const error = `the broker does not take the result (${draft.state})`;
    return (await say({ msg_type: 'slice_result', ...fields, state: 'failed', error }, delivered)) ? 'done' : 'back';
  }
}

/** Every slice in hand listens to it. */
function endOf(...signals: AbortSignal[]): AbortSignal {
  const signal = AbortSignal.any(signals);
  setMaxListeners(0, signal);
  return signal;
}

const returnOf = (fields: ReturnType<typeof startFields>, { reason, detail }: Misfit): Draft<'slice_returned'> => ({
  msg_type: 'slice_returned',
  ...fields,
  reason,
  ...(detail === undefined ? {} : { detail }),
});

async function runOrReturn(
  payload: Payload,
  slice: OpenSlice,
  by: Parameters<Payload['run']>[1],
): Promise<PayloadResult | Misfit> {
  try {
    return await payload.run(slice, by);
  } catch (error) {
    if (error instanceof SliceReturned) return error.misfit;
    throw error;
  }
}
