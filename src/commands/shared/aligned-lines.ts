/** Rows as lines, with the first column left-aligned and the others right-aligned. */
export function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const widthOf = (at: number): number => Math.max(...rows.map((row) => (row[at] ?? '').length));
  const [first, ...others] = (rows[0] ?? []).map((_, at) => widthOf(at));
  return rows.map(([name = '', ...cells]) =>
    [name.padEnd(first ?? 0), ...cells.map((cell, at) => cell.padStart((others[at] ?? 0) + 2))].join(''),
  );
}
