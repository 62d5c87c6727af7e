import { type Fields, objectOf } from './values.ts';

/** Copies of another message are not the sender's own keys. */
const echoes: ReadonlySet<string> = new Set(['content.result']);

/** Keys that a sender fills where there is something to tell. */
const told: ReadonlySet<string> = new Set(['error', 'reason']);

/** A message has a few dozen keys; one with more is not measured by all of them. */
const maxKeys = 60;

/** A longer key is none of theirs. */
const maxKeyLength = 100;

/** The keys of a message, of its content too, that say something; those that are null or absent say nothing. */
export function filledKeys(body: Fields): string[] {
  const keys: string[] = [];
  addFilled(keys, body, '');
  addFilled(keys, objectOf(body['content']), 'content.');
  return keys;
}

function addFilled(keys: string[], fields: Fields, prefix: string): void {
  for (const key in fields) {
    const name = prefix + key;
    if (keys.length >= maxKeys) return;
    if (
      fields[key] !== null &&
      key !== '' &&
      !told.has(key) &&
      name !== 'content' &&
      !echoes.has(name) &&
      key.length <= maxKeyLength
    )
      keys.push(name);
  }
}

/** On which value of `state` the keys of a message may hang. */
export function stateOf(body: Fields): string {
  const state = body['state'] ?? objectOf(body['content'])['state'];
  return typeof state === 'string' ? state.slice(0, 50) : '';
}
