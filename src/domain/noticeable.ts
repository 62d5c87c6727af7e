/** Figures whose ratio is smaller count as equal. */
const noticeableRatio = 1.25;

/** Seconds that differ by less count as equal. */
const noticeableSeconds = 0.05;

/** Whether two figures of two executions differ by more than chance would have it. @param unit of the figures: seconds have a least difference */
export function isNoticeable(a: number, b: number, unit: 'seconds' | 'other'): boolean {
  if (a === b || (unit === 'seconds' && Math.abs(a - b) < noticeableSeconds)) return false;
  const [less, more] = [Math.min(a, b), Math.max(a, b)];
  return less <= 0 || more / less >= noticeableRatio;
}
