/** Spans in order, with those merged that overlap or are at most `passing` apart. */
export function mergedSpans<T extends { from: number; until: number }>(spans: readonly T[], passing = 0): T[] {
  const found: T[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last === undefined || span.from - last.until > passing) found.push({ ...span });
    else last.until = Math.max(last.until, span.until);
  }
  return found;
}
