import type { StageDelay } from '../../domain/stages.ts';
import { roundDuration } from '../../lib/duration.ts';
import { delayOf } from '../facts.ts';
import { call, defineFinding, type SliceFacts } from './rule.ts';

/** Fewer slices do not show what is usual. */
const minItems = 20;

/** A slice is out of all proportion if it took this many times the p95 of all, and at least this many seconds. */
const minRatio = 10;
const minSeconds = 1;

/** Whether the slowest slice is out of all proportion. @param delay of completed slices */
export const hasSlowSlice = (delay: StageDelay | undefined): boolean =>
  delay !== undefined && delay.items >= minItems && delay.max >= Math.max(minSeconds, minRatio * delay.p95);

export const sliceSlow = defineFinding<SliceFacts>('SLICE_SLOW', ({ slowest, delays }) => {
  const delay = delayOf({ delays }, 'slice_started → slice_result');
  if (slowest === undefined || delay === undefined) return undefined;
  const { slice_filename, worker, seconds } = slowest;
  const { p50, p95 } = delay;
  return {
    severity: 'info',
    sentence: `${slice_filename} took ${roundDuration(seconds)}${worker === null ? '' : ` on ${worker}`}; ${roundDuration(p50)} is usual, and 95 % of the slices took at most ${roundDuration(p95)}.`,
    ids: worker === null ? [slice_filename] : [slice_filename, worker],
    next: call('trace_data_product', { filename: slice_filename }),
  };
});
