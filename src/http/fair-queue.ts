/** A queue that serves its clients in turn: a client that queues a hundred things delays only itself. */
export function createFairQueue<T>() {
  /** In the order in which clients are served next. */
  const waiting = new Map<string, Set<T>>();
  return {
    put(client: string, thing: T): void {
      const things = waiting.get(client);
      if (things === undefined) waiting.set(client, new Set([thing]));
      else things.add(thing);
    },
    /** Takes the next thing of a client that may be served; undefined if none waits. */
    take(mayBeServed: (client: string) => boolean = () => true): { client: string; thing: T } | undefined {
      for (const [client, things] of waiting) {
        if (!mayBeServed(client)) continue;
        const [thing] = things;
        things.delete(thing as T);
        // A client with more things goes behind all others.
        waiting.delete(client);
        if (things.size > 0) waiting.set(client, things);
        return { client, thing: thing as T };
      }
      return undefined;
    },
    remove(client: string, thing: T): void {
      const things = waiting.get(client);
      things?.delete(thing);
      if (things?.size === 0) waiting.delete(client);
    },
  };
}
