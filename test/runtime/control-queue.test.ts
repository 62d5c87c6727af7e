import { afterEach, describe, expect, it, vi } from 'vitest';

import type { Delivery, Subscription } from '../../src/broker/connection.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import type { Store } from '../../src/db/opening/store.ts';
import { forgetRequestInHand, noteRequestInHand } from '../../src/db/presence/recorders.ts';
import { identifyRequest, recordControl, type RequestIdentity, takeRequest } from '../../src/runtime/control-queue.ts';
import type { Host } from '../../src/runtime/host.ts';
import { temporaryFolder } from '../helpers.ts';

const namespace = 'n';

/** A delivery of a broker without message ids, or with one if it is given. */
const delivery = (body: string, redelivered: boolean, id?: string): Delivery => ({
  headers: { redelivered: String(redelivered) },
  id,
  body,
  bytes: Buffer.from(body),
  size: body.length,
  isWhole: true,
  lost: new AbortController().signal,
  acknowledge: () => {},
  giveBack: () => {},
});

/** Takes a request as a recorder does: one transaction records it and notes that it is in hand. */
async function take(store: Store, { id }: RequestIdentity): Promise<void> {
  await store.write((tx) => {
    store.messages.record(tx, {
      msg_type: 'run_workflow',
      command_id: id,
      sender: 'tester',
      namespace,
      workflow_name: 'w',
      params: {},
      executed_by: 'tester',
      plan_version: 1,
      speed: 1,
      timestamp: new Date().toISOString(),
    });
    noteRequestInHand(tx, namespace, id);
  });
}

/** A process that records a namespace, and what it does with a message of the control queue. */
async function host() {
  const store = await openStore(`${temporaryFolder()}/swf.db`);
  const done: unknown[] = [];
  let subscription: Subscription | undefined;
  const made = {
    store,
    namespace,
    lifetime: { fail: (error: unknown) => done.push(error) },
    recorder: {
      storeId: 'ours',
      destinations: { control: 'control' },
      broker: { subscribe: (given: Subscription) => void (subscription = given), unsubscribe: () => {} },
      notifier: { announce: () => done.push('announced') },
      record: (_: string, __: Delivery, refusal?: string) => Promise.resolve(done.push(refusal ?? 'recorded')),
    },
  } as unknown as Host;
  const given = (body: string, more: Partial<Delivery> = {}): Delivery => ({
    ...delivery(body, true),
    acknowledge: (onConfirmed) => {
      done.push('acknowledged');
      onConfirmed?.();
    },
    giveBack: () => done.push('given back'),
    ...more,
  });
  const receive = (one: Delivery) => subscription?.onMessage(one);
  return { store, made, done, given, receive };
}

describe('a request on the control queue', () => {
  it.each([
    ['that is new is handled', undefined, 'ID:1', ['taken ID:1']],
    ['that was accepted before, as its id shows, is only acknowledged', 'ID:1', 'ID:1', []],
    [
      'that may have been accepted before, as its content suggests, is refused',
      '',
      undefined,
      ['it repeats run_workflow/'],
    ],
  ])('%s', async (_, taken, id, expected) => {
    const { store, made, done, given } = await host();
    const one = given('{"a":1}', { id });
    if (taken !== undefined)
      await take(store, identifyRequest(store.sql, namespace, { ...one, headers: { redelivered: 'false' } }));
    const writes: Promise<void>[] = [];
    await takeRequest(made, one, {
      takeNew: (_delivery, name) => Promise.resolve(done.push(`taken ${name}`)),
      refuse: (_delivery, refusal) => Promise.resolve(void done.push(refusal.slice(0, 24))),
      follow: (write) => writes.push(write),
    });
    expect(done).toEqual([...expected, 'acknowledged', 'announced']);
    await Promise.all(writes);
    // Once it is confirmed, the same content is a new request; with an id there is nothing to forget.
    expect(writes).toHaveLength(id === undefined ? 1 : 0);
    expect(identifyRequest(store.sql, namespace, given('{"a":1}')).isTaken).toBe(false);
    store.close();
  });

  it.each([
    ['run_workflow', /^this namespace is recorded by a run, which accepts no requests; /],
    ['stop_workflow', /^recorded$/],
  ])('is recorded by a run, or refused if it asks for another run: %s', async (msg_type, outcome) => {
    const { store, made, done, given, receive } = await host();
    recordControl(made);
    receive(given(JSON.stringify({ msg_type })));
    await vi.waitFor(() => expect(done).toHaveLength(3));
    expect(done).toEqual([expect.stringMatching(outcome), 'acknowledged', 'announced']);
    store.close();
  });

  it('for another store is returned to the broker', async () => {
    const { store, made, done, given, receive } = await host();
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    recordControl(made);
    receive(given('{}', { headers: { store_id: 'another' } }));
    vi.runAllTimers();
    vi.useRealTimers();
    expect(done).toEqual(['given back']);
    store.close();
  });
});

describe('a request without a command_id', () => {
  afterEach(() => void vi.useRealTimers());

  const at = async () => {
    const store = await openStore(`${temporaryFolder()}/swf.db`);
    return {
      store,
      identify: (body: string, redelivered: boolean) =>
        identifyRequest(store.sql, namespace, delivery(body, redelivered)),
    };
  };

  it('or message id is new at each delivery that is not a redelivery', async () => {
    const { store, identify } = await at();
    const first = identify('{"a":1}', false);
    await take(store, first);
    const second = identify('{"a":1}', false);
    expect(second).toMatchObject({ isTaken: false, isGuess: false });
    expect(second.id).not.toBe(first.id);
    await take(store, second);
    expect(identify('{"a":1}', true)).toEqual({ id: second.id, isTaken: true, isGuess: true });
    store.close();
  });

  it('or message id is the same request when redelivered, even after other requests', async () => {
    const { store, identify } = await at();
    const [first, second] = [identify('{"a":1}', false), identify('{"b":2}', false)];
    for (const one of [first, second]) await take(store, one);
    expect(identify('{"a":1}', true)).toEqual({ id: first.id, isTaken: true, isGuess: true });
    expect(identify('{"b":2}', true)).toEqual({ id: second.id, isTaken: true, isGuess: true });
    expect(identify('{"c":3}', true)).toMatchObject({ isTaken: false, isGuess: false });
    store.close();
  });

  it('or message id is new if the previous one was confirmed or is ten minutes old', async () => {
    const { store, identify } = await at();
    const confirmed = identify('{"a":1}', false);
    await take(store, confirmed);
    await store.write((tx) => forgetRequestInHand(tx, namespace, confirmed.id));
    expect(identify('{"a":1}', true)).toMatchObject({ isTaken: false });

    const old = identify('{"a":1}', false);
    await take(store, old);
    vi.useFakeTimers({ now: Date.now() + 601_000, toFake: ['Date'] });
    await take(store, identify('{"b":2}', false));
    expect(identify('{"a":1}', true)).toMatchObject({ isTaken: false });
    store.close();
  });

  it('has the id of the broker’s message if there is one', async () => {
    const { store } = await at();
    const named = (): RequestIdentity => identifyRequest(store.sql, namespace, delivery('{}', false, 'ID:1'));
    expect(named()).toEqual({ id: 'ID:1', isTaken: false, isGuess: false });
    await take(store, named());
    expect(named()).toEqual({ id: 'ID:1', isTaken: true, isGuess: false });
    store.close();
  });
});
