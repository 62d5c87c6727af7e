import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createCallLimits } from '../../src/http/call-limits.ts';
import { createFairQueue } from '../../src/http/fair-queue.ts';
import { createTurns } from '../../src/http/turns.ts';

describe('calls under way', () => {
  it('never exceed the limits of one client and of all, and free their places at their end', () => {
    const step = fc.oneof(
      fc.record({ client: fc.constantFrom('a', 'b', 'c'), calls: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ end: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const take = createCallLimits({ ofOneClient: 10, ofAll: 20 });
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
          const taken = take(client, calls);
          expect('end' in taken).toBe(fits);
          if ('end' in taken) open.push({ client, calls, end: taken.end });
        }
      }),
    );
  });
});

describe('the limit of all clients', () => {
  it('reports the number of calls, and admits more when calls end', () => {
    const take = createCallLimits({ ofOneClient: 10, ofAll: 12 });
    const first = take('a', 9);
    expect(take('b', 3)).toHaveProperty('end');
    expect(take('c', 1)).toEqual({ limit: '13 calls of all clients, of at most 12' });
    expect(take('a', 2)).toEqual({ limit: '11 calls of one client, of at most 10' });
    if ('end' in first) first.end();
    expect(take('c', 9)).toHaveProperty('end');
    expect(take('a', 1)).toEqual({ limit: '13 calls of all clients, of at most 12' });
  });
});

describe('turns', () => {
  it('are given one per turn of the event loop, to each client in turn', async () => {
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

describe('the queue of several clients', () => {
  it('forgets removed things, and a client without any', () => {
    const queue = createFairQueue<string>();
    for (const thing of ['x', 'y']) queue.put('a', thing);
    queue.put('b', 'z');
    queue.remove('a', 'x');
    queue.remove('none', 'x');
    expect(queue.take()).toEqual({ client: 'a', thing: 'y' });
    queue.put('a', 'x');
    queue.remove('a', 'x');
    expect([queue.take((client) => client === 'a'), queue.take(), queue.take()]).toEqual([
      undefined,
      { client: 'b', thing: 'z' },
      undefined,
    ]);
  });

  it('loses nothing, keeps the order of each client, and serves the clients in turn', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c')), (clients) => {
        const queue = createFairQueue<{ client: string; at: number }>();
        for (const [at, client] of clients.entries()) queue.put(client, { client, at });
        const left = new Map<string, number>();
        for (const client of clients) left.set(client, (left.get(client) ?? 0) + 1);
        const round = new Set<string>();
        const served: { client: string; at: number }[] = [];
        for (let next = queue.take(); next !== undefined; next = queue.take()) {
          const { client, thing } = next;
          // No client is served twice while another waits that has not been served.
          if (round.has(client)) {
            for (const [other, count] of left) if (count > 0) expect(round.has(other)).toBe(true);
            round.clear();
          }
          round.add(client);
          left.set(client, (left.get(client) ?? 0) - 1);
          expect(thing.client).toBe(client);
          served.push(thing);
        }
        expect(served).toHaveLength(clients.length);
        for (const name of ['a', 'b', 'c']) {
          const order = served.filter(({ client }) => client === name).map(({ at }) => at);
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
      }),
    );
  });
});
