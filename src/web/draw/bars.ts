import { sliceStatuses } from '../../domain/slice-states.ts';
import type { Timeline } from '../shared/answers.ts';
import type { Bar } from './paint.ts';
import { spanOf } from './span.ts';

/** The attempts of a timeline as bars, in the order of their starts. @param hasEnded nothing is in hand any longer */
export function barsOf(timeline: Timeline, hasEnded: boolean): Bar[] {
  const { spans = [], stfs = [] } = timeline;
  const { from, until } = spanOf(timeline);
  const end = until - from;
  return spans
    .map(([row = 0, start = 0, length = 0, state = 0, stf = 0, sliceId = 0, attempt = 1]) => ({
      row,
      start,
      end: length < 0 ? end : start + length,
      isOpen: length < 0 && !hasEnded,
      state: sliceStatuses[state] ?? 'queued',
      stf: stfs[stf] ?? '',
      sliceId,
      attempt,
    }))
    .toSorted((a, b) => a.start - b.start);
}

/** Whether an attempt ended without a result: its worker disappeared or gave it back, or its execution ended. */
export const isLost = ({ state, isOpen }: Bar): boolean => !isOpen && (state === 'processing' || state === 'queued');
