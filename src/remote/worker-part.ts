import type { DeliveredSlice } from '../agents/ports.ts';
import { SliceWorker, type SliceWork } from '../agents/slice-worker.ts';
import { workKinds } from '../domain/slice-returns.ts';
import { SliceConsumers } from '../exchange/slice-consumers.ts';
import { withDeadline } from '../lib/deadline.ts';
import { hostname } from '../lib/process-identity.ts';
import { createPayloadHost, type PayloadHost } from '../payload/host.ts';
import type { Part, Surroundings } from './part.ts';
import { SlicePreparation } from './slice-preparation.ts';
import type { About } from './speaker.ts';

/** How long to wait for the broker's receipt for a start, in milliseconds. */
const startMilliseconds = 500;

/** How much of a message that is not a slice to show. */
const shownBody = 200;

/** The slots of a remote worker. */
export function createWorkerPart(around: Surroundings): Part {
  const { connection, broker, namespace, destinations, params, views, agentLog, lifetime, offDuty, onChange } = around;
  const payloads = createPayloadHost(around.environment);
  const worker = makeWorker(around, payloads, () => consumers);
  const consumers = new SliceConsumers({
    broker: connection,
    connectApart: () => broker.connect(broker.settings, (error) => agentLog.warn(error.line)),
    namespace,
    destination: destinations.slices,
    slots: params.fast_processing.target_worker_count,
    worker,
    reject({ body }) {
      agentLog.warn(`threw away a message on the queue of slices that is not a slice: ${body.slice(0, shownBody)}`);
      return Promise.resolve();
    },
    unwanted: () => ({ ...views.unwanted(), ...offDuty.unwanted() }),
    onChange,
    draining: lifetime.draining,
  });
  const refresh = (): void => consumers.refresh();
  views.onPaused(refresh);
  offDuty.onKinds(refresh);
  return {
    report() {
      const { freeSlots: free_slots, slots } = consumers;
      return { in_hand: worker.inHand, free_slots, slots, off_duty: offDuty.list() };
    },
    waits: () => worker.inHand.length > 0,
    async run() {
      await consumers.run();
      await payloads.close();
    },
  };
}

/** The same work, with its time reported. */
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

const aboutOf = ({ slice: { execution_id, run_id }, storeId, replyTo }: DeliveredSlice): About => ({
  execution_id,
  run_id,
  storeId,
  replyTo,
});

function makeWorker(around: Surroundings, payloads: PayloadHost, consumers: () => SliceConsumers): SliceWorker {
  const { name, views, speaker, lifetime, others, onChange, onStep } = around;
  const preparation = new SlicePreparation({ ...around, payloads });
  return new SliceWorker({
    name,
    hostname: hostname(),
    standing: (delivered) => views.standing(delivered),
    changed: (signal) => views.changed(signal),
    overFor: ({ slice, storeId }) => views.overFor(slice.execution_id, storeId),
    prepare: async (delivered) => {
      const prepared = await preparation.prepare(delivered);
      if ('reason' in prepared) {
        consumers().noteUnfit(others.hasOnDuty('worker', workKinds(delivered.slice)));
        return prepared;
      }
      consumers().noteFit();
      return timed(prepared, onStep);
    },
    async begin(draft, delivered) {
      // If a slice kills its worker, others must have seen its start. Do not wait for an absent broker: the start travels ahead of the result.
      await withDeadline(speaker.say(draft, aboutOf(delivered)), startMilliseconds, true);
      return true;
    },
    say: (draft, delivered) => speaker.say(draft, aboutOf(delivered)),
    draining: lifetime.draining,
    stopped: lifetime.stopped,
    onChange,
  });
}
