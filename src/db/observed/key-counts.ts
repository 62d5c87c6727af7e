import { fieldsOf } from '../../observed/namespace-filter.ts';
import type { Statement } from '../../observed/reading/fact.ts';
import { type Fields, objectOf } from '../../observed/reading/values.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import { restOf } from '../../observed/told/rest-call.ts';
import { buffered } from '../sqlite/buffered.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** How many messages of a sender, type and state fill each key. */
interface Counts {
  group: readonly [execution: string, sender: string, type: string, state: string];
  filled: Map<string, number>;
}

const counts = buffered(write);

/**
 * Counts which keys a message fills. Written once per transaction: a hundred messages count in the same few
 * rows.
 */
export function countKeys(tx: Transaction, id: string, { sender, message_type }: Statement, line: MessageLine) {
  // A REST write has the keys of its resource.
  if (sender === undefined || restOf(line.destination) !== undefined) return;
  const body = fieldsOf(line);
  const group = [id, sender, message_type, stateOf(body)] as const;
  counts(tx, group.join('\n'), (known = { group, filled: new Map() }) => {
    for (const key of ['', ...filledKeys(body)]) known.filled.set(key, (known.filled.get(key) ?? 0) + 1);
    return known;
  });
}

function write({ sql }: Transaction, _: string, { group, filled }: Counts) {
  const add = sql(
    `INSERT INTO observed_keys (execution_id, sender, message_type, state, key, filled) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (execution_id, sender, message_type, state, key) DO UPDATE SET filled = filled + excluded.filled`,
  );
  for (const [key, n] of filled) add.run(...group, key, n);
}

/** The content is named by its keys, and copies of another message are not the sender's own keys. */
const notOwn: ReadonlySet<string> = new Set(['content', 'content.result']);

/** Keys that a sender fills only when there is something to report. */
const errorKeys: ReadonlySet<string> = new Set(['error', 'reason']);

/** A message has a few dozen keys; any further ones are ignored. */
const maxKeys = 60;

/** Longer keys are not the testbed's. */
const maxKeyLength = 100;

/** The keys of a message and of its content that carry a value; null or absent keys do not. */
function filledKeys(body: Fields): string[] {
  const keys: string[] = [];
  addFilled(keys, body, '');
  addFilled(keys, objectOf(body['content']), 'content.');
  return keys;
}

function addFilled(keys: string[], fields: Fields, prefix: string) {
  for (const key in fields) {
    const name = prefix + key;
    if (keys.length >= maxKeys) return;
    if (fields[key] !== null && key !== '' && !errorKeys.has(key) && !notOwn.has(name) && key.length <= maxKeyLength)
      keys.push(name);
  }
}

/** The value of `state`, on which the keys of a message may depend. */
function stateOf(body: Fields): string {
  const state = body['state'] ?? objectOf(body['content'])['state'];
  return typeof state === 'string' ? state.slice(0, 50) : '';
}
