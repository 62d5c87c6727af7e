import { runDaqSimulator } from '../agents/daq-simulator.ts';
import { consumeLog } from '../agents/log-consumer.ts';
import { QueuedSliceWorker, type SliceOfExecution, type SliceWork } from '../agents/queued-slice-worker.ts';
import { readingAgents } from '../agents/registry.ts';
import { runWorkerPool } from '../agents/worker-pool.ts';
import { consumeSlices } from '../exchange/slice-consumers.ts';
import { watchAbandonedSlices } from './abandoned-slices.ts';
import { AttachedExecutions } from './attached-executions.ts';
import type { Execution } from './execution.ts';
import type { Host } from './host.ts';
import type { Task } from './supervisor.ts';
import type { WakeSignal } from './wake-signal.ts';

/** The simulator waits for a consumer that is this many messages behind. */
const farBehind = 1000;

/** Everything that works at the same time in a process that drives an execution: consumers, workers, DAQ simulator. */
export function tasksOf(host: Host, execution: Execution, daq: { onDone: () => void; wake: WakeSignal }): Task[] {
  return [
    ...consumerTasks(host, execution),
    ...workerTasks(host, execution),
    ...watchTasks(host, execution),
    daqTask(host, execution, daq),
  ];
}

function consumerTasks({ agents }: Host, { execution }: Execution): Task[] {
  return readingAgents.flatMap((agent) => {
    const name = agents[agent.type];
    if (name === undefined) return [];
    return { name, work: () => consumeLog(agent, name, execution), drains: true };
  });
}

function workerTasks(host: Host, { execution, queue, payload, params, held, lifetime }: Execution): Task[] {
  const name = host.agents.worker;
  if (name === undefined) return [];
  const { hostname } = host;
  const slots = params.fast_processing.target_worker_count;
  if (host.session === undefined)
    return [{ name, work: () => runWorkerPool({ name, slots, hostname, queue, payload }, execution) }];
  const others = new AttachedExecutions(host);
  lifetime.stopped.addEventListener('abort', () => others.close());
  // The queue is that of the namespace: slices of other executions come here too.
  const workFor = (slice: SliceOfExecution): SliceWork =>
    slice.execution_id === held.execution_id ? { execution, queue, payload } : others.workFor(slice);
  return [{ name, work: () => workOnQueue(host, { name, slots, workFor, draining: lifetime.stopped }) }];
}

export interface QueueWork {
  name: string;
  slots: number;
  workFor: (slice: SliceOfExecution) => SliceWork;
  /** Aborted when no slice is to be taken any more. */
  draining: AbortSignal;
}

/** Works on the slices of a broker's queue. */
export function workOnQueue(host: Host, { name, slots, workFor, draining }: QueueWork): Promise<void> {
  const { hostname, brokerSession: session } = host;
  const worker = new QueuedSliceWorker({ name, hostname, workFor, draining, sent: (id) => session.sent(id) });
  const destination = session.destinations.slices;
  return consumeSlices({
    broker: session.broker,
    destination,
    slots,
    worker,
    draining,
    namespace: host.options.config.testbed.namespace,
    reject: (delivery) => session.record(destination, delivery),
  });
}

/** In one process no worker can vanish while the driver lives. */
function watchTasks({ agents, session, store }: Host, { execution }: Execution): Task[] {
  const name = agents.fast_processing;
  if (session === undefined || name === undefined) return [];
  return [{ name, work: () => watchAbandonedSlices(store, name, execution) }];
}

function daqTask(
  host: Host,
  { execution, overview, journal, lifetime }: Execution,
  { onDone, wake }: { onDone: () => void; wake: WakeSignal },
): Task {
  const name = host.nameOf('daq_simulator');
  // An agent that is none of this store's has no cursor here, and would be waited for without end.
  const isBehind = (): boolean =>
    readingAgents.some(
      ({ type, reads }) =>
        (host.agents[type] !== undefined || journal.cursor(type) > 0) &&
        journal.behind(type, reads, farBehind + 1) > farBehind,
    );
  const readersCaughtUp = async (): Promise<void> => {
    while (!lifetime.stopped.aborted && isBehind()) await execution.notifier.news(lifetime.stopped);
  };
  const work = async (): Promise<void> => {
    const pendingPause = () => overview.pendingPause();
    await runDaqSimulator({ name, readersCaughtUp, pendingPause, wakeSignal: () => wake.signal }, execution);
    onDone();
  };
  return { name, work };
}
