import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { SliceWorker } from '../../src/agents/slice-worker.ts';
import type { Taking } from '../../src/exchange/execution-views.ts';
import { SliceConsumers } from '../../src/exchange/slice-consumers.ts';
import { destinations, type Exchange, execution_id, namespace, setUp } from '../recorder/setup.ts';

const slice = (id: number): string =>
  JSON.stringify({
    msg_type: 'slice',
    sender: 'fast-1',
    namespace,
    execution_id,
    run_id: '100010',
    slice_id: id,
    slice_filename: `swf.100010.000001_slice_${String(id).padStart(3, '0')}.tf`,
    tf_filename: 'swf.100010.000001_tf_001.tf',
    stf_filename: 'swf.100010.000001.stf',
    start: id,
    end: id,
    tf_count: 1,
    attempt: 1,
  });

type Handle = SliceWorker['handle'];

function consume({ ours, connect }: Exchange, slots: number, handle: Handle) {
  const draining = new AbortController();
  const rejected: string[] = [];
  const reject = ({ body }: { body: string }): Promise<void> => Promise.resolve(void rejected.push(body));
  const paused: string[] = [];
  let taking: Taking = 'all';
  const consumers = new SliceConsumers({
    broker: ours,
    connectApart: connect,
    namespace,
    destination: destinations.slices,
    slots,
    worker: { handle },
    reject,
    unwanted: (slot) => ({ execution_id: slot > 1 && taking === 'one' ? [execution_id] : paused }),
    taking: () => taking,
    onChange: () => {},
    draining: draining.signal,
  });
  const done = consumers.run();
  const pause = (...executions: string[]): void => {
    paused.splice(0, paused.length, ...executions);
    consumers.refresh();
  };
  const take = (now: Taking): void => {
    taking = now;
    consumers.refresh();
  };
  return { consumers, done, rejected, pause, take, drain: () => draining.abort() };
}

const send = async ({ theirs }: Exchange, ...bodies: string[]): Promise<void> => {
  for (const body of bodies)
    await theirs.send({
      destination: destinations.slices,
      headers: { namespace, execution_id, store_id: 'store', persistent: 'true' },
      body,
    });
};

describe('consumers of slices', () => {
  it('give each slot one slice at a time, and leave the others on the queue', async () => {
    const made = await setUp();
    const inHand: { slot: number; id: number; finish: () => void }[] = [];
    let wake = (): void => {};
    const { drain, done } = consume(
      made,
      2,
      ({ slice: { slice_id: id }, acknowledge }, slot) =>
        new Promise((resolve) => {
          inHand.push({ slot, id, finish: () => (acknowledge(), resolve()) });
          wake();
        }),
    );
    const has = (count: number): Promise<void> =>
      new Promise((resolve) => {
        wake = () => (inHand.length >= count ? resolve() : undefined);
        wake();
      });
    await send(made, slice(0), slice(1), slice(2));
    await has(2);
    expect(made.broker.waiting(destinations.slices)).toBe(1);
    expect(inHand.map(({ slot }) => slot).toSorted()).toEqual([1, 2]);
    inHand[0]?.finish();
    await has(3);
    expect(inHand.map(({ id }) => id)).toEqual([0, 1, 2]);
    for (const { finish } of inHand) finish();
    drain();
    await done;
  });

  it('reject messages that are not slices', async () => {
    const made = await setUp();
    const { drain, done, rejected } = consume(made, 1, ({ acknowledge }) => Promise.resolve(acknowledge()));
    const ofNobody = slice(1).replace(`"execution_id":"${execution_id}",`, '');
    await send(made, 'no slice', ofNobody, slice(0));
    drain();
    await done;
    expect(rejected).toEqual(['no slice', ofNobody]);
  });

  it('take no more slices once they drain, and end when those in hand have ended', async () => {
    const made = await setUp();
    const handled: number[] = [];
    const { drain, done } = consume(made, 1, async ({ slice: { slice_id }, acknowledge }) => {
      drain();
      await new Promise(setImmediate);
      handled.push(slice_id);
      acknowledge();
    });
    await send(made, slice(0), slice(1));
    await done;
    expect(handled).toEqual([0]);
    expect(made.broker.waiting(destinations.slices)).toBe(1);
  });

  it('end with the error of a worker that cannot continue', async () => {
    const made = await setUp();
    const { done } = consume(made, 1, () => Promise.reject(new Error('the disk is gone')));
    await send(made, slice(0));
    await expect(done).rejects.toThrow('the disk is gone');
  });

  it('leave the slices of a paused execution on the queue, and take them when it continues', async () => {
    const made = await setUp();
    const handled: number[] = [];
    const { drain, done, pause, consumers } = consume(made, 1, ({ slice: { slice_id }, acknowledge }) => {
      handled.push(slice_id);
      return Promise.resolve(acknowledge());
    });
    pause(execution_id);
    await send(made, slice(0));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([handled, made.broker.waiting(destinations.slices)]).toEqual([[], 1]);
    pause();
    await expect.poll(() => handled).toEqual([0]);
    expect(consumers.freeSlots).toBe(1);
    drain();
    await done;
  });

  it('take one slice at a time during a trial, and as many as they have slots afterwards', async () => {
    const made = await setUp();
    const inHand: { slot: number; finish: () => void }[] = [];
    let isOver = false;
    const { consumers, take, drain, done } = consume(
      made,
      3,
      ({ acknowledge }, slot) =>
        new Promise((resolve) => {
          inHand.push({ slot, finish: () => (acknowledge(), resolve()) });
          // A subscription that was just replaced may deliver a slice twice.
          if (isOver) inHand.at(-1)?.finish();
        }),
    );
    take('one');
    await send(made, slice(0), slice(1), slice(2), slice(3));
    await expect.poll(() => inHand.map(({ slot }) => slot)).toEqual([1]);
    expect([consumers.isFree(1), consumers.isFree(2)]).toEqual([false, true]);
    inHand[0]?.finish();
    await expect.poll(() => inHand.map(({ slot }) => slot)).toEqual([1, 1]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(made.broker.waiting(destinations.slices)).toBe(2);
    take('all');
    await expect.poll(() => inHand.map(({ slot }) => slot).toSorted()).toEqual([1, 1, 2, 3]);
    isOver = true;
    for (const { finish } of inHand) finish();
    drain();
    await done;
  });

  it('return a slice to the queue, and it is delivered again', async () => {
    const made = await setUp();
    let times = 0;
    const { drain, done } = consume(made, 1, async ({ acknowledge, giveBack }) => {
      times += 1;
      if (times === 1) await giveBack();
      else acknowledge();
    });
    await send(made, slice(0));
    await expect.poll(() => times).toBe(2);
    expect(made.broker.waiting(destinations.slices)).toBe(0);
    drain();
    await done;
  });

  describe('on a broker without selectors', () => {
    /** Slices with an even number cannot be done here, and other workers can do them. */
    const half = async (slots: number) => {
      const made = await setUp('rabbitmq');
      const handled: number[] = [];
      const consumed = consume(made, slots, ({ slice: { slice_id }, acknowledge }) => {
        handled.push(slice_id);
        if (slice_id % 2 === 0) consumed.consumers.noteUnfit(true);
        else consumed.consumers.noteFit();
        return Promise.resolve(acknowledge());
      });
      return { made, handled, ...consumed };
    };

    it('leave the queue if every slot gets an unfit slice, and then try one slice every half minute', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      onTestFinished(() => void vi.useRealTimers());
      const { made, handled, consumers, drain, done } = await half(2);
      const turns = async (): Promise<void> => {
        for (let n = 0; n < 50; n += 1) await new Promise(setImmediate);
      };
      await send(made, slice(0), slice(2), slice(4), slice(6), slice(1), slice(3));
      await turns();
      expect(handled).toEqual([0, 2]);
      expect(consumers.freeSlots).toBe(0);
      // One slot tries one slice.
      await vi.advanceTimersByTimeAsync(30_000);
      await turns();
      expect(handled).toEqual([0, 2, 4]);
      await vi.advanceTimersByTimeAsync(30_000);
      await turns();
      expect(handled).toEqual([0, 2, 4, 6]);
      // A slice that can be done brings back all slots.
      await vi.advanceTimersByTimeAsync(30_000);
      await turns();
      expect(handled).toEqual([0, 2, 4, 6, 1, 3]);
      expect(consumers.freeSlots).toBe(2);
      expect(made.broker.waiting(`${destinations.slices}.${namespace}`)).toBe(0);
      drain();
      await done;
    });

    it('try one slot only after the slices in hand have ended, however long these take', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      onTestFinished(() => void vi.useRealTimers());
      const made = await setUp('rabbitmq');
      const inHand = new Map<number, { slot: number; finish: () => void }>();
      const { consumers, drain, done } = consume(
        made,
        3,
        ({ slice: { slice_id }, acknowledge }, slot) =>
          new Promise((resolve) => inHand.set(slice_id, { slot, finish: () => (acknowledge(), resolve()) })),
      );
      const turns = async (): Promise<void> => {
        for (let n = 0; n < 50; n += 1) await new Promise(setImmediate);
      };
      await send(made, slice(1));
      await turns();
      for (let n = 0; n < 3; n += 1) consumers.noteUnfit(true);
      await send(made, slice(2), slice(3), slice(4));
      await vi.advanceTimersByTimeAsync(31_000);
      await turns();
      expect([...inHand.keys()]).toEqual([1]);
      inHand.get(1)?.finish();
      await turns();
      expect([...inHand.values()].map(({ slot }) => slot).slice(1)).toEqual([1]);
      drain();
      for (const { finish } of inHand.values()) finish();
      await vi.advanceTimersByTimeAsync(60_000);
      await done;
    }, 10_000);

    it('leave the queue while they rest, and return with one slot for the trial', async () => {
      const { made, handled, consumers, take, drain, done } = await half(2);
      take('none');
      take('none');
      await send(made, slice(1), slice(3), slice(5));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect([handled, consumers.freeSlots]).toEqual([[], 0]);
      take('one');
      expect(consumers.freeSlots).toBe(1);
      await expect.poll(() => handled).toEqual([1, 3, 5]);
      expect(consumers.freeSlots).toBe(1);
      take('all');
      expect(consumers.freeSlots).toBe(2);
      drain();
      await done;
    });

    it.each([
      ['no slot is busy', 0],
      ['some slots are busy', 2],
    ])('go down to one slot for a trial, and strand no slice, if %s', async (_, before) => {
      const made = await setUp('rabbitmq');
      const queue = `${destinations.slices}.${namespace}`;
      const inHand = new Map<number, { slot: number; finish: () => void }>();
      const { consumers, take, drain, done } = consume(
        made,
        3,
        ({ slice: { slice_id }, acknowledge }, slot) =>
          new Promise((resolve) => inHand.set(slice_id, { slot, finish: () => (acknowledge(), resolve()) })),
      );
      const ids = [1, 2, 3, 4];
      await send(made, ...ids.slice(0, before).map(slice));
      await expect.poll(() => inHand.size).toBe(before);
      take('one');
      await send(made, ...ids.slice(before).map(slice));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect([inHand.size, consumers.freeSlots]).toEqual(before === 0 ? [1, 0] : [before, 0]);
      for (const { finish } of inHand.values()) if (before > 0) finish();
      for (let n = before; n < ids.length; n += 1) {
        await expect.poll(() => inHand.size).toBe(n + 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        const last = [...inHand.values()].at(-1);
        expect([last?.slot, made.broker.waiting(queue)]).toEqual([1, ids.length - n - 1]);
        last?.finish();
      }
      await expect.poll(() => consumers.freeSlots).toBe(1);
      drain();
      await done;
    });

    it('stay on the queue if they can do some of its slices', async () => {
      const { made, handled, consumers, drain, done } = await half(2);
      await send(made, ...[0, 1, 2, 3, 4, 5].map(slice));
      await expect.poll(() => handled.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
      expect(consumers.freeSlots).toBe(2);
      drain();
      await done;
    });
  });
});
