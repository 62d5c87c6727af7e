import { tried } from './tried.ts';

/** The value of a JSON text; undefined if it is damaged. */
export const readJson = (text: string | null | undefined) => tried((): unknown => JSON.parse(text ?? 'null'));

/** Whether a value is an object but not an array. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value if it is an object; undefined for anything else, including an array. */
export const asObject = (value: unknown) => (isObject(value) ? value : undefined);

/** The object in a JSON text, or an empty object. Its fields are not checked. */
export const objectIn = (text: string | null | undefined) => asObject(readJson(text)) ?? {};

/** The objects in a JSON array; empty if the text is not an array. */
export function objectsIn(text: string | null | undefined): Record<string, unknown>[] {
  const value = readJson(text);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

/** The strings in a JSON array; undefined if the text is not an array. */
export function stringsIn(text: string | null | undefined): string[] | undefined {
  const value = readJson(text);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined;
}
