/** Calls that may be under way at once: a client's, and those of all. A wait for an execution is one of them as long as it lasts. */
export const callLimits = { ofOneClient: 200, ofAll: 1000 } as const;

/**
 * Counts the calls that are under way. Its result takes so many calls of a client, and gives either how to end them or, where they are
 * too many, the limit that they would pass.
 */
export function createCallLimits({ ofOneClient, ofAll }: { ofOneClient: number; ofAll: number } = callLimits) {
  const underWay = new Map<string, number>();
  let all = 0;
  const add = (client: string, calls: number): void => {
    const now = (underWay.get(client) ?? 0) + calls;
    all += calls;
    if (now === 0) underWay.delete(client);
    else underWay.set(client, now);
  };
  return (client: string, calls: number): { end: () => void } | { limit: string } => {
    const now = (underWay.get(client) ?? 0) + calls;
    if (now > ofOneClient) return { limit: `${now} calls of one client, of at most ${ofOneClient}` };
    if (all + calls > ofAll) return { limit: `${all + calls} calls of all clients, of at most ${ofAll}` };
    add(client, calls);
    return { end: () => add(client, -calls) };
  };
}
