import { type SliceStatus, sliceStatuses } from '../../domain/slice-states.ts';
import { type Attempts, goesOn, type Life, type Period } from './attempts.ts';
import { endOfAttempt } from './cells.ts';

/** An attempt as a bar: its slot's row, its start (milliseconds since 1970) and its duration, undefined while it goes on. */
export interface Span {
  row: number;
  start: number;
  duration: number | undefined;
  state: SliceStatus;
  stf: string;
  sliceId: number;
  attempt: number;
}

/** The attempts of some slots that overlap a window; undefined if there are too many. */
export function spansOf(
  attempts: Attempts,
  { from, until }: Period,
  { slots, life, most }: { slots: readonly number[]; life: Life; most: number },
): Span[] | undefined {
  const rowOf = new Map(slots.map((worker, row) => [worker, row]));
  const spans: Span[] = [];
  for (let at = 0; at < attempts.length; at += 1) {
    const row = rowOf.get(attempts.worker[at] as number);
    const end = endOfAttempt(attempts, at, life);
    const begun = attempts.started[at] as number;
    const start = Number.isNaN(begun) ? end : begun;
    if (row === undefined || Number.isNaN(end) || end < from || start > until) continue;
    if (spans.length === most) return undefined;
    const isOpen = Number.isNaN(attempts.completed[at]) && goesOn(life);
    spans.push({
      row,
      start,
      duration: isOpen ? undefined : end - start,
      state: sliceStatuses[attempts.state[at] as number] ?? 'queued',
      stf: attempts.names.stf.all[attempts.stf[at] as number] ?? '',
      sliceId: attempts.sliceId[at] as number,
      attempt: attempts.attempt[at] as number,
    });
  }
  return spans;
}
