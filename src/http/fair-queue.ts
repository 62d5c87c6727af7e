/** Things that wait, of several clients, which are served in turn: one who asks for a hundred waits himself, and nobody behind him. */
export interface FairQueue<T> {
  put(client: string, thing: T): void;
  /** The next thing of a client that may be served; undefined where none waits. */
  take(mayBeServed?: (client: string) => boolean): { client: string; thing: T } | undefined;
  remove(client: string, thing: T): void;
}

export function createFairQueue<T>(): FairQueue<T> {
  /** In the order in which clients are served next. */
  const waiting = new Map<string, Set<T>>();
  const without = (client: string, thing: T): void => {
    const things = waiting.get(client);
    things?.delete(thing);
    if (things?.size === 0) waiting.delete(client);
  };
  return {
    put(client, thing) {
      const things = waiting.get(client);
      if (things === undefined) waiting.set(client, new Set([thing]));
      else things.add(thing);
    },
    take(mayBeServed = () => true) {
      for (const [client, things] of waiting) {
        if (!mayBeServed(client)) continue;
        const [thing] = things;
        things.delete(thing as T);
        // Behind all others, if it has more.
        waiting.delete(client);
        if (things.size > 0) waiting.set(client, things);
        return { client, thing: thing as T };
      }
      return undefined;
    },
    remove: without,
  };
}
