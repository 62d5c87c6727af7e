import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { BrokerConnection, Outgoing } from '../../src/broker/connection.ts';
import { createConfirmedSender } from '../../src/exchange/confirmed-sender.ts';
import { SwfError } from '../../src/lib/errors.ts';

type Outcome = 'sent' | 'refused' | 'ended';

/** A sender of numbered items, and a broker that answers each try with `answerTo`. */
function sending(items: number[], answerTo: (seq: number, tries: number) => Outcome) {
  const tries: number[] = [];
  const pending = new Set(items);
  const [confirmed, refused, ends, faults]: [number[][], number[], [number, number][], unknown[]] = [[], [], [], []];
  let onUp = (): void => {};
  const broker = {
    isUp: () => true,
    onUp: (callback: () => void) => (onUp = callback),
    send: async ({ body }: Outgoing) => {
      const seq = Number(body);
      tries.push(seq);
      const outcome = answerTo(seq, tries.filter((one) => one === seq).length);
      if (outcome === 'refused') throw new SwfError('BROKER_REFUSED', 'no');
      if (outcome === 'ended') throw new Error('the connection ended');
    },
  } as unknown as BrokerConnection;
  const sender = createConfirmedSender(broker, {
    pending: (after: number) => [...pending].filter((seq) => seq > after).map((seq) => ({ seq })),
    outgoing: ({ seq }) => ({ destination: '/queue/x', headers: {}, body: String(seq) }),
    confirmed: async (done) => {
      confirmed.push(done.map(({ seq }) => seq));
      for (const { seq } of done) pending.delete(seq);
    },
    refused: async ({ seq }) => {
      refused.push(seq);
      pending.delete(seq);
    },
    onEnds: ({ seq }, times) => ends.push([seq, times]),
    onFault: (error) => faults.push(error),
  });
  return { sender, tries, confirmed, refused, ends, faults, pending, up: () => onUp() };
}

describe('a sender that waits for receipts', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => vi.useRealTimers());

  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  };

  it('sends items in order, each once, and forgets those that are confirmed', async () => {
    const { sender, tries, confirmed, pending } = sending([1, 2, 3], () => 'sent');
    sender.pump();
    await settled();
    expect([tries, confirmed.flat(), [...pending]]).toEqual([[1, 2, 3], [1, 2, 3], []]);
    sender.resend();
    await settled();
    expect(tries).toEqual([1, 2, 3]);
  });

  it('retries a refused message after 1 and 5 s, then drops it, without delaying others', async () => {
    const { sender, tries, refused, confirmed } = sending([1, 2, 3], (seq) => (seq === 2 ? 'refused' : 'sent'));
    sender.pump();
    await settled();
    expect(tries).toEqual([1, 2, 3]);
    for (const [wait, made] of [
      [999, 1],
      [1, 2],
      [4999, 2],
      [1, 3],
    ] as const) {
      vi.advanceTimersByTime(wait);
      await settled();
      expect([wait, tries.filter((seq) => seq === 2).length]).toEqual([wait, made]);
    }
    expect(refused).toEqual([2]);
    expect(confirmed.flat().toSorted()).toEqual([1, 3]);
    vi.advanceTimersByTime(600_000);
    await settled();
    expect(tries).toHaveLength(5);
  });

  it('confirms a message that is accepted on the second try', async () => {
    const { sender, refused, confirmed } = sending([1], (_, tries) => (tries === 1 ? 'refused' : 'sent'));
    sender.pump();
    await settled();
    vi.advanceTimersByTime(1000);
    await settled();
    expect([refused, confirmed]).toEqual([[], [[1]]]);
  });

  it('retries a message that ends the connection after longer and longer waits, and reports it once', async () => {
    const { sender, tries, ends, refused, confirmed } = sending([1, 2], (seq) => (seq === 1 ? 'ended' : 'sent'));
    sender.pump();
    await settled();
    // The first end may be due to another message; from the second on it waits.
    expect(tries.filter((seq) => seq === 1)).toHaveLength(2);
    expect(confirmed.flat()).toEqual([2]);
    for (const [seconds, made] of [
      [1, 3],
      [2, 4],
      [4, 5],
      [8, 6],
    ] as const) {
      vi.advanceTimersByTime(seconds * 1000);
      await settled();
      expect([seconds, tries.filter((seq) => seq === 1).length]).toEqual([seconds, made]);
    }
    expect([ends, refused]).toEqual([[[1, 5]], []]);
  });

  it('sends nothing once it is closed', async () => {
    const { sender, tries, up } = sending([1], () => 'sent');
    sender.close();
    sender.pump();
    up();
    await settled();
    expect(tries).toEqual([]);
  });
});
