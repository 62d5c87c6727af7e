import { setImmediate as nextLoop } from 'node:timers/promises';

/**
 * Maximum number of concurrent calls, per client and in total. A call that waits for an execution counts
 * for as long as it waits.
 */
export const callLimits = { ofOneClient: 200, ofAll: 1000 } as const;

/** The calls of one request. */
interface RequestCalls {
  count: number;
  /**
   * The request id by which the client may cancel the calls; undefined for a batch, since its other requests
   * still need answers.
   */
  id?: unknown;
  cancel?: () => void;
}

/**
 * Counts concurrent calls, admits no more than the limits allow, and finds the calls that a client no longer
 * wants.
 */
export function createCallLimits({ ofOneClient, ofAll }: { ofOneClient: number; ofAll: number } = callLimits) {
  const underWay = new Map<RequestCalls, string>();
  const requestsOf = (client: string) =>
    [...underWay].flatMap(([request, sender]) => (sender === client ? [request] : []));
  const sum = (requests: Iterable<RequestCalls>) => [...requests].reduce((total, { count }) => total + count, 0);
  return {
    /**
     * Admits the calls of a request and returns a function that ends them. If there are too many calls, returns
     * the limit that they would exceed instead.
     */
    take: (client: string, request: RequestCalls): { end: () => void } | { limit: string } => {
      const own = sum(requestsOf(client)) + request.count;
      const all = sum(underWay.keys()) + request.count;
      if (own > ofOneClient) return { limit: `${own} calls from one client, at most ${ofOneClient} allowed` };
      if (all > ofAll) return { limit: `${all} calls from all clients, at most ${ofAll} allowed` };
      underWay.set(request, client);
      return { end: () => void underWay.delete(request) };
    },
    /** The request in progress with a given id; undefined if two sessions of one client use the same id. */
    find: (client: string, id: unknown): RequestCalls | undefined => {
      const [request, other] = requestsOf(client).filter((one) => one.id !== undefined && one.id === id);
      return other === undefined ? request : undefined;
    },
  };
}

/**
 * Places for work, at most one for each client. Clients are served in turn: one that waits for a hundred places
 * delays only itself. Returns a function that waits for a place; its promise resolves with a function that
 * leaves the place, or with undefined if the signal is aborted first.
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
          // If the client waits for more places, it goes to the end of the line.
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

/** Waits for a client's turn. */
export type Turn = (client: string) => Promise<void>;

/**
 * Starts one call per turn of the event loop, taking clients in turn, so that other clients are served between
 * two calls of a batch.
 */
export function createTurns(): Turn {
  const takePlace = createPlaces(1);
  return async (client) => {
    const leave = await takePlace(client);
    await nextLoop();
    leave?.();
  };
}
