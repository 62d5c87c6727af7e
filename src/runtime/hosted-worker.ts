import type { DeliveredSlice } from '../agents/ports.ts';
import { type ExecutionStanding, SliceWorker } from '../agents/slice-worker.ts';
import { isBelow, isElsewhere } from '../domain/file-address.ts';
import { workKinds } from '../domain/slice-returns.ts';
import { SliceConsumers } from '../exchange/slice-consumers.ts';
import type { Draft } from '../messages/message.ts';
import { DataAccess } from '../remote/data-access.ts';
import { createOffDutyList } from '../remote/off-duty.ts';
import { SlicePreparation } from '../remote/slice-preparation.ts';
import { createSpeaker, type Speaker } from '../remote/speaker.ts';
import type { Execution } from './execution.ts';
import type { Host } from './host.ts';

/** How often to report to the recorder what its own worker has in hand, in milliseconds. */
const reportMilliseconds = 2000;

/** The worker is this process itself, which exists only once. */
const hostedSince = 'here';

/**
 * Runs the worker that a recorder hosts. It takes slices from the broker's queue like any other, so also those of other recorders of the namespace.
 * Its reports on the execution driven here are recorded at once. Resolves when the execution is stopped.
 */
export async function runHostedWorker(host: Host, name: string, slots: number, here: Execution): Promise<void> {
  const { options, recorder, namespace, payloads } = host;
  const { broker, destinations, views, directory } = recorder;
  const { environment, config } = options;
  const { stopped } = here.lifetime;
  const warn = (message: string): void => options.log.write({ level: 'WARNING', message });
  const report = (): void => {
    const { inHand: in_hand } = worker;
    const { freeSlots: free_slots } = consumers;
    directory.hear(name, hostedSince, { agent_type: 'worker', in_hand, free_slots, off_duty: offDuty.list() });
  };
  const offDuty = createOffDutyList(warn, report);
  const preparation = new SlicePreparation({
    namespace,
    params: { ...config, speed: 1 },
    access: new DataAccess({ data: config.data, environment, draining: stopped, stopped }),
    views,
    payloads,
    environment,
    offDuty,
    lifetime: { draining: stopped },
  });
  const speaker = createSpeaker({ broker, namespace, destinations, sender: name, warn });
  const prepare = (delivered: DeliveredSlice) => preparation.prepare(delivered);
  const worker = makeWorker({ host, name, here, speaker, prepare, report, consumers: () => consumers });
  const consumers = new SliceConsumers({
    broker,
    connectApart: () => recorder.connectApart(),
    namespace,
    destination: destinations.slices,
    slots,
    worker,
    reject: (delivery) => recorder.record(destinations.slices, delivery),
    unwanted: () => ({ ...views.unwanted(), ...offDuty.unwanted() }),
    onChange: report,
    draining: stopped,
  });
  const refresh = (): void => consumers.refresh();
  views.onPaused(refresh);
  offDuty.onKinds(refresh);
  const timer = setInterval(report, reportMilliseconds);
  try {
    await consumers.run();
  } finally {
    clearInterval(timer);
    offDuty.close();
    directory.forget(name, hostedSince);
  }
}

interface Around {
  host: Host;
  name: string;
  here: Execution;
  speaker: Speaker;
  prepare: SlicePreparation['prepare'];
  report: () => void;
  consumers: () => SliceConsumers;
}

function makeWorker({ host, name, here, speaker, prepare, report, consumers }: Around): SliceWorker {
  const { recorder, hostname } = host;
  const { views, directory } = recorder;
  const { held, lifetime, params, payload } = here;
  // A fastmon agent elsewhere may publish its samples.
  const { url: own } = params.data;
  const isAway = ({ slice: { file_url: url = '' } }: DeliveredSlice): boolean =>
    isElsewhere(url) && (own === undefined || !isBelow(url, own));
  const isOurs = ({ slice, storeId }: DeliveredSlice): boolean =>
    storeId === recorder.storeId && slice.execution_id === held.execution_id;
  /** Reports on another recorder's slice. */
  const tell = (draft: Draft, { slice: { execution_id, run_id }, storeId, replyTo }: DeliveredSlice) =>
    speaker.say(draft, { execution_id, run_id, storeId, replyTo });
  return new SliceWorker({
    name,
    hostname,
    standing: (delivered) => (isOurs(delivered) ? standingOf(delivered, here) : views.standing(delivered)),
    changed: (signal) => views.changed(signal),
    overFor: (delivered) =>
      isOurs(delivered) ? lifetime.stopped : views.overFor(delivered.slice.execution_id, delivered.storeId),
    prepare: async (delivered) => {
      const prepared = isOurs(delivered) && !isAway(delivered) ? payload : await prepare(delivered);
      if ('run' in prepared) consumers().noteFit();
      else consumers().noteUnfit(directory.hasOnDuty('worker', workKinds(delivered.slice)));
      return prepared;
    },
    begin: async (draft, delivered) => {
      if (isOurs(delivered)) return record(draft, name, here);
      void tell(draft, delivered);
      return true;
    },
    say: (draft, delivered) => (isOurs(delivered) ? record(draft, name, here) : tell(draft, delivered)),
    draining: lifetime.stopped,
    stopped: lifetime.stopped,
    onChange: report,
  });
}

function standingOf({ slice }: DeliveredSlice, { queue }: Execution): ExecutionStanding {
  // Fast processing fails a slice that was given up after too many lost starts.
  if (queue.standing(slice.slice_filename, slice.attempt) !== 'open') return 'over';
  return queue.isOpen() ? 'open' : 'paused';
}

/** Returns false if a slice may not start because a pause came in between. */
async function record(draft: Draft, sender: string, { execution, queue }: Execution): Promise<boolean> {
  let isWanted = true;
  const says = (): Draft[] => {
    // Checked inside the step, where nothing can come in between.
    isWanted = draft.msg_type !== 'slice_started' || queue.isOpen();
    return isWanted ? [draft] : [];
  };
  await execution.journal.step({ sender, tick: execution.clock.now(), says });
  return isWanted;
}
