import type { DeliveredSlice } from '../agents/ports.ts';
import { type ExecutionStanding, SliceWorker } from '../agents/slice-worker.ts';
import { isBelow, isElsewhere } from '../domain/file-address.ts';
import { workKinds } from '../domain/slice-returns.ts';
import { SliceConsumers } from '../exchange/slice-consumers.ts';
import type { Draft } from '../messages/message.ts';
import { DataAccess } from '../remote/data-access.ts';
import { OffDutyList } from '../remote/off-duty.ts';
import { SlicePreparation } from '../remote/slice-preparation.ts';
import { Speaker } from '../remote/speaker.ts';
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
export const runHostedWorker = (host: Host, name: string, slots: number, here: Execution): Promise<void> =>
  new HostedWorker(host, name, slots, here).run();

class HostedWorker {
  readonly #host: Host;
  readonly #name: string;
  readonly #here: Execution;
  readonly #offDuty: OffDutyList;
  readonly #preparation: SlicePreparation;
  readonly #speaker: Speaker;
  readonly #worker: SliceWorker;
  readonly #consumers: SliceConsumers;

  constructor(host: Host, name: string, slots: number, here: Execution) {
    const { options, recorder, payloads, namespace } = host;
    const { broker, destinations, views } = recorder;
    const { stopped } = here.lifetime;
    const warn = (message: string): void => options.log.write({ level: 'WARNING', message });
    this.#host = host;
    this.#name = name;
    this.#here = here;
    this.#offDuty = new OffDutyList(warn, () => this.#report());
    const { environment, config } = options;
    this.#preparation = new SlicePreparation({
      namespace,
      params: { ...config, speed: 1 },
      access: new DataAccess({ data: config.data, environment, draining: stopped, stopped }),
      views,
      payloads,
      environment,
      offDuty: this.#offDuty,
      lifetime: { draining: stopped },
    });
    this.#speaker = new Speaker({ broker, namespace, destinations, sender: name, warn });
    this.#worker = this.#makeWorker();
    this.#consumers = new SliceConsumers({
      broker,
      connectApart: () => recorder.connectApart(),
      namespace,
      destination: destinations.slices,
      slots,
      worker: this.#worker,
      reject: (delivery) => recorder.record(destinations.slices, delivery),
      unwanted: () => ({ ...views.unwanted(), ...this.#offDuty.unwanted() }),
      onChange: () => this.#report(),
      draining: stopped,
    });
    const refresh = (): void => this.#consumers.refresh();
    views.onPaused(refresh);
    this.#offDuty.onKinds(refresh);
  }

  async run(): Promise<void> {
    const timer = setInterval(() => this.#report(), reportMilliseconds);
    try {
      await this.#consumers.run();
    } finally {
      clearInterval(timer);
      this.#offDuty.close();
      this.#host.recorder.directory.forget(this.#name, hostedSince);
    }
  }

  #makeWorker(): SliceWorker {
    const { recorder, hostname } = this.#host;
    const { views } = recorder;
    const { held, lifetime, params, payload } = this.#here;
    // A fastmon agent elsewhere may publish its samples.
    const { url: own } = params.data;
    const isAway = ({ slice: { file_url: url = '' } }: DeliveredSlice): boolean =>
      isElsewhere(url) && (own === undefined || !isBelow(url, own));
    const isOurs = ({ slice }: DeliveredSlice): boolean => slice.execution_id === held.execution_id;
    return new SliceWorker({
      name: this.#name,
      hostname,
      standing: (delivered) => (isOurs(delivered) ? this.#standing(delivered) : views.standing(delivered)),
      changed: (signal) => views.changed(signal),
      overFor: ({ slice: { execution_id }, storeId }) =>
        execution_id === held.execution_id ? lifetime.stopped : views.overFor(execution_id, storeId),
      prepare: async (delivered) => {
        const prepared = isOurs(delivered) && !isAway(delivered) ? payload : await this.#preparation.prepare(delivered);
        if ('run' in prepared) this.#consumers.noteFit();
        else this.#consumers.noteUnfit(recorder.directory.hasOnDuty('worker', workKinds(delivered.slice)));
        return prepared;
      },
      begin: async (draft, delivered) => {
        if (isOurs(delivered)) return this.#record(draft);
        void this.#tell(draft, delivered);
        return true;
      },
      say: (draft, delivered) => (isOurs(delivered) ? this.#record(draft) : this.#tell(draft, delivered)),
      draining: lifetime.stopped,
      stopped: lifetime.stopped,
      onChange: () => this.#report(),
    });
  }

  #standing({ slice: { slice_filename, attempt } }: DeliveredSlice): ExecutionStanding {
    const { queue } = this.#here;
    // Fast processing fails a slice that was given up after too many lost starts.
    if (queue.standing(slice_filename, attempt) !== 'open') return 'over';
    return queue.isOpen() ? 'open' : 'paused';
  }

  /** Returns false if a slice may not start because a pause came in between. */
  async #record(draft: Draft): Promise<boolean> {
    const { execution, queue } = this.#here;
    let isWanted = true;
    const says = (): Draft[] => {
      // Checked inside the step, where nothing can come in between.
      isWanted = draft.msg_type !== 'slice_started' || queue.isOpen();
      return isWanted ? [draft] : [];
    };
    await execution.journal.step({ sender: this.#name, tick: execution.clock.now(), says });
    return isWanted;
  }

  /** Reports on another recorder's slice. */
  #tell(draft: Draft, { slice: { execution_id, run_id }, storeId, replyTo }: DeliveredSlice): Promise<boolean> {
    return this.#speaker.say(draft, { execution_id, run_id, storeId, replyTo });
  }

  #report(): void {
    this.#host.recorder.directory.hear(this.#name, hostedSince, {
      agent_type: 'worker',
      in_hand: this.#worker.inHand,
      free_slots: this.#consumers.freeSlots,
      off_duty: this.#offDuty.list(),
    });
  }
}
