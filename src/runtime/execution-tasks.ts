import type { ExecutionContext } from '../agents/agent.ts';
import { runDaqSimulator } from '../agents/daq-simulator.ts';
import { consumeLog } from '../agents/log-consumer.ts';
import type { DeliveredSlice } from '../agents/ports.ts';
import { readingAgents } from '../agents/registry.ts';
import { failureOf } from '../agents/slice-messages.ts';
import { runWorkerPool } from '../agents/worker-pool.ts';
import { abandonedSlices, maxLostStarts } from '../db/presence/lost-starts.ts';
import { isBelow, isElsewhere } from '../domain/file-address.ts';
import { beatSeconds, lateSeconds } from '../domain/liveness.ts';
import { pause } from '../lib/deadline.ts';
import { isAlive } from '../lib/process-identity.ts';
import type { Draft } from '../messages/message.ts';
import { surroundingsOf } from '../remote/part.ts';
import { createWorker, remoteVoice, type Voice } from '../remote/parts.ts';
import type { Execution } from './execution.ts';
import type { Host } from './host.ts';
import type { WakeSignal } from './supervisor.ts';

/** The simulator waits for a consumer that is this many messages behind. */
const farBehind = 1000;

/** How long, in milliseconds, agents' heartbeats may take to arrive again after the connection breaks. */
const hearingMilliseconds = lateSeconds * 1000;

/**
 * The tasks that run concurrently in a process that drives an execution: consumers, workers and the DAQ
 * simulator.
 */
export const tasksOf = (host: Host, execution: Execution, daq: { onDone: () => void; wake: WakeSignal }) => [
  ...consumerTasks(host, execution),
  ...workerTasks(host, execution),
  ...watchTasks(host, execution),
  daqTask(host, execution, daq),
];

const consumerTasks = ({ agents }: Host, { execution }: Execution) =>
  readingAgents.flatMap((agent) => {
    const name = agents[agent.type];
    if (name === undefined) return [];
    return { name, work: () => consumeLog(agent, name, execution), drains: true };
  });

function workerTasks(host: Host, here: Execution) {
  const name = host.agents.worker;
  if (name === undefined) return [];
  const { execution, queue, payload, params } = here;
  const slots = params.fast_processing.target_worker_count;
  const onResting = (words: readonly string[]) => {
    const kinds = words.map((detail) => ({ reason: 'FAILING', name: execution.agent.execution_id, detail }));
    host.heartbeat.noteOffDuty(name, kinds);
  };
  const work = () =>
    host.session === undefined
      ? runWorkerPool({ name, slots, hostname: host.hostname, queue, payload, onResting }, execution)
      : runHostedWorker(host, name, slots, here);
  return [{ name, work }];
}

/** Without a broker there is only one process, in which no worker can vanish while the driver is alive. */
function watchTasks(host: Host, { execution }: Execution) {
  const name = host.agents.fast_processing;
  if (host.session === undefined || name === undefined) return [];
  return [{ name, work: () => watchAbandonedSlices(host, name, execution) }];
}

/**
 * The fast processing agent's check for slices that have killed their workers too often. The agent itself
 * reports that these slices failed, since no worker will. Runs until the execution is stopped.
 */
async function watchAbandonedSlices({ store, recorder }: Host, sender: string, execution: ExecutionContext) {
  const { journal, clock, agent, lifetime } = execution;
  const error = `worker vanished ${maxLostStarts} times`;
  while (!lifetime.stopped.aborted) {
    // A worker must not be taken for dead while its messages cannot arrive.
    const isHearing = recorder.link.hearingMilliseconds() >= hearingMilliseconds;
    for (const slice of isHearing
      ? abandonedSlices(store.sql, agent.execution_id, isAlive, recorder.repeatedStarts.lost)
      : [])
      await journal.step({ sender, tick: clock.now(), says: [failureOf(slice, error)] });
    await pause(beatSeconds * 1000, [lifetime.stopped]);
  }
}

function daqTask(
  host: Host,
  { execution, overview, journal, lifetime }: Execution,
  { onDone, wake }: { onDone: () => void; wake: WakeSignal },
) {
  const name = host.nameOf('daq_simulator');
  // A remote agent has no cursor here, so waiting for one would never end.
  const isBehind = () =>
    readingAgents.some(
      ({ type, reads }) => host.agents[type] !== undefined && journal.behind(type, reads, farBehind + 1) > farBehind,
    );
  const readersCaughtUp = async () => {
    while (!lifetime.stopped.aborted && isBehind()) await execution.notifier.news(lifetime.stopped);
  };
  const work = async () => {
    const pendingPause = () => overview.pendingPause();
    await runDaqSimulator({ name, readersCaughtUp, pendingPause, wakeSignal: wake.signal }, execution);
    onDone();
  };
  return { name, work };
}

/** How often the hosted worker reports its work in hand to the recorder, in milliseconds. */
const reportMilliseconds = 2000;

/** Used in place of a start time: the hosted worker is this process itself, which exists only once. */
const hostedSince = 'here';

/**
 * Runs the worker that a recorder hosts: a remote worker in the recorder's own process. Like any worker, it
 * takes slices from the broker's queue, including those from other recorders in the namespace. Resolves when
 * the execution is stopped.
 */
async function runHostedWorker(host: Host, name: string, slots: number, here: Execution) {
  const { options, recorder, namespace, payloads } = host;
  const { broker: connection, destinations, views, directory } = recorder;
  const { environment, config } = options;
  const { stopped } = here.lifetime;
  let saidOffDuty = '[]';
  const report = () => {
    const now = worker.report();
    directory.hear(name, hostedSince, { agent_type: 'worker', ...now });
    const offDutyNow = JSON.stringify(now.off_duty);
    if (offDutyNow !== saidOffDuty) host.heartbeat.noteOffDuty(name, now.off_duty);
    saidOffDuty = offDutyNow;
  };
  const around = surroundingsOf(
    {
      name,
      namespace,
      destinations,
      connection,
      params: { ...config, speed: 1 },
      environment,
      views,
      others: directory,
      lifetime: { draining: stopped, stopped },
      onChange: report,
      onStep: () => {},
    },
    (message) => options.log.write({ level: 'WARNING', message }),
  );
  const worker = createWorker(around, {
    payloads,
    connectApart: () => recorder.connectApart(),
    slots,
    reject: (delivery) => recorder.record(destinations.slices, delivery),
    voice: voiceOf(host, name, here, remoteVoice(around)),
  });
  const timer = setInterval(report, reportMilliseconds);
  try {
    await worker.run();
  } finally {
    clearInterval(timer);
    around.offDuty.close();
    host.heartbeat.noteOffDuty(name, []);
    directory.forget(name, hostedSince);
  }
}

/**
 * Reports on the execution that is driven here are recorded immediately; reports on other executions are sent,
 * as by any worker.
 */
function voiceOf({ recorder }: Host, name: string, here: Execution, others: Voice): Voice {
  const { held, lifetime, params, payload } = here;
  const { url: own } = params.data;
  // The file may be elsewhere: a fastmon agent on another host may publish its samples.
  const isAway = ({ slice: { file_url: url = '' } }: DeliveredSlice) =>
    isElsewhere(url) && (own === undefined || !isBelow(url, own));
  const isOurs = ({ slice, storeId }: DeliveredSlice) =>
    storeId === recorder.storeId && slice.execution_id === held.execution_id;
  const isResting = (slot: number) =>
    recorder.views.resting(slot).some(({ execution_id }) => execution_id === held.execution_id);
  const noted = async (draft: Parameters<Voice['begin']>[0] | Parameters<Voice['say']>[0]) => {
    const isRecorded = await record(draft, name, here);
    if (isRecorded && draft.msg_type !== 'slice_returned') recorder.resting.note(held.execution_id, draft);
    return isRecorded;
  };
  return {
    standing: (delivered, slot) =>
      isOurs(delivered) ? standingOf(delivered, here, isResting(slot)) : others.standing(delivered, slot),
    overFor: (delivered) => (isOurs(delivered) ? lifetime.stopped : others.overFor(delivered)),
    workAtHand: (delivered) => (isOurs(delivered) && !isAway(delivered) ? payload : undefined),
    begin: (draft, delivered) => (isOurs(delivered) ? noted(draft) : others.begin(draft, delivered)),
    say: (draft, delivered) => (isOurs(delivered) ? noted(draft) : others.say(draft, delivered)),
  };
}

function standingOf({ slice }: DeliveredSlice, { queue }: Execution, isResting: boolean) {
  // Fast processing may have recorded the slice as failed, after too many lost starts.
  if (queue.standing(slice.slice_filename, slice.attempt) !== 'open') return 'over';
  return queue.isOpen() && !isResting ? 'open' : 'paused';
}

/** Returns false if a slice must not start because the run has been paused. */
async function record(draft: Draft, sender: string, { execution, queue }: Execution) {
  let isWanted = true;
  const says = () => {
    // Checked inside the step, so that the queue cannot change between the check and the write.
    isWanted = draft.msg_type !== 'slice_started' || queue.isOpen();
    return isWanted ? [draft] : [];
  };
  await execution.journal.step({ sender, tick: execution.clock.now(), says });
  return isWanted;
}
