import * as z from 'zod';

import type { Timeline } from '../../db/timeline/timeline.ts';
import { sliceFilename } from '../../domain/file-names.ts';
import { sliceStatuses } from '../../domain/slice-states.ts';
import type { Life } from '../../monitoring/timeline/attempts.ts';
import { clipShown } from '../shared/clip.ts';
import { present } from '../shared/params.ts';

const numbers = () => z.array(z.int());

/** The answer of `get_execution_timeline` (contract §8). Everything but the head is absent while it is being read, or unchanged. */
export const timelineAnswer = () =>
  z.strictObject({
    execution_id: z.string(),
    run_number: z.int(),
    seq: z.int().optional(),
    data_as_of: z.string().optional(),
    unchanged: z.literal(true).optional(),
    loading: z.number().optional().describe('The part that is read: ask again'),
    from: z.string().optional(),
    until: z.string().optional(),
    bin_seconds: z.number().optional(),
    bins: z.int().optional(),
    last_bin_complete: z.boolean().optional(),
    series: z
      .strictObject({
        arrived: numbers(),
        completed: numbers(),
        failed_attempts: numbers(),
        exhausted: numbers(),
        queued: numbers(),
        processing: numbers(),
      })
      .optional()
      .describe('queued and processing at the end of a bin'),
    phases: z
      .array(
        z.strictObject({
          phase: z.string(),
          start: z.string(),
          end: z.string().optional(),
          by: z.string().optional(),
        }),
      )
      .optional(),
    phases_omitted: z.int().optional(),
    latency: z
      .array(
        z.strictObject({
          stage: z.string(),
          items: z.int(),
          p50: z.number(),
          p95: z.number(),
          max: z.number(),
          buckets: z.array(numbers()).optional(),
        }),
      )
      .optional(),
    causes: z
      .array(
        z.strictObject({
          cause: z.string(),
          attempts: z.int(),
          slices: z.int(),
          exhausted: z.int(),
          first: z.string(),
          last: z.string(),
          example: z.string(),
          when: z.string(),
        }),
      )
      .optional(),
    causes_omitted: z.int().optional(),
    workers: z
      .array(
        z.strictObject({
          worker_id: z.string(),
          completed: z.int(),
          failed: z.int(),
          busy_percent: z.number(),
          mean_seconds: z.number(),
          longest_seconds: z.number(),
        }),
      )
      .optional(),
    slot_count: z.int().optional(),
    slots: z.array(z.string()).optional(),
    cells: z.array(z.string()).optional(),
    spans: z
      .array(numbers())
      .optional()
      .describe('slot, start and duration in ms from "from" (-1: goes on), state, STF of stfs, slice, attempt'),
    stfs: z.array(z.string()).optional(),
  });

type Parts = Omit<z.input<ReturnType<typeof timelineAnswer>>, 'execution_id' | 'run_number' | 'seq' | 'data_as_of'>;

const shownCause = 160;
const shownName = 80;
const concise = { causes: 5, workers: 10, phases: 20, characters: 25_000 };
const page = { causes: 10, workers: Infinity, phases: 500 };

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const rounded = (value: number, digits = 3): number => Math.round(value * 10 ** digits) / 10 ** digits;

/** As an assistant reads it, the whole of it within 25,000 characters. */
export const conciseParts =
  (timeline: Timeline) =>
  (life: Life): Parts =>
    partsOf(timeline, life, concise);

/** As a page draws it, with every worker, the buckets of delays, and bars. */
export const pageParts =
  (timeline: Timeline) =>
  (life: Life): Parts => ({
    ...partsOf(timeline, life, page),
    latency: timeline.latency.map(({ stage, items, p50, p95, max, buckets }) => ({
      stage,
      items,
      p50,
      p95,
      max,
      buckets,
    })),
    ...spansOf(timeline),
  });

function partsOf(
  { bins, series, phases, latency, causes, workers, slotCount, slots, cells }: Timeline,
  life: Life,
  most: { causes: number; workers: number; phases: number },
): Parts {
  const end = bins.from + bins.count * bins.width;
  const worst = workers.toSorted((a, b) => b.failed - a.failed || b.longest - a.longest);
  return present({
    from: iso(bins.from),
    until: iso(end),
    bin_seconds: rounded(bins.width / 1000),
    bins: bins.count,
    last_bin_complete: life.hasEnded || end <= life.end,
    series,
    phases: phases.slice(-most.phases).map(({ phase, start, end: until, by }) =>
      present({
        phase,
        start: iso(start),
        end: until === undefined ? null : iso(until),
        by: by === undefined ? null : clipShown(by, shownName),
      }),
    ),
    phases_omitted: phases.length > most.phases ? phases.length - most.phases : null,
    latency: latency.map(({ stage, items, p50, p95, max }) => ({ stage, items, p50, p95, max })),
    causes: causes.slice(0, most.causes).map(({ first, last, example, ...cause }) => ({
      cause: clipShown(cause.cause, shownCause),
      attempts: cause.attempts,
      slices: cause.slices,
      exhausted: cause.exhausted,
      first: iso(first),
      last: iso(last),
      example: sliceFilename(example.stf, example.sliceId),
      when: cause.when,
    })),
    causes_omitted: causes.length > most.causes ? causes.length - most.causes : null,
    workers: worst.slice(0, most.workers).map((worker) => {
      const seen = Math.max(1, Math.min(life.end, end) - Math.max(worker.first, bins.from));
      return {
        worker_id: clipShown(worker.worker_id, shownName),
        completed: worker.completed,
        failed: worker.failed,
        busy_percent: Math.min(100, rounded((100 * worker.busy) / seen, 1)),
        mean_seconds: rounded(worker.busy / 1000 / Math.max(1, worker.completed + worker.failed)),
        longest_seconds: rounded(worker.longest / 1000),
      };
    }),
    slot_count: slotCount,
    slots: slots.length === 0 ? null : slots.map((name) => clipShown(name, shownName)),
    cells: cells ?? null,
  });
}

function spansOf({ spans, bins }: Timeline): Pick<Parts, 'spans' | 'stfs'> {
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
