import { runDaqSimulator } from '../agents/daq-simulator.ts';
import { runReader, type Workplace } from '../agents/log-consumer.ts';
import type { Overview } from '../agents/ports.ts';
import type { SliceBench } from '../agents/queued-slice-worker.ts';
import { readingAgents } from '../agents/registry.ts';
import { runWorker } from '../agents/worker-pool.ts';
import type { ExecutionAccess } from '../db/execution/journal.ts';
import { runSlots } from '../exchange/slice-consumers.ts';
import { currentProcess } from '../lib/process-identity.ts';
import type { Message } from '../messages/vocabulary.ts';
import type { PayloadHost } from '../payload/host.ts';
import { watchLostSlices } from './abandoned-slices.ts';
import { benchFor, type Benches, createBenches } from './attached-executions.ts';
import type { Surroundings, WorkflowOptions } from './start-execution.ts';
import type { Part } from './supervisor.ts';

/** The reader that the simulator waits for is this many messages behind. */
const farBehind = 1000;

export interface PartsOptions {
  workplace: Workplace;
  payloads: PayloadHost;
  onDaqDone: () => void;
  nudged: () => AbortSignal;
}

/** Everything that works at the same time in this process: readers, workers, DAQ simulator. */
export function partsOf(
  options: WorkflowOptions,
  { crew: { agents, process_id }, drive, station, presence }: Surroundings,
  { journal, queue, overview }: ExecutionAccess,
  { workplace, payloads, onDaqDone, nudged }: PartsOptions,
): Part[] {
  const { config } = options;
  const readersCaughtUp = async (): Promise<void> => {
    // An agent that is none of this store's has no cursor here, and would be waited for without end.
    const isBehind = (): boolean =>
      readingAgents.some(
        ({ type, reads }) =>
          (agents[type] !== undefined || journal.cursor(type) > 0) &&
          journal.behind(type, reads, farBehind + 1) > farBehind,
      );
    while (!workplace.signal.aborted && isBehind()) await workplace.bus.news(workplace.signal);
  };
  const bench = benchFor(config, workplace, queue, payloads);
  const others = (slice: Message<'slice'>): SliceBench => {
    if (station === undefined) throw new Error('only a broker hands out slices of other executions');
    benches ??= createBenches({
      ...options,
      processId: process_id,
      station,
      presence,
      payloads,
      closing: workplace.signal,
    });
    return benches.of(slice.execution_id ?? '', slice.run_id);
  };
  let benches: Benches | undefined;
  const slots = config.fast_processing.target_worker_count;
  const { hostname } = currentProcess();
  const work =
    station === undefined
      ? () => runWorker({ name: agents.worker, slots, hostname, queue, payload: bench.payload }, workplace)
      : () =>
          runSlots({
            name: agents.worker,
            slots,
            hostname,
            station,
            namespace: drive.namespace,
            // The queue is that of the namespace: slices of other executions come here too.
            benchOf: (slice) => (slice.execution_id === drive.execution_id ? bench : others(slice)),
            signal: workplace.signal,
          });
  return [
    ...readingAgents
      .filter(({ type }) => agents[type] !== undefined)
      .map((agent) => ({
        name: agents[agent.type],
        work: () => runReader(agent, agents[agent.type], workplace),
        finishes: true,
      })),
    ...(agents.worker === undefined ? [] : [{ name: agents.worker, work }]),
    // In one process no worker can vanish while the driver lives.
    ...(station === undefined || agents.fast_processing === undefined
      ? []
      : [
          {
            name: agents.fast_processing,
            work: () => watchLostSlices(options.store, agents.fast_processing, workplace),
          },
        ]),
    {
      name: agents.daq_simulator,
      work: async () => {
        const name = agents.daq_simulator;
        const pendingPause = (): ReturnType<Overview['pendingPause']> => overview.pendingPause();
        await runDaqSimulator({ name, readersCaughtUp, pendingPause, nudged }, workplace);
        onDaqDone();
      },
    },
  ];
}
