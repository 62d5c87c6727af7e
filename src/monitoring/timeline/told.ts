import { clipCause, longestCause } from '../../domain/causes.ts';
import { sliceFilename } from '../../domain/file-names.ts';
import { sliceStatuses } from '../../domain/slice-states.ts';
import { shownDelay } from '../../domain/stages.ts';
import { present } from '../../lib/present.ts';
import { rounded } from '../../lib/rounded.ts';
import { endOfWork, type Life, workTime } from './attempts.ts';
import type { TimedCause } from './causes.ts';
import type { Picture } from './picture.ts';

const shownName = 80;
const concise = { causes: 5, workers: 10, phases: 20 };
const page = { causes: 10, workers: Infinity, phases: 500 };

/** `Date` supports times up to this many milliseconds before and after 1970. */
const endOfTime = 8.64e15;

const iso = (milliseconds: number) => new Date(Math.max(-endOfTime, Math.min(milliseconds, endOfTime))).toISOString();

/**
 * A picture for an assistant, at most 25,000 characters in total. Times are ISO 8601, durations are in
 * seconds, and unknown values are absent.
 */
export const conciseParts = (timeline: Picture, life: Life) => partsOf(timeline, life, concise);

/** A picture for the page, with every worker, delay buckets and bars. */
export const pageParts = (drawn: Picture, life: Life) => ({
  ...partsOf(drawn, life, page),
  levels: drawn.levels && { ...drawn.levels, step: rounded(drawn.levels.step / 1000) },
  latency: drawn.latency.map((delay) => ({ ...shownDelay(delay), buckets: delay.buckets })),
  ...spansOf(drawn),
});

function partsOf(picture: Picture, life: Life, most: typeof page) {
  const { bins, series, phases, latency, causes, workers, slotCount, slots, cells } = picture;
  const end = bins.from + bins.count * bins.width;
  const shown = phases
    .filter(({ start, end: until = Infinity }) => until > bins.from && start < end)
    .toSorted((a, b) => a.start - b.start);
  const worst = workers.toSorted(
    (a, b) => b.failed - a.failed || b.longest - a.longest || (a.worker_id < b.worker_id ? -1 : 1),
  );
  return present({
    from: iso(bins.from),
    until: iso(end),
    bin_seconds: rounded(bins.width / 1000),
    bins: bins.count,
    last_bin_complete: life.hasEnded || end <= life.end,
    series,
    phases: shown.slice(-most.phases).map(({ phase, start, end: until, by }) =>
      present({
        phase,
        start: iso(start),
        end: until === undefined ? null : iso(until),
        by: by === undefined ? null : by.slice(0, shownName),
      }),
    ),
    phases_omitted: shown.length > most.phases ? shown.length - most.phases : null,
    latency: latency.map(shownDelay),
    causes: causes.slice(0, most.causes).map(causePart),
    causes_omitted: causes.length > most.causes ? causes.length - most.causes : null,
    workers: worst.slice(0, most.workers).map((worker) => {
      const seen = Math.max(1, workTime(life, Math.max(worker.first, bins.from), Math.min(endOfWork(life), end)));
      const ended = worker.completed + worker.failed;
      return present({
        worker_id: worker.worker_id.slice(0, shownName),
        completed: worker.completed,
        failed: worker.failed,
        busy_percent: Math.min(100, rounded((100 * worker.busy) / seen, 1)),
        mean_seconds: ended === 0 ? null : rounded(worker.work / 1000 / ended),
        longest_seconds: rounded(worker.longest / 1000),
      });
    }),
    slot_count: slotCount,
    slots: slots.length === 0 ? null : slots.map((name) => name.slice(0, shownName)),
    cells,
  });
}

const causePart = ({ first, last, example, ...cause }: TimedCause) =>
  present({
    cause: clipCause(cause.cause, longestCause),
    attempts: cause.attempts,
    slices: cause.slices,
    exhausted: cause.exhausted,
    slots: cause.slots,
    worst_slot: cause.slots === 0 ? null : cause.worstSlot.slice(0, shownName),
    worst_slot_attempts: cause.slots === 0 ? null : cause.worstSlotAttempts,
    host: cause.host === undefined ? null : cause.host.slice(0, shownName),
    first: iso(first),
    last: iso(last),
    example: sliceFilename(example.stf, example.sliceId),
    when: cause.when,
  });

function spansOf({ spans, bins }: Picture): { spans?: number[][]; stfs?: string[] } {
  if (spans === undefined) return {};
  const stfs = [...new Set(spans.map(({ stf }) => stf))];
  const numberOf = new Map(stfs.map((stf, at) => [stf, at]));
  return {
    stfs,
    spans: spans.map(({ row, start, duration, state, stf, sliceId, attempt }) => [
      row,
      Math.round(start - bins.from),
      duration === undefined ? -1 : Math.round(duration),
      sliceStatuses.indexOf(state),
      numberOf.get(stf) ?? 0,
      sliceId,
      attempt,
    ]),
  };
}
