import { tried } from './tried.ts';

/** The value of a JSON text; undefined if it is damaged. */
export const readJson = (text: string | null | undefined) => tried((): unknown => JSON.parse(text ?? 'null'));

/** A value that is an object; undefined for any other, arrays included. */
export const asObject = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

/** The object in a JSON text, or an empty object. Its fields are not checked. */
export const objectIn = (text: string | null | undefined) => asObject(readJson(text)) ?? {};

/** The objects of the array in a JSON text; empty if it holds no array. */
export function objectsIn(text: string | null | undefined): Record<string, unknown>[] {
  const value = readJson(text);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

/** The strings of the array in a JSON text; undefined if it holds no array. */
export function stringsIn(text: string | null | undefined): string[] | undefined {
  const value = readJson(text);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined;
}
