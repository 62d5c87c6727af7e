import { type Fields, objectOf } from './values.ts';

/** What a message gives back of another one is not its own. */
const echoes: ReadonlySet<string> = new Set(['content.result']);

/** A message has a few dozen keys; one with more is not measured by all of them. */
const maxKeys = 60;

/** The keys of a message, of its content too, that say something; those that are null or absent say nothing. */
export function filledKeys(body: Fields): string[] {
  const own = Object.entries(body).flatMap(([key, value]) => (key === 'content' ? [] : filled(key, value)));
  const inner = Object.entries(objectOf(body['content'])).flatMap(([key, value]) => filled(`content.${key}`, value));
  return [...own, ...inner].slice(0, maxKeys);
}

const filled = (key: string, value: unknown): string[] =>
  value === null || value === undefined || echoes.has(key) || key.length > 100 ? [] : [key];

/** On which value of `state` the keys of a message may hang. */
export function stateOf(body: Fields): string {
  const state = body['state'] ?? objectOf(body['content'])['state'];
  return typeof state === 'string' ? state.slice(0, 50) : '';
}
