import type { DeliveredSlice } from '../agents/ports.ts';
import { SliceWorker, type SliceWork } from '../agents/slice-worker.ts';
import { workKinds } from '../domain/slice-returns.ts';
import { SliceConsumers } from '../exchange/slice-consumers.ts';
import { withDeadline } from '../lib/deadline.ts';
import { hostname } from '../lib/process-identity.ts';
import { createPayloadHost, type PayloadHost } from '../payload/host.ts';
import type { Report } from './heartbeat.ts';
import type { Part, Surroundings } from './part.ts';
import { SlicePreparation } from './slice-preparation.ts';
import type { About } from './speaker.ts';

/** How long to wait for the broker's receipt for a start, in milliseconds. */
const startMilliseconds = 500;

/** How much of a message that is not a slice to show. */
const shownBody = 200;

/** The slots of a remote worker. */
export class WorkerPart implements Part {
  readonly #around: Surroundings;
  readonly #worker: SliceWorker;
  readonly #consumers: SliceConsumers;
  readonly #payloads: PayloadHost;

  constructor(around: Surroundings) {
    const { connection, broker, namespace, destinations, params, environment, views, agentLog, lifetime, onChange } =
      around;
    this.#around = around;
    this.#payloads = createPayloadHost(environment);
    this.#worker = makeWorker(around, this.#payloads, () => this.#consumers);
    this.#consumers = new SliceConsumers({
      broker: connection,
      connectApart: () => broker.connect(broker.settings, (error) => agentLog.warn(error.line)),
      namespace,
      destination: destinations.slices,
      slots: params.fast_processing.target_worker_count,
      worker: this.#worker,
      reject({ body }) {
        agentLog.warn(`threw away a message on the queue of slices that is not a slice: ${body.slice(0, shownBody)}`);
        return Promise.resolve();
      },
      unwanted: () => ({ ...views.unwanted(), ...around.offDuty.unwanted() }),
      onChange,
      draining: lifetime.draining,
    });
    const refresh = (): void => this.#consumers.refresh();
    views.onPaused(refresh);
    around.offDuty.onKinds(refresh);
  }

  report(): Report {
    const { freeSlots: free_slots, slots } = this.#consumers;
    return { in_hand: this.#worker.inHand, free_slots, slots, off_duty: this.#around.offDuty.list() };
  }

  waits(): boolean {
    return this.#worker.inHand.length > 0;
  }

  async run(): Promise<void> {
    await this.#consumers.run();
    await this.#payloads.close();
  }
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
