import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createCallLimits, createPlaces, createTurns } from '../../src/http/calls.ts';

describe('calls under way', () => {
  it('never exceed the limits for one client and for all clients, and free their places when they end', () => {
    const step = fc.oneof(
      fc.record({ client: fc.constantFrom('a', 'b', 'c'), calls: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ end: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { take } = createCallLimits({ ofOneClient: 10, ofAll: 20 });
        const open: { client: string; calls: number; end: () => void }[] = [];
        const held = (client?: string) =>
          open
            .filter((one) => client === undefined || one.client === client)
            .reduce((sum, { calls }) => sum + calls, 0);
        for (const one of steps) {
          if ('end' in one) {
            open.splice(one.end % Math.max(1, open.length), 1)[0]?.end();
            continue;
          }
          const { client, calls } = one;
          const fits = held(client) + calls <= 10 && held() + calls <= 20;
          const taken = take(client, { count: calls });
          expect('end' in taken).toBe(fits);
          if ('end' in taken) open.push({ client, calls, end: taken.end });
        }
      }),
    );
  });
});

describe('the limit for all clients', () => {
  it('reports the number of calls, and admits more when calls end', () => {
    const { take } = createCallLimits({ ofOneClient: 10, ofAll: 12 });
    const first = take('a', { count: 9 });
    expect(take('b', { count: 3 })).toHaveProperty('end');
    expect(take('c', { count: 1 })).toEqual({ limit: '13 calls from all clients, at most 12 allowed' });
    expect(take('a', { count: 2 })).toEqual({ limit: '11 calls from one client, at most 10 allowed' });
    if ('end' in first) first.end();
    expect(take('c', { count: 9 })).toHaveProperty('end');
    expect(take('a', { count: 1 })).toEqual({ limit: '13 calls from all clients, at most 12 allowed' });
  });
});

describe('turns', () => {
  it('are taken one per pass of the event loop, by each client in turn', async () => {
    const turn = createTurns();
    const order: string[] = [];
    let loops = 0;
    const count = (): void => {
      loops += 1;
      if (order.length < 4) setImmediate(count);
    };
    setImmediate(count);
    const wait = async (client: string, name: string): Promise<void> => {
      await turn(client);
      order.push(`${name} after ${loops}`);
    };
    await Promise.all([wait('a', 'a1'), wait('a', 'a2'), wait('b', 'b1'), wait('a', 'a3')]);
    expect(order).toEqual(['a1 after 1', 'b1 after 2', 'a2 after 3', 'a3 after 4']);
    order.length = 0;
    await wait('c', 'c1');
    expect(order).toHaveLength(1);
  });
});

describe('cancelling', () => {
  it("ends the client's request with the given id, or none if two have it", () => {
    const { take, find } = createCallLimits();
    const cancelled: string[] = [];
    const cancel = (client: string, id: number | undefined) => find(client, id)?.cancel?.();
    const add = (client: string, id: number | undefined, name: string) =>
      take(client, { count: 1, id, cancel: () => void cancelled.push(name) });
    const first = add('a', 1, 'first');
    add('a', undefined, 'batch');
    add('b', 1, 'of b');
    cancel('a', 2);
    cancel('a', undefined);
    const second = add('a', 1, 'second');
    cancel('a', 1);
    expect(cancelled).toEqual([]);
    if ('end' in first) first.end();
    cancel('a', 1);
    expect(cancelled).toEqual(['second']);
    if ('end' in second) second.end();
    cancel('a', 1);
    expect(cancelled).toEqual(['second']);
  });
});

describe('places for calls', () => {
  it('are not kept for calls that have stopped waiting', async () => {
    const takePlace = createPlaces(1);
    const leave = await takePlace('a');
    const gone = new AbortController();
    const waiting = takePlace('b', gone.signal);
    const next = takePlace('b');
    gone.abort();
    expect(await waiting).toBeUndefined();
    expect(await takePlace('b', gone.signal)).toBeUndefined();
    leave?.();
    expect(await next).toBeTypeOf('function');
  });

  it("are given to the clients in turn, one at a time, and to each client's calls in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c')),
        fc.integer({ min: 1, max: 3 }),
        async (clients, most) => {
          const takePlace = createPlaces(most);
          const left = new Map<string, number>();
          for (const client of clients) left.set(client, (left.get(client) ?? 0) + 1);
          const round = new Set<string>();
          const served: { client: string; at: number }[] = [];
          const now = new Set<string>();
          await Promise.all(
            clients.map(async (client, at) => {
              const leave = await takePlace(client);
              expect(now).not.toContain(client);
              expect(now.add(client).size).toBeLessThanOrEqual(most);
              // No client is served twice while another waits that has not been served.
              if (round.has(client)) {
                if (most === 1) for (const [other, count] of left) if (count > 0) expect(round).toContain(other);
                round.clear();
              }
              round.add(client);
              left.set(client, (left.get(client) ?? 0) - 1);
              served.push({ client, at });
              await new Promise(setImmediate);
              now.delete(client);
              leave?.();
            }),
          );
          expect(served).toHaveLength(clients.length);
          for (const name of ['a', 'b', 'c']) {
            const order = served.filter(({ client }) => client === name).map(({ at }) => at);
            expect(order).toEqual(order.toSorted((a, b) => a - b));
          }
        },
      ),
    );
  });
});
