import { afterEach, describe, expect, it, vi } from 'vitest';

import type { Delivery } from '../../src/broker/connection.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import type { Store } from '../../src/db/opening/store.ts';
import { forgetRequestInHand, noteRequestInHand } from '../../src/db/presence/recorders.ts';
import { identifyRequest, type RequestIdentity } from '../../src/runtime/control-queue.ts';
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

describe('a request without a command_id, from a broker without message ids,', () => {
  afterEach(() => void vi.useRealTimers());

  const at = async () => {
    const store = await openStore(`${temporaryFolder()}/swf.db`);
    return {
      store,
      identify: (body: string, redelivered: boolean) =>
        identifyRequest(store.sql, namespace, delivery(body, redelivered)),
    };
  };

  it('is a new one each time the broker delivers it for the first time', async () => {
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

  it('is the same one if it is delivered again, whatever was taken in between', async () => {
    const { store, identify } = await at();
    const [first, second] = [identify('{"a":1}', false), identify('{"b":2}', false)];
    for (const one of [first, second]) await take(store, one);
    expect(identify('{"a":1}', true)).toEqual({ id: first.id, isTaken: true, isGuess: true });
    expect(identify('{"b":2}', true)).toEqual({ id: second.id, isTaken: true, isGuess: true });
    expect(identify('{"c":3}', true)).toMatchObject({ isTaken: false, isGuess: false });
    store.close();
  });

  it('is a new one if the previous one was confirmed, or ten minutes have passed', async () => {
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
