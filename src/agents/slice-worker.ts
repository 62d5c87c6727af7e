import { setMaxListeners } from 'node:events';

import { setNewest } from '../lib/once-for.ts';
import { startStopwatch } from '../lib/time.ts';
import { sliceMessageId } from '../messages/identity.ts';
import type { Draft } from '../messages/message.ts';
import type { DeliveredSlice, Payload, PayloadResult } from './ports.ts';
import { asOpenSlice, failureOf, type Attempt, resultOf, slotName, startFields } from './slice-messages.ts';

/** A delivered slice held by one slot. `acknowledge` and `giveBack` do nothing once the connection has ended. */
export interface QueuedSlice extends DeliveredSlice {
  acknowledge: () => void;
  giveBack: () => void | Promise<void>;
}

/** Why a worker cannot process a slice. */
export type Unfit = Pick<Draft<'slice_returned'>, 'reason' | 'detail'>;

/** The work on a slice. It may turn out midway that this worker cannot process the slice. */
export interface SliceWork {
  run(...how: Parameters<Payload['run']>): Promise<PayloadResult | Unfit>;
}

/**
 * The state of a slice's execution. `open`: its slices may start. `paused`: they wait on the queue. `over`: nothing
 * is left to do. `unknown`: no recorder has reported the execution yet.
 */
export type ExecutionStanding = 'open' | 'paused' | 'over' | 'unknown';

/** How a slice ended. */
type Report = Draft<'slice_result' | 'slice_returned'>;

export interface SliceWorkerOptions {
  name: string;
  hostname: string;
  standing: (delivered: DeliveredSlice, slot: number) => ExecutionStanding;
  /** Resolves when an execution's standing may have changed, or when `signal` is aborted. */
  changed: (signal: AbortSignal) => Promise<void>;
  /** Aborted when the execution has ended, even if work is still in progress. */
  overFor: (delivered: DeliveredSlice) => AbortSignal;
  /** Returns the work on a slice, or why this worker cannot do it. */
  prepare: (delivered: DeliveredSlice) => Promise<SliceWork | Unfit>;
  /** Reports that a slice has started. Returns false if the recorder does not need the report now. */
  begin: (draft: Draft<'slice_started'>, delivered: DeliveredSlice) => Promise<boolean>;
  /** Reports how a slice ended. Resolves with true once the report is safe, with false if the broker refuses it. */
  say: (draft: Report, delivered: DeliveredSlice) => Promise<boolean>;
  /** Aborted when no more slices may start. */
  draining: AbortSignal;
  /** Aborted when all work must end, finished or not. */
  stopped: AbortSignal;
  /** Called when the slices in hand or the free slots change. */
  onChange: () => void;
}

/** How long a draining worker waits for the broker to confirm a result, in milliseconds. */
const confirmationPatience = 10_000;

/** The fate of a slice on its queue. `kept`: it stays unacknowledged, so that the broker delivers it again. */
type Outcome = 'done' | 'back' | 'kept';

/** How many results to remember; each may contain a few kilobytes of output. */
const maxResults = 1000;

/** The work that a slice requests. The store is included, since two stores may have executions with the same name. */
const workKeyOf = ({ storeId, slice }: DeliveredSlice) => `${storeId} ${sliceMessageId(slice.execution_id, slice)}`;

/**
 * A restored store reuses execution numbers: a slice with the same name is then a different slice, sent at a
 * different time.
 */
const sentKeyOf = (delivered: DeliveredSlice) => `${delivered.slice.timestamp} ${workKeyOf(delivered)}`;

export type SliceWorker = ReturnType<typeof createSliceWorker>;

/**
 * Works on slices from a broker's queue. Acknowledges a slice once its result is confirmed, so the broker redelivers
 * a dead worker's slice. If it cannot process a slice, reports the slice as returned. A slice whose execution has
 * ended is only acknowledged.
 */
export function createSliceWorker(options: SliceWorkerOptions) {
  const { name, hostname, overFor, begin, stopped, onChange } = options;
  /** Work in hand in this process, by store and attempt. A redelivered slice shares its first delivery's work. */
  const inHand = new Map<string, { doing: Promise<Outcome>; ending: AbortController }>();
  /** For each execution, a signal that is aborted when the execution ends or all work must end. */
  const ends = new WeakMap<AbortSignal, AbortSignal>();
  const { confirmed, resultOn } = createReports(options);

  async function work(delivered: DeliveredSlice, slot: number, ending: AbortController) {
    const { slice } = delivered;
    const before = await untilOpen(delivered, slot, options);
    if (before !== undefined) return before;
    const known = resultOn(delivered);
    if (known !== undefined) return confirmed(known, delivered);
    const fields = startFields(slice, slotName(name, slot), hostname);
    const prepared = await prepare(delivered, slot, options);
    if (typeof prepared === 'string') return prepared;
    if ('reason' in prepared) return confirmed(returnOf(fields, prepared), delivered);
    if (!(await begin({ msg_type: 'slice_started', ...fields }, delivered))) return 'back';
    const over = overFor(delivered);
    const ended = () => fateBy(over, stopped, ending.signal);
    // The report of the slice's start may have waited for the broker.
    const early = ended();
    if (early !== undefined) return early;
    const end = ends.get(over) ?? endOf(over, stopped);
    ends.set(over, end);
    const took = startStopwatch();
    const run = (signal: AbortSignal) => prepared.run(asOpenSlice(slice), { worker_id: fields.worker_id, signal });
    const result = await untilEnd(end, ending, run);
    const late = ended();
    if (late !== undefined) return late;
    return confirmed('reason' in result ? returnOf(fields, result) : resultOf(fields, result, took()), delivered);
  }

  return {
    /** The ids of the slice messages in hand. */
    inHand: () => [...inHand.keys()].map((key) => key.slice(key.indexOf(' ') + 1)),
    /** Ends the work on a slice whose attempt has ended, without reporting anything. */
    drop: (storeId: string, messageId: string) => inHand.get(`${storeId} ${messageId}`)?.ending.abort(),
    /** Resolves when the slot is free again. Throws the errors of `say` and of the payload. */
    async handle(delivered: QueuedSlice, slot: number) {
      const { acknowledge, giveBack } = delivered;
      const key = workKeyOf(delivered);
      const known = inHand.get(key);
      const ending = known?.ending ?? new AbortController();
      const doing = known?.doing ?? work(delivered, slot, ending);
      if (known === undefined) inHand.set(key, { doing, ending });
      onChange();
      try {
        const outcome = await doing;
        if (outcome === 'done') acknowledge();
        else if (outcome === 'back') await giveBack();
      } finally {
        if (known === undefined) inHand.delete(key);
        onChange();
      }
    },
  };
}

/** The work; or why this worker cannot do it; or the slice's fate, if the slice may no longer start. */
async function prepare(delivered: DeliveredSlice, slot: number, options: SliceWorkerOptions) {
  const { overFor, draining } = options;
  const ended = (): Outcome | undefined =>
    overFor(delivered).aborted ? 'done' : draining.aborted ? 'kept' : undefined;
  try {
    const prepared = await options.prepare(delivered);
    return ended() ?? ('reason' in prepared ? prepared : ((await untilOpen(delivered, slot, options)) ?? prepared));
  } catch (error) {
    // An abandoned fetch says nothing about the file.
    const outcome = ended();
    if (outcome === undefined) throw error;
    return outcome;
  }
}

/** Resolves with undefined once the slice may start, otherwise with its fate. */
async function untilOpen(delivered: DeliveredSlice, slot: number, options: SliceWorkerOptions) {
  const { draining, standing, changed } = options;
  for (;;) {
    // A stopped lifetime counts as draining too.
    if (draining.aborted) return 'kept';
    switch (standing(delivered, slot)) {
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

/** The final reports about slices. */
function createReports({ say, draining }: SliceWorkerOptions) {
  /**
   * The newest results, by the messages that requested them. If a killed broker has lost an acknowledgement and
   * delivers the slice again, only the result is sent again: the slice is not processed again.
   */
  const results = new Map<string, Draft<'slice_result'>>();
  /** Functions to call once the worker is draining; each limits one wait for confirmation. */
  const impatient = new Set<() => void>();
  draining.addEventListener('abort', () => {
    for (const giveUp of impatient) giveUp();
  });

  /** If the broker refuses a result (too large?), reports a failure without the payload's output instead. */
  async function send(draft: Report, delivered: DeliveredSlice): Promise<Outcome> {
    if (await say(draft, delivered)) {
      if (draft.msg_type === 'slice_result') setNewest(results, sentKeyOf(delivered), draft, maxResults);
      return 'done';
    }
    if (draft.msg_type === 'slice_returned') return 'back';
    const failure = failureOf(draft, `the broker did not accept the result (${draft.state})`);
    if (!(await say(failure, delivered))) return 'back';
    setNewest(results, sentKeyOf(delivered), failure, maxResults);
    return 'done';
  }

  return {
    resultOn: (delivered: DeliveredSlice) => results.get(sentKeyOf(delivered)),
    /** Sends the final report about a slice. Once the worker is draining, limits the wait for confirmation. */
    confirmed: (draft: Report, delivered: DeliveredSlice): Promise<Outcome> =>
      new Promise((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        const giveUp = () => {
          timer = setTimeout(() => resolve('kept'), confirmationPatience);
        };
        impatient.add(giveUp);
        if (draining.aborted) giveUp();
        send(draft, delivered)
          .then(resolve, reject)
          .finally(() => {
            clearTimeout(timer);
            impatient.delete(giveUp);
          });
      }),
  };
}

/** The fate of a slice whose execution or attempt has ended, or whose worker's process stops. */
const fateBy = (over: AbortSignal, stopped: AbortSignal, own: AbortSignal): Outcome | undefined =>
  over.aborted ? 'done' : stopped.aborted ? 'kept' : own.aborted ? 'done' : undefined;

/** Does the work with `ending`'s signal, which is also aborted when `end` is. */
async function untilEnd<T>(end: AbortSignal, ending: AbortController, work: (signal: AbortSignal) => Promise<T>) {
  const abort = () => ending.abort();
  end.addEventListener('abort', abort);
  try {
    return await work(ending.signal);
  } finally {
    end.removeEventListener('abort', abort);
  }
}

/** Every slice in progress listens to this signal. */
function endOf(...signals: AbortSignal[]) {
  const signal = AbortSignal.any(signals);
  setMaxListeners(0, signal);
  return signal;
}

const returnOf = (fields: Attempt, { reason, detail }: Unfit): Draft<'slice_returned'> => ({
  msg_type: 'slice_returned',
  ...fields,
  reason,
  detail,
});
