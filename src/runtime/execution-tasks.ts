import type { ExecutionContext } from '../agents/agent.ts';
import { runDaqSimulator } from '../agents/daq-simulator.ts';
import { consumeLog } from '../agents/log-consumer.ts';
import { readingAgents } from '../agents/registry.ts';
import { failureOf } from '../agents/slice-messages.ts';
import { runWorkerPool } from '../agents/worker-pool.ts';
import { abandonedSlices, maxLostStarts } from '../db/presence/lost-starts.ts';
import { beatSeconds, lateSeconds } from '../domain/liveness.ts';
import { pause } from '../lib/deadline.ts';
import { isAlive } from '../lib/process-identity.ts';
import type { Execution } from './execution.ts';
import type { Host } from './host.ts';
import { runHostedWorker } from './hosted-worker.ts';
import type { Task, WakeSignal } from './supervisor.ts';

/** The simulator waits for a consumer that is this many messages behind. */
const farBehind = 1000;

/** How long agents have to be heard again after a connection break, in milliseconds. */
const hearingMilliseconds = lateSeconds * 1000;

/** Everything that works at the same time in a process that drives an execution: consumers, workers, DAQ simulator. */
export const tasksOf = (host: Host, execution: Execution, daq: { onDone: () => void; wake: WakeSignal }): Task[] => [
  ...consumerTasks(host, execution),
  ...workerTasks(host, execution),
  ...watchTasks(host, execution),
  daqTask(host, execution, daq),
];

const consumerTasks = ({ agents }: Host, { execution }: Execution): Task[] =>
  readingAgents.flatMap((agent) => {
    const name = agents[agent.type];
    if (name === undefined) return [];
    return { name, work: () => consumeLog(agent, name, execution), drains: true };
  });

function workerTasks(host: Host, here: Execution): Task[] {
  const name = host.agents.worker;
  if (name === undefined) return [];
  const { execution, queue, payload, params } = here;
  const slots = params.fast_processing.target_worker_count;
  const onResting = (words: readonly string[]): void => {
    const kinds = words.map((detail) => ({ reason: 'FAILING', name: execution.agent.execution_id, detail }));
    host.heartbeat.noteOffDuty(name, kinds);
  };
  const work = (): Promise<void> =>
    host.session === undefined
      ? runWorkerPool({ name, slots, hostname: host.hostname, queue, payload, onResting }, execution)
      : runHostedWorker(host, name, slots, here);
  return [{ name, work }];
}

/** In one process no worker can vanish while the driver lives. */
function watchTasks(host: Host, { execution }: Execution): Task[] {
  const name = host.agents.fast_processing;
  if (host.session === undefined || name === undefined) return [];
  return [{ name, work: () => watchAbandonedSlices(host, name, execution) }];
}

/**
 * The fast processing agent's watch over slices that have killed their workers too often: it reports their failure itself, since nobody else will.
 * Runs until the execution is stopped.
 */
async function watchAbandonedSlices({ store, recorder }: Host, sender: string, execution: ExecutionContext) {
  const { journal, clock, agent, lifetime } = execution;
  const alsoLost = (slice: string, attempt: number): number =>
    recorder.repeatedStarts.lost(agent.execution_id, slice, attempt);
  const error = `worker vanished ${maxLostStarts} times`;
  while (!lifetime.stopped.aborted) {
    // Workers that cannot be heard are not dead.
    const isHearing = recorder.link.hearingMilliseconds() >= hearingMilliseconds;
    for (const slice of isHearing ? abandonedSlices(store.sql, agent.execution_id, isAlive, alsoLost) : [])
      await journal.step({ sender, tick: clock.now(), says: [failureOf(slice, error)] });
    await pause(beatSeconds * 1000, [lifetime.stopped]);
  }
}

function daqTask(
  host: Host,
  { execution, overview, journal, lifetime }: Execution,
  { onDone, wake }: { onDone: () => void; wake: WakeSignal },
): Task {
  const name = host.nameOf('daq_simulator');
  // A remote agent has no cursor here; waiting for it would never end.
  const isBehind = (): boolean =>
    readingAgents.some(
      ({ type, reads }) => host.agents[type] !== undefined && journal.behind(type, reads, farBehind + 1) > farBehind,
    );
  const readersCaughtUp = async (): Promise<void> => {
    while (!lifetime.stopped.aborted && isBehind()) await execution.notifier.news(lifetime.stopped);
  };
  const work = async (): Promise<void> => {
    const pendingPause = () => overview.pendingPause();
    await runDaqSimulator({ name, readersCaughtUp, pendingPause, wakeSignal: wake.signal }, execution);
    onDone();
  };
  return { name, work };
}
