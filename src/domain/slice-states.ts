/**
 * The states of a TF slice. `unanswered`: the slice has no result; messages from other programs do not say
 * whether it is waiting or in progress.
 */
export const sliceStatuses = ['queued', 'processing', 'completed', 'failed', 'unanswered'] as const;

export type SliceStatus = (typeof sliceStatuses)[number];

/** The numbers that stand for states in the columns of attempts. */
export const queuedState = sliceStatuses.indexOf('queued');
export const completedState = sliceStatuses.indexOf('completed');
export const failedState = sliceStatuses.indexOf('failed');

/**
 * `return`: a worker cannot process the slice and returns it. `abandon`: its execution is stopped or fails
 * while a worker is processing the slice.
 */
type SliceEvent = 'queue' | 'start' | 'done' | 'fail' | 'return' | 'abandon';

/**
 * `start` leads from `processing` to `processing` if a vanished worker's slice is delivered again as the same
 * attempt. Over a broker, a result may arrive before the start.
 */
const steps: Record<SliceStatus, Partial<Record<SliceEvent, SliceStatus>>> = {
  queued: { start: 'processing', done: 'completed', fail: 'failed', return: 'queued' },
  processing: { start: 'processing', done: 'completed', fail: 'failed', return: 'queued', abandon: 'queued' },
  completed: {},
  failed: { queue: 'queued' },
  unanswered: {},
};

/** The status after `event`, or undefined if the table has no such transition. */
export const nextSliceStatus = (status: SliceStatus, event: SliceEvent) => steps[status][event];

/** Whether a slice that failed in this attempt (from 1) is tried again. */
export const isRetried = (attempt: number, maxRetries: number) => attempt <= maxRetries;
