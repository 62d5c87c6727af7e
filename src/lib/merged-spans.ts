/** Merges spans that overlap or are at most `passing` apart. The spans must be in order. */
export function mergedSpans<T extends { from: number; until: number }>(spans: readonly T[], passing = 0): T[] {
  const found: T[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last === undefined || span.from - last.until > passing) found.push({ ...span });
    else last.until = Math.max(last.until, span.until);
  }
  return found;
}

/** How much of the time between two moments is covered by spans. The spans must not overlap. */
export const timeWithin = (spans: readonly { from: number; until: number }[], from = -Infinity, until = Infinity) =>
  spans.reduce((sum, one) => sum + Math.max(0, Math.min(one.until, until) - Math.max(one.from, from)), 0);
