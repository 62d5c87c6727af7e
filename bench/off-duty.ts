import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';

import type { Broker } from '../test/brokers/broker.ts';
import { median } from './figure.ts';
import { monitorOf } from './monitor.ts';
import { atSite, onEachBroker, sets } from './site.ts';

/**
 * The pace of a worker with eight slots that has the payload, alone and beside another worker with eight
 * slots that lacks it. A slice takes one second. The seconds are from the first to the last slice; the
 * floor is the pace alone, in the same round.
 */
const only = process.argv[2];
const rounds = Number(process.argv[3] ?? 3);
const slots = 8;
const stfs = 10;
const settings = [
  'testbed.namespace=duty',
  `fast_processing.target_worker_count=${slots}`,
  'daq_state_machine.stf_interval=0.2',
];

interface Pace {
  seconds: number;
  returned: number;
}

const measure = (broker: Broker, isBeside: boolean): Promise<Pace> =>
  atSite(broker, settings, async ({ folder, db, start }) => {
    const payload = join(folder, 'recon.sh');
    writeFileSync(payload, '#!/bin/sh\nsleep 1\n', { mode: 0o755 });
    const has = sets(`worker.payload=["${payload}"]`);
    const works = /is running in namespace/;
    await start(['agent', 'worker', ...has], works);
    if (isBeside) await start(['agent', 'worker', '--index', '2'], works);
    const run = await start(
      ['run', '--json', '--speed', '1', '--stf-count', String(stfs), ...sets('agents.worker.enabled=false'), ...has],
      /execution/,
    );
    await new Promise((end) => run.once('close', end));
    const { slices_completed } = await monitorOf(db);
    if (slices_completed !== stfs * 15) throw new Error(`${slices_completed} slices were completed`);
    return paceIn(db);
  });

function paceIn(db: string): Pace {
  const store = new Database(db, { readonly: true });
  const seconds = store
    .prepare<[], number>(
      `SELECT unixepoch(max(completed_at), 'subsec') - unixepoch(min(assigned_at), 'subsec') FROM tf_slices`,
    )
    .pluck();
  const returned = store
    .prepare<[], number>(`SELECT count(*) FROM workflow_messages WHERE message_type = 'slice_returned'`)
    .pluck();
  const pace = { seconds: seconds.get() ?? NaN, returned: returned.get() ?? NaN };
  store.close();
  return pace;
}

await onEachBroker(only, async (broker) => {
  const pairs: { alone: number; beside: number; returned: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const alone = await measure(broker, false);
    const beside = await measure(broker, true);
    pairs.push({ alone: alone.seconds, beside: beside.seconds, returned: beside.returned });
  }
  const of = (key: 'alone' | 'beside' | 'returned'): number => median(pairs.map((pair) => pair[key]));
  const ratio = median(pairs.map(({ alone, beside }) => alone / beside));
  return `alone ${of('alone').toFixed(1)} s, beside ${slots} slots that are off duty ${of('beside').toFixed(1)} s: pace ${ratio.toFixed(2)} of alone; ${of('returned')} slices came back`;
});
