import { describedKeys } from '../../src/config/schema.ts';

/** The table of every configuration key as Markdown, generated from the schema. */
export function keysTable(): string {
  const rows = describedKeys().map(({ key, about, fallback }) => [
    `\`${key}\``,
    fallback === undefined ? '' : `\`${fallback}\``,
    about.replaceAll('|', String.raw`\|`),
  ]);
  return table(['key', 'default', 'meaning'], rows);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => (row[at] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
