/**
 * The states of a TF slice. `unanswered`: messages of other programs do not say whether a slice is waiting or
 * in progress, only that it has no result.
 */
export const sliceStatuses = ['queued', 'processing', 'completed', 'failed', 'unanswered'] as const;

export type SliceStatus = (typeof sliceStatuses)[number];

/** The numbers of states, as columns of attempts hold them. */
export const queuedState = sliceStatuses.indexOf('queued');
export const completedState = sliceStatuses.indexOf('completed');
export const failedState = sliceStatuses.indexOf('failed');

/**
 * `return`: a worker cannot do it and returns it. `abandon`: its execution is stopped or fails while a worker
 * is processing it.
 */
type SliceEvent = 'queue' | 'start' | 'done' | 'fail' | 'return' | 'abandon';

/**
 * `start` leads from `processing` to `processing` if a vanished worker's slice is delivered again as the same attempt. A result may overtake its
 * start on a broker.
 */
const steps: Record<SliceStatus, Partial<Record<SliceEvent, SliceStatus>>> = {
  queued: { start: 'processing', done: 'completed', fail: 'failed', return: 'queued' },
  processing: { start: 'processing', done: 'completed', fail: 'failed', return: 'queued', abandon: 'queued' },
  completed: {},
  failed: { queue: 'queued' },
  unanswered: {},
};

/** The status after `event`, or undefined if the table has no such step. */
export const nextSliceStatus = (status: SliceStatus, event: SliceEvent) => steps[status][event];

/** Whether a slice that failed in this attempt (from 1) is tried again. */
export const isRetried = (attempt: number, maxRetries: number) => attempt <= maxRetries;
