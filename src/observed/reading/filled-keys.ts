import { type Fields, objectOf } from './values.ts';

/** The content is named by its keys, and copies of another message are not the sender's own keys. */
const notOwn: ReadonlySet<string> = new Set(['content', 'content.result']);

/** Keys that a sender fills only if there is something to report. */
const errorKeys: ReadonlySet<string> = new Set(['error', 'reason']);

/** A message has a few dozen keys; any further ones are ignored. */
const maxKeys = 60;

/** Longer keys are not the testbed's. */
const maxKeyLength = 100;

/** The keys of a message and of its content that carry a value; null or absent keys do not. */
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
    if (fields[key] !== null && key !== '' && !errorKeys.has(key) && !notOwn.has(name) && key.length <= maxKeyLength)
      keys.push(name);
  }
}

/** The value of `state`, on which the keys of a message may depend. */
export function stateOf(body: Fields): string {
  const state = body['state'] ?? objectOf(body['content'])['state'];
  return typeof state === 'string' ? state.slice(0, 50) : '';
}
