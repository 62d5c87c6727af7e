import type { DriverSpan } from './evidence.ts';

/**
 * The periods in which nobody drove an execution, the oldest first, each with the user who took it over. Times are ISO 8601.
 * @param since counts only the time after this
 */
export const driverGaps = (drivers: readonly DriverSpan[], since = '') =>
  drivers.flatMap(({ since: to, by }, index) => {
    const until = drivers[index - 1]?.until;
    if (until === undefined || to < since) return [];
    const from = until > since ? until : since;
    // The clocks of two hosts may make it negative.
    return [{ from, to, by, seconds: Math.max(0, Date.parse(to) - Date.parse(from)) / 1000 }];
  });

export const downSeconds = (gaps: ReturnType<typeof driverGaps>): number =>
  gaps.reduce((sum, { seconds }) => sum + seconds, 0);
