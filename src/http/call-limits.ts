/** Most concurrent calls, per client and in total. A wait for an execution counts as one for as long as it lasts. */
export const callLimits = { ofOneClient: 200, ofAll: 1000 } as const;

/**
 * Counts concurrent calls. The result admits a number of calls for a client and returns either how to end them or, if they are too many,
 * the limit they would exceed.
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
