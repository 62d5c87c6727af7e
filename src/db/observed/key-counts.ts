import { fieldsOf } from '../../observed/namespace-filter.ts';
import type { Statement } from '../../observed/reading/fact.ts';
import { type Fields, objectOf } from '../../observed/reading/values.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import { restOf } from '../../observed/told/rest-call.ts';
import { buffered } from '../sqlite/buffered.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** For each key, how many messages with the same sender, type and state contain it. */
interface Counts {
  group: readonly [execution: string, sender: string, type: string, state: string];
  filled: Map<string, number>;
}

const counts = buffered(write);

/**
 * Counts the keys in a message. The counts are written once per transaction, since a hundred messages change
 * the same few rows.
 */
export function countKeys(tx: Transaction, id: string, { sender, message_type }: Statement, line: MessageLine) {
  // The keys of a REST write depend on its resource, not on its sender.
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

/**
 * Keys that are not counted: `content`, since its keys are counted instead, and `content.result`, which
 * contains copies of another message.
 */
const notOwn: ReadonlySet<string> = new Set(['content', 'content.result']);

/** Keys that a sender includes only when there is something to report. */
const errorKeys: ReadonlySet<string> = new Set(['error', 'reason']);

/** A message has at most a few dozen keys; any further keys are ignored. */
const maxKeys = 60;

/** Keys longer than this do not come from the testbed. */
const maxKeyLength = 100;

/** The keys that have a non-null value in a message, and in its content. */
function filledKeys(body: Fields) {
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

/** The value of `state`, which may determine the keys of a message. */
function stateOf(body: Fields) {
  const state = body['state'] ?? objectOf(body['content'])['state'];
  return typeof state === 'string' ? state.slice(0, 50) : '';
}
