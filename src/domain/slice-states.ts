/** The states of a TF slice and the only steps between them. */
export const sliceStatuses = ['queued', 'processing', 'completed', 'failed'] as const;

export type SliceStatus = (typeof sliceStatuses)[number];

/** The states as tools name them. `unanswered`: nobody says whether a slice of other programs waits or is in work, only that it has no result. */
export const shownSliceStatuses = [...sliceStatuses, 'unanswered'] as const;

export type ShownSliceStatus = (typeof shownSliceStatuses)[number];

export const shownSliceStatus = (status: SliceStatus, isObserved: boolean): ShownSliceStatus =>
  isObserved && status === 'queued' ? 'unanswered' : status;

/** The state that a shown one stands for, and whose slices have it: other programs', our own, or all (undefined). */
export function storedSliceStatus(shown: ShownSliceStatus): { status: SliceStatus; isObserved: boolean | undefined } {
  if (shown === 'unanswered') return { status: 'queued', isObserved: true };
  return { status: shown, isObserved: shown === 'queued' ? false : undefined };
}

/** The numbers of states, as columns of attempts hold them. */
export const queuedState = sliceStatuses.indexOf('queued');
export const completedState = sliceStatuses.indexOf('completed');
export const failedState = sliceStatuses.indexOf('failed');

/** `return`: a worker cannot do it and gives it back. `abandon`: its execution is stopped or fails while a worker has it in hand. */
export type SliceEvent = 'queue' | 'start' | 'done' | 'fail' | 'return' | 'abandon';

/**
 * `start` leads from `processing` to `processing` if a vanished worker's slice is delivered again as the same attempt. A result may overtake its
 * start on a broker.
 */
const steps: Record<SliceStatus, Partial<Record<SliceEvent, SliceStatus>>> = {
  queued: { start: 'processing', done: 'completed', fail: 'failed', return: 'queued' },
  processing: { start: 'processing', done: 'completed', fail: 'failed', return: 'queued', abandon: 'queued' },
  completed: {},
  failed: { queue: 'queued' },
};

/** The status after `event`, or undefined if the table has no such step. */
export const nextSliceStatus = (status: SliceStatus, event: SliceEvent): SliceStatus | undefined =>
  steps[status][event];

/** Whether a slice that failed in this attempt (from 1) is tried again. */
export const isRetried = (attempt: number, maxRetries: number): boolean => attempt <= maxRetries;
