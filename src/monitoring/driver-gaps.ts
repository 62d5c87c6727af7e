import type { DriverSpan } from './evidence.ts';

/** A period in which nobody drove an execution. Times are ISO 8601. */
export interface DriverGap {
  from: string;
  to: string;
  /** The user who took it over. */
  by: string;
  /** 0 if the clocks of two hosts make it negative. */
  seconds: number;
}

/** The gaps between the drivers of an execution, the oldest first. @param since counts only the time after this */
export const driverGaps = (drivers: readonly DriverSpan[], since = ''): DriverGap[] =>
  drivers.flatMap(({ since: to, by }, index) => {
    const until = drivers[index - 1]?.until;
    if (until === undefined || to < since) return [];
    const from = until > since ? until : since;
    return [{ from, to, by, seconds: Math.max(0, Date.parse(to) - Date.parse(from)) / 1000 }];
  });

/** Total seconds without a driver. */
export const downSeconds = (gaps: readonly DriverGap[]): number => gaps.reduce((sum, { seconds }) => sum + seconds, 0);
