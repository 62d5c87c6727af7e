/**
 * Caches a function's value for each object, for as long as that object exists, so that the value is computed
 * once.
 */
export function onceFor<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, { value: Value }>();
  return (key) => {
    let known = made.get(key);
    if (known === undefined) {
      known = { value: make(key) };
      made.set(key, known);
    }
    return known.value;
  };
}

/** Stores an entry as the newest, and forgets the oldest if there are more than `most`. */
export function setNewest<Key, Value>(kept: Map<Key, Value>, key: Key, value: Value, most: number) {
  kept.delete(key);
  kept.set(key, value);
  const [oldest] = kept.keys();
  if (kept.size > most && oldest !== undefined) kept.delete(oldest);
}
