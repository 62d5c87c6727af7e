import { expect, it } from 'vitest';

import type { Store } from '../../../src/db/opening/store.ts';
import { goneWorkers } from '../../../src/db/reports/slices-in-hand.ts';
import { makeStore } from '../../made-store.ts';
import { at, fakeClock, hear } from '../presence/processes.ts';

const isGone = (store: Store, worker: string, begun: number): boolean =>
  goneWorkers(store.sql, () => true)({ assigned_worker: worker, assigned_at: at(begun) });

it('a slice in hand is lost once its worker falls silent or restarts', async () => {
  const setClock = fakeClock();
  const { store } = await makeStore();
  setClock(100);
  await hear(store, { since: at(95) });
  setClock(105);
  await hear(store, { since: at(95) });
  const found = [
    ['begun by an earlier process of the name', isGone(store, 'w/01', 89), true],
    ['begun before the first heartbeat of its process arrived', isGone(store, 'w/01', 91), false],
    ['begun since then', isGone(store, 'w/01', 101), false],
    ['of a worker that was never heard', isGone(store, 'other/01', 10), false],
    ['of a worker without slots', isGone(store, 'w', 10), false],
  ];
  setClock(1000);
  found.push(['of a process that is no longer heard', isGone(store, 'w/01', 101), true]);
  expect(found.filter(([, gone, expected]) => gone !== expected)).toEqual([]);
});
