import { expect, it } from 'vitest';

import { driversOf, speedsOf } from '../../../src/db/reports/drivers.ts';
import { makeRunningStore, sayShortExecutions } from '../../made-store.ts';
import { at } from './file-rows.ts';

const id = 'stf_datataking-tester-0001';
const host = { pid: 7, version: '1.0.0', hostname: 'host-a', user: 'rita' };

it('an execution lists only its own drivers, each with its recorded end', async () => {
  const made = await makeRunningStore();
  const { say, store } = made;
  await say('driver_started', { ...host, epoch: 1, speed: 1, timestamp: at(1) });
  await say('driver_ended', { epoch: 1, cause: 'fault', code: 'DATA_UNAVAILABLE', reason: 'full', timestamp: at(5) });
  await say('driver_started', { ...host, epoch: 2, speed: 2, claimed_by: 'Ana', timestamp: at(6) });
  await say('driver_lost', { epoch: 2, last_sign: at(8), last_sign_by: 'log', timestamp: at(9) });
  await say('driver_started', { ...host, epoch: 3, speed: 2, timestamp: at(10) });
  // Neither a driver without effect nor one of another execution.
  const refused = await say('driver_started', { ...host, epoch: 4, speed: 9, timestamp: at(11) });
  const mark = ({ seq }: { seq: number }, effect: string) =>
    store.write(({ sql }) => sql('UPDATE message_rows SET effect = ? WHERE seq = ?').run(effect, seq));
  await mark(refused, 'none');
  await sayShortExecutions(made, 1);
  const other = { execution_id: 'stf_datataking-tester-0002', run_id: '100011' };
  await mark(await say('driver_started', { ...host, ...other, epoch: 1, speed: 7, timestamp: at(12) }), 'applied');

  const by = { by: 'rita', pid: 7, host: 'host-a', version: '1.0.0' };
  expect(driversOf(store.sql, id, () => true)).toEqual([
    { ...by, epoch: 1, since: at(1), speed: 1, until: at(5), ended: 'fault', code: 'DATA_UNAVAILABLE', reason: 'full' },
    {
      ...by,
      epoch: 2,
      since: at(6),
      speed: 2,
      claimed_by: 'Ana',
      until: at(8),
      ended: 'lost',
      reason: 'it vanished without notice; its last sign of life was a log line',
    },
    { ...by, epoch: 3, since: at(10), speed: 2 },
  ]);
  expect(speedsOf(store.sql, id)).toEqual({ current: 2, hasChanged: true });
  expect(speedsOf(store.sql, other.execution_id)).toEqual({ current: 7, hasChanged: false });
  expect(speedsOf(store.sql, 'another')).toEqual({ current: undefined, hasChanged: false });
});

it('only the last fifty drivers of an execution are read', async () => {
  const { say, store } = await makeRunningStore();
  for (let epoch = 1; epoch <= 51; epoch += 1) await say('driver_started', { ...host, epoch, speed: 1 });
  const epochs = driversOf(store.sql, id, () => true).map(({ epoch }) => epoch);
  expect([epochs.length, epochs[0], epochs.at(-1)]).toEqual([50, 2, 51]);
});
