/** Slices as they come to workers. Times are seconds. */
export interface Arrivals {
  /** When slices arrive, in order; `counts` says how many at each time. */
  ticks: number[];
  counts: number[];
  /** Periods in which workers take no slices, in order. */
  standbys: { from: number; to: number }[];
}

/**
 * Gives each slice to the worker that is free first; none starts in standby.
 * @param freeAt when each worker becomes free, in order; is changed
 * @returns when the last slice is done (0 without slices), the fraction of all workers' time spent working from the first slice to the last result, and
 * the longest wait of a slice for a worker
 */
export function playWork({ ticks, counts, standbys }: Arrivals, freeAt: Float64Array, service: number) {
  const workers = freeAt.length;
  // Slices take equally long, so workers become free in the order in which they began.
  let [next, standby, slices, last, longestWait] = [0, 0, 0, 0, 0];
  for (const [at, tick] of ticks.entries())
    for (let n = counts[at] ?? 0; n > 0; n -= 1) {
      let start = Math.max(tick, freeAt[next] ?? 0);
      while ((standbys[standby]?.to ?? Infinity) <= start) standby += 1;
      const pause = standbys[standby];
      if (pause !== undefined && start >= pause.from) start = pause.to;
      longestWait = Math.max(longestWait, start - tick);
      freeAt[next] = start + service;
      last = Math.max(last, start + service);
      next = (next + 1) % workers;
      slices += 1;
    }
  const first = ticks[0] ?? 0;
  return { last, use: last > first ? (slices * service) / (workers * (last - first)) : 0, longestWait };
}
