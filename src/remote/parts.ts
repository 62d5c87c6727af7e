import { dataAgent } from '../agents/data.ts';
import { fastmonAgent } from '../agents/fastmon.ts';
import type { DeliveredSlice } from '../agents/ports.ts';
import { createSliceWorker, type SliceWork, type SliceWorkerOptions } from '../agents/slice-worker.ts';
import { workKinds } from '../domain/slice-returns.ts';
import { SliceConsumers, type SliceConsumersOptions } from '../exchange/slice-consumers.ts';
import { roleSubscription } from '../exchange/wire.ts';
import { withDeadline, aborted } from '../lib/deadline.ts';
import { hostname } from '../lib/process-identity.ts';
import type { Draft } from '../messages/message.ts';
import { createPayloadHost, type PayloadHost } from '../payload/host.ts';
import type { Part, Surroundings, WorkerSurroundings } from './part.ts';
import { createReadingAgent } from './reading-agent.ts';
import { createSlicePreparation } from './slice-preparation.ts';

/** How long to wait for the broker's receipt for a start, in milliseconds. */
const startMilliseconds = 500;

/** How many characters to show of a message on the slice queue that is not a slice. */
const shownBody = 200;

/** How a worker reports on slices, and what it knows about their executions. */
export interface Voice extends Pick<SliceWorkerOptions, 'standing' | 'overFor' | 'begin' | 'say'> {
  /** The work on a slice whose file is at hand; if undefined, the slice is prepared like any other. */
  workAtHand: (delivered: DeliveredSlice) => SliceWork | undefined;
}

interface WorkerOptions extends Pick<SliceConsumersOptions, 'connectApart' | 'slots' | 'reject'> {
  payloads: PayloadHost;
  voice: Voice;
}

/**
 * The slots of a worker on a broker, in a process without a store or in a recorder. A recorder reports on its
 * own slices in another way.
 */
export function createWorker(around: WorkerSurroundings, { payloads, voice, ...queue }: WorkerOptions): Part {
  const { name, namespace, destinations, connection, views, offDuty, others, onChange, onStep } = around;
  const { draining, stopped } = around.lifetime;
  const preparation = createSlicePreparation({ ...around, payloads });
  const worker = createSliceWorker({
    name,
    hostname: hostname(),
    ...voice,
    say(draft, delivered) {
      views.noteEnd(delivered);
      return voice.say(draft, delivered);
    },
    changed: (signal) => views.changed(signal),
    prepare: async (delivered) => {
      const prepared = voice.workAtHand(delivered) ?? (await preparation.prepare(delivered));
      if ('reason' in prepared) {
        consumers.noteUnfit(others.hasOnDuty('worker', workKinds(delivered.slice)));
        return prepared;
      }
      consumers.noteFit();
      return timed(prepared, onStep);
    },
    draining,
    stopped,
    onChange,
  });
  const consumers = new SliceConsumers({
    ...queue,
    broker: connection,
    namespace,
    destination: destinations.slices,
    worker,
    unwanted: (slot) => ({ ...views.unwanted(slot), ...offDuty.unwanted() }),
    taking: () => views.taking(),
    onChange,
    draining,
  });
  const refresh = () => consumers.refresh();
  views.onPaused(name, refresh);
  views.onOver((storeId, messageId) => worker.drop(storeId, messageId));
  offDuty.onKinds(refresh);
  return {
    report() {
      const resting = views
        // During a trial the worker takes no other slice.
        .resting(consumers.isFree(1) ? 1 : 2)
        .map(({ execution_id: kind, detail }) => ({ reason: 'FAILING', name: kind, detail }));
      return {
        in_hand: worker.inHand(),
        free_slots: consumers.freeSlots,
        slots: consumers.slots,
        off_duty: [...resting, ...offDuty.list()],
      };
    },
    waits: () => worker.inHand().length > 0,
    run: () => consumers.run(),
  };
}

/** The slots of a remote worker. */
export function createWorkerPart(around: Surroundings): Part {
  const { broker, params, environment, agentLog } = around;
  const payloads = createPayloadHost(environment);
  const worker = createWorker(around, {
    payloads,
    connectApart: () => broker.connect(broker.settings, (error) => agentLog.warn(error.line)),
    slots: params.fast_processing.target_worker_count,
    reject({ body }) {
      agentLog.warn(`discarded a message on the slice queue that is not a slice: ${body.slice(0, shownBody)}`);
      return Promise.resolve();
    },
    voice: remoteVoice(around),
  });
  return {
    ...worker,
    async run() {
      await worker.run();
      await payloads.close();
    },
  };
}

/** Sends the reports on each slice to the slice's recorder, over the broker. */
export function remoteVoice({ views, speaker }: Pick<WorkerSurroundings, 'views' | 'speaker'>): Voice {
  const say = (draft: Draft, { slice: { execution_id, run_id }, storeId, replyTo }: DeliveredSlice) =>
    speaker.say(draft, { execution_id, run_id, storeId, replyTo });
  return {
    standing: (delivered, slot) => views.standing(delivered, slot),
    overFor: ({ slice, storeId }) => views.overFor(slice.execution_id, storeId),
    workAtHand: () => undefined,
    async begin(draft, delivered) {
      // Others must know that the slice was started, in case it kills its worker. Do not wait for an absent
      // broker, though: the start is sent before the result anyway.
      await withDeadline(say(draft, delivered), startMilliseconds, true);
      return true;
    },
    say,
  };
}

/** Wraps the work on a slice so that its duration is reported. */
const timed = (work: SliceWork, onStep: (seconds: number) => void): SliceWork => ({
  async run(slice, by) {
    const began = performance.now();
    try {
      return await work.run(slice, by);
    } finally {
      onStep((performance.now() - began) / 1000);
    }
  },
});

/** How many messages of the durable subscription may be in flight. */
const window = 256;

/** How long to wait at the end for work in hand to finish, in milliseconds. */
const lastMessagesMilliseconds = 5000;

/** The agents that read STF files on other hosts. */
const readers = { data: dataAgent, fastmon: fastmonAgent };

/**
 * A remote agent that reads broadcasts. While no agent of its type is connected, broadcasts are kept for the
 * next such agent.
 */
export function createReadingPart(type: keyof typeof readers, around: Surroundings): Part {
  const { namespace, destinations, broker, agentLog, lifetime, offDuty } = around;
  const reader = createReadingAgent({ ...around, agent: readers[type] });
  return {
    report: () => ({
      in_hand: reader.inHand(),
      free_slots: lifetime.draining.aborted ? 0 : 1,
      off_duty: offDuty.list(),
    }),
    waits: reader.hasUnheard,
    async run() {
      const durableName = roleSubscription(namespace, type);
      const settings = { ...broker.settings, clientId: durableName };
      const listener = broker.connect(settings, (error) => agentLog.warn(error.line));
      listener.subscribe({
        id: 'durable',
        destination: destinations.broadcast,
        ack: 'each',
        only: () => ({ namespace }),
        prefetch: window,
        durableName,
        onMessage: (delivery) => reader.take(delivery),
      });
      void listener.connect({ once: false });
      await aborted(lifetime.draining);
      await withDeadline(reader.settled(), lastMessagesMilliseconds, undefined);
      await listener.close();
    },
  };
}
