import { setImmediate as nextLoop } from 'node:timers/promises';

/**
 * Most concurrent calls, per client and in total. A wait for an execution counts as one for as long as it
 * lasts.
 */
export const callLimits = { ofOneClient: 200, ofAll: 1000 } as const;

/** The calls of one request. */
interface RequestCalls {
  count: number;
  /**
   * The id by which the client may cancel them; undefined for a batch, whose other requests still need their
   * answers.
   */
  id?: unknown;
  cancel?: () => void;
}

/** Counts concurrent calls, admits no more than the limits, and finds those that a client no longer wants. */
export function createCallLimits({ ofOneClient, ofAll }: { ofOneClient: number; ofAll: number } = callLimits) {
  const underWay = new Map<RequestCalls, string>();
  const requestsOf = (client: string) =>
    [...underWay].flatMap(([request, sender]) => (sender === client ? [request] : []));
  const sum = (requests: Iterable<RequestCalls>) => [...requests].reduce((total, { count }) => total + count, 0);
  return {
    /**
     * Admits the calls of a request and returns a function that ends them or, if they are too many, the limit
     * that they would exceed.
     */
    take: (client: string, request: RequestCalls): { end: () => void } | { limit: string } => {
      const own = sum(requestsOf(client)) + request.count;
      const all = sum(underWay.keys()) + request.count;
      if (own > ofOneClient) return { limit: `${own} calls of one client, of at most ${ofOneClient}` };
      if (all > ofAll) return { limit: `${all} calls of all clients, of at most ${ofAll}` };
      underWay.set(request, client);
      return { end: () => void underWay.delete(request) };
    },
    /**
     * The request under way with an id. Two sessions of one client may use the same id: then none is found.
     */
    find: (client: string, id: unknown): RequestCalls | undefined => {
      const [request, other] = requestsOf(client).filter((one) => one.id !== undefined && one.id === id);
      return other === undefined ? request : undefined;
    },
  };
}

/**
 * Places for work, at most one for each client. Clients are served in turn: one that waits for a hundred
 * places delays only itself. The result waits for a place, and resolves with a function that leaves it, or
 * with undefined if the signal is aborted first.
 */
export function createPlaces(most: number) {
  /** Functions that take a place, by client, in the order in which clients are served next. */
  const waiting = new Map<string, Set<() => void>>();
  const served = new Set<string>();
  const serve = () => {
    const next = served.size < most ? [...waiting].find(([client]) => !served.has(client)) : undefined;
    const [begin] = next?.[1] ?? [];
    begin?.();
  };
  return (client: string, signal?: AbortSignal): Promise<(() => void) | undefined> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve(undefined);
      const begins = waiting.get(client) ?? new Set();
      const stopWaiting = () => {
        signal?.removeEventListener('abort', giveUp);
        begins.delete(begin);
        if (begins.size === 0) waiting.delete(client);
      };
      const giveUp = () => {
        stopWaiting();
        resolve(undefined);
      };
      const begin = () => {
        stopWaiting();
        served.add(client);
        resolve(() => {
          served.delete(client);
          const more = waiting.get(client);
          // A client that waits for more goes behind all others.
          waiting.delete(client);
          if (more !== undefined) waiting.set(client, more);
          serve();
        });
      };
      signal?.addEventListener('abort', giveUp);
      waiting.set(client, begins.add(begin));
      serve();
    });
}

/** Waits for the turn of a client. */
export type Turn = (client: string) => Promise<void>;

/**
 * Starts one call in each turn of the event loop, of each client in turn: between two calls of a batch,
 * others are received and served.
 */
export function createTurns(): Turn {
  const takePlace = createPlaces(1);
  return async (client) => {
    const leave = await takePlace(client);
    await nextLoop();
    leave?.();
  };
}
