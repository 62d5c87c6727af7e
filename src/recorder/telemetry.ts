import type { Delivery, Subscription } from '../broker/connection.ts';
import { forgiveSilence, recordRemoteHeartbeat, recordRemoteLines } from '../db/presence/remote-agents.ts';
import type { Store } from '../db/sqlite/store.ts';
import type { ExecutionViews } from '../exchange/execution-views.ts';
import { type AgentHeartbeat, type AgentLog, telemetryOf } from '../messages/telemetry.ts';
import type { AgentDirectory } from './agent-directory.ts';

export interface TelemetryOptions {
  store: Store;
  namespace: string;
  storeId: string;
  destination: string;
  directory: AgentDirectory;
  views: ExecutionViews;
  /** Told of an agent that was not heard before: it knows of no execution yet. */
  onNewcomer: () => void;
  onFault: (error: unknown) => void;
}

/** Hears what remote agents say of themselves, and enters it into the store: `list_agents` and `list_logs` answer from there. */
export class TelemetryInbox {
  readonly #options: TelemetryOptions;
  #waiting: (AgentHeartbeat | AgentLog)[] = [];
  #isWorking = false;

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  subscription(): Subscription {
    const { namespace, destination } = this.#options;
    return {
      id: 'telemetry',
      destination,
      ack: 'auto',
      only: () => ({ namespace }),
      onMessage: (delivery) => this.#hear(delivery),
    };
  }

  /** Nobody was heard since then, for it was we who were cut off. @param since ISO 8601 */
  forgive(since: string): void {
    const { store, onFault } = this.#options;
    store.write((tx) => forgiveSilence(tx, since)).catch(onFault);
  }

  #hear({ decoded }: Delivery): void {
    const { namespace, storeId, directory, views, onNewcomer } = this.#options;
    const telemetry = telemetryOf(decoded);
    if (telemetry === undefined || telemetry.namespace !== namespace) return;
    if (telemetry.msg_type === 'execution_state') {
      // Our own are known already.
      if (telemetry.store_id !== storeId) views.hear(telemetry);
      return;
    }
    if (telemetry.msg_type === 'agent_heartbeat') {
      // A recorder says so for others; of itself it knows better.
      if (telemetry.agent_type === 'daq_simulator') return;
      const { agent_name, since, state } = telemetry;
      if (directory.sinceOf(agent_name) !== since) onNewcomer();
      if (state === 'EXITED') directory.forget(agent_name, since);
      else directory.hear(agent_name, since, telemetry);
    }
    this.#waiting.push(telemetry);
    if (!this.#isWorking) void this.#drain();
  }

  async #drain(): Promise<void> {
    const { store, onFault } = this.#options;
    this.#isWorking = true;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting;
        this.#waiting = [];
        await store.write((tx) => {
          for (const telemetry of batch)
            if (telemetry.msg_type === 'agent_heartbeat') recordRemoteHeartbeat(tx, telemetry);
            else recordRemoteLines(tx, telemetry);
        });
      }
    } catch (error) {
      onFault(error);
    } finally {
      this.#isWorking = false;
    }
  }
}
