import { expect, it } from 'vitest';

import { takeLeftovers } from '../../src/recorder/outbox.ts';
import { pass, stopTime } from '../still-time.ts';
import { destinations, type Exchange, execution_id, namespace, setUp } from './setup.ts';

const slices = destinations.slices;

const send = ({ theirs }: Exchange, headers: Record<string, string> = {}): Promise<void> =>
  theirs.send({
    destination: slices,
    headers: { namespace, store_id: 'S', execution_id, ...headers },
    body: '{}',
  });

/** Removes the slices that are left of the execution. Returns whether that has ended. */
function take({ ours: broker }: Exchange) {
  let isOver = false;
  const options = { broker, namespace, storeId: 'S', destinations };
  void takeLeftovers(execution_id, options).then(() => (isOver = true));
  return () => isOver;
}

it('the slices of an ended execution are removed from the queue, and other slices stay', async () => {
  stopTime();
  const made = await setUp();
  await send(made);
  await send(made, { store_id: 'another' });
  await send(made, { execution_id: 'x-tester-0002' });
  await send(made, { namespace: 'other' });
  await send(made);
  const isOver = take(made);
  await pass(0.225, 0.075);
  expect([made.broker.waiting(slices), isOver()]).toEqual([3, false]);
  await pass(0.15, 0.075);
  expect(isOver()).toBe(true);
  // From now on the queue is left to workers.
  await send(made);
  await pass(1);
  expect(made.broker.waiting(slices)).toBe(4);
});

it('a queue that keeps delivering slices is abandoned after three seconds', async () => {
  stopTime();
  const made = await setUp();
  const isOver = take(made);
  for (let round = 0; round < 12; round += 1) {
    await send(made);
    await pass(0.225, 0.075);
    expect([round, made.broker.waiting(slices), isOver()]).toEqual([round, 0, false]);
  }
  await send(made);
  await pass(0.225, 0.075);
  await send(made);
  await pass(0.15, 0.075);
  expect(isOver()).toBe(true);
  await send(made);
  await pass(1);
  expect(made.broker.waiting(slices)).toBe(1);
});

it.each(['while the broker is away', 'where the broker has no selectors'])('no slices are removed %s', async (why) => {
  stopTime();
  const made = await setUp(why.startsWith('where') ? 'rabbitmq' : 'activemq');
  await send(made);
  if (why.startsWith('while')) made.broker.goDown();
  const isOver = take(made);
  await pass(0.01);
  expect(isOver()).toBe(true);
  made.broker.comeUp();
  await pass(1);
  expect(made.broker.waiting(why.startsWith('where') ? `${slices}.${namespace}` : slices)).toBe(1);
});
