import type { Broker } from '../test/brokers/broker.ts';
import { monitorOf } from './monitor.ts';
import { atSite, onEachBroker, sets } from './site.ts';

/**
 * The highest rate that the experiment names: 116 slices a second on 300 slots of ten worker processes,
 * with files and the placeholder payload. The workers keep up if the delay until a slice's start does not
 * grow. Processing occupies 232 slots at a time.
 */
const seconds = Number(process.argv[2] ?? 60);
const only = process.argv[3];
const rate = 116;
const slicesAnStf = 15;
const [processes, slots] = [10, 30];
const sliceSeconds = 2;
const settings = [
  'testbed.namespace=ceiling',
  `fast_processing.target_worker_count=${slots}`,
  `fast_processing.slice_processing_time=${sliceSeconds}`,
  `daq_state_machine.stf_interval=${slicesAnStf / rate}`,
];

const keepUp = (broker: Broker): Promise<string> =>
  atSite(broker, settings, async ({ db, start }) => {
    const works = /is running in namespace/;
    await Promise.all(['data', 'fastmon'].map((type) => start(['agent', type], works)));
    for (let index = 1; index <= processes; index += 1)
      await start(['agent', 'worker', '--index', String(index)], works);
    const stfs = Math.round((seconds * rate) / slicesAnStf);
    const elsewhere = sets('agents.data.enabled=false', 'agents.fastmon.enabled=false', 'agents.worker.enabled=false');
    const run = await start(['run', '--json', '--speed', '1', '--stf-count', String(stfs), ...elsewhere], /execution/);
    await new Promise((end) => run.once('close', end));
    const { latency, slices_completed, slices_failed, duration_seconds } = await monitorOf(db);
    const delay = latency.find(({ stage }) => stage === 'slice → slice_started');
    if (slices_completed !== stfs * slicesAnStf || slices_failed > 0)
      throw new Error(`${slices_completed} slices were completed, ${slices_failed} failed`);
    const ms = (value: number | undefined): string => `${Math.round(1000 * (value ?? Number.NaN))} ms`;
    return `${slices_completed} slices in ${duration_seconds.toFixed(1)} s; slice → slice_started p50 ${ms(delay?.p50)}, p95 ${ms(delay?.p95)}, longest ${ms(delay?.max)}`;
  });

console.log(
  `${rate} slices/s for ${seconds} s, of ${sliceSeconds} s each, ${processes} worker processes with ${slots} slots each`,
);
await onEachBroker(only, keepUp);
