import { tickOfFirstStf } from '../domain/daq-schedule.ts';
import { type Facts, payloadLimit, wallSeconds } from './facts.ts';
import type { AgedSlice } from './pace.ts';

/** Moments of an execution as clock times, ISO 8601; undefined if unknown. */
export type Forecast = ReturnType<typeof forecastOf>;

const timeAfter = (start: number, seconds: number): string => new Date(start + seconds * 1000).toISOString();

/** @param secondsLeft as estimated; undefined if unknown */
export const forecastOf = (facts: Facts, secondsLeft: number | undefined) => ({
  /** When it ends, if the time left is known. */
  expected_end: secondsLeft === undefined ? undefined : timeAfter(facts.now, secondsLeft),
  /** When the first slice was made; before that, when the schedule expects it. */
  first_slice_at: facts.first_slice_at ?? expectedFirstSlice(facts),
});

function expectedFirstSlice(facts: Facts): string | undefined {
  const { status, isHeld, driver, params, start_time } = facts;
  if (status !== 'running' || isHeld || driver?.alive === false || params.speed === 'max') return undefined;
  const tick = tickOfFirstStf(params);
  if (tick === undefined || params.fast_processing.stf_sampling_rate === 0) return undefined;
  const at = Date.parse(start_time) + wallSeconds(tick, params) * 1000;
  // It is late, and nobody knows by how much.
  return at < facts.now ? undefined : new Date(at).toISOString();
}

/** When a slice in hand must end by its payload's limit, and when its last attempt must if each takes that long. Undefined without a limit. */
export function deadlineOf(slice: AgedSlice, facts: Facts): { deadline: string; worst_end: string } | undefined {
  const limit = payloadLimit(facts);
  if (limit === undefined) return undefined;
  const begun = Date.parse(slice.since);
  const attemptsLeft = Math.max(0, facts.params.worker.max_retries + 1 - slice.attempt);
  return { deadline: timeAfter(begun, limit), worst_end: timeAfter(begun, limit * (1 + attemptsLeft)) };
}
