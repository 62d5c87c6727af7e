import { textOf } from './text-of.ts';

/** A CSV record as in RFC 4180, with its line end. Fields with commas, quotes or line breaks are quoted; missing values are empty. */
export const csvRecord = (values: readonly unknown[]): string => `${values.map(csvField).join(',')}\r\n`;

function csvField(value: unknown): string {
  const text = textOf(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
