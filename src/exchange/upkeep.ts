import type { BrokerConnection } from '../broker/connection.ts';
import { renewExpiredSlices, takeOverUnsent } from '../db/log/outbox.ts';
import { heartbeatSeconds, type LivenessTest } from '../db/presence/leases.ts';
import { claimListener } from '../db/presence/listener-lease.ts';
import type { Store } from '../db/sqlite/store.ts';
import type { MessageType } from '../messages/vocabulary.ts';

export interface UpkeepOptions {
  store: Store;
  processId: number;
  namespace: string;
  isAlive: LivenessTest;
  /** The message types that this process's agents say: what gone processes left of them is sent from here. */
  says: readonly MessageType[];
  /** Opens the store's durable subscription. */
  listen: () => BrokerConnection;
  /** Rows may have become unsent. */
  resend: () => void;
  onFault: (error: unknown) => void;
}

const renewEverySeconds = 60;

/**
 * Every few seconds: takes over what gone processes have left unsent, renews slices that have expired, and sees that one process of the store
 * listens durably.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #timer: NodeJS.Timeout;
  #listener: BrokerConnection | undefined;
  #renewedAt = -Infinity;
  #isClosed = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), heartbeatSeconds * 1000);
    this.#tick();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    void this.#listener?.close();
  }

  #tick(): void {
    this.#keepUp().catch(this.#options.onFault);
  }

  async #keepUp(): Promise<void> {
    const { store, processId, namespace, isAlive, says, resend } = this.#options;
    const isDue = performance.now() - this.#renewedAt > renewEverySeconds * 1000;
    // The fast processing agent says slices, so slices are renewed where it works.
    const renews = says.includes('slice') && isDue;
    if (renews) this.#renewedAt = performance.now();
    const { taken, listens } = await store.write((tx) => {
      if (renews) renewExpiredSlices(tx, processId);
      return {
        taken: takeOverUnsent(tx, processId, says, isAlive),
        listens: claimListener(tx, namespace, processId, isAlive),
      };
    });
    if (this.#isClosed) return;
    if (taken > 0 || renews) resend();
    this.#listenOrNot(listens);
  }

  #listenOrNot(listens: boolean): void {
    if (listens) this.#listener ??= this.#options.listen();
    else {
      // Another process has taken the place: two would fight over the client id.
      void this.#listener?.close();
      this.#listener = undefined;
    }
  }
}
