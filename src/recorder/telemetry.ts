import type { Subscription } from '../broker/connection.ts';
import { recordRemoteHeartbeat, recordRemoteLines } from '../db/presence/remote-agents.ts';
import { reportsIn } from '../exchange/reports.ts';
import { type AgentHeartbeat, type AgentLog, type Telemetry } from '../messages/telemetry.ts';
import { isRefused, wireVersion } from '../messages/wire-version.ts';
import type { Basics, Surroundings } from './surroundings.ts';

export interface TelemetryOptions extends Basics, Pick<Surroundings, 'directory' | 'views' | 'warn'> {
  /** Called with every message of the topic, our own too. */
  onHeard: () => void;
  /** Called for a newly heard agent, which knows no execution yet. */
  onNewcomer: () => void;
}

/** Hears remote agents' reports about themselves and enters them into the store: `list_agents` and `list_logs` answer from there. */
export class TelemetryInbox {
  readonly #options: TelemetryOptions;
  /** Workers of earlier builds already warned about. */
  readonly #refused = new Set<string>();
  /** Other stores that are recorded in this namespace, already warned about. */
  readonly #others = new Set<string>();
  #waiting: (AgentHeartbeat | AgentLog)[] = [];
  #isWorking = false;

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  subscription(): Subscription {
    const { namespace, destinations } = this.#options;
    return reportsIn(namespace, destinations.telemetry, (report) => this.#hear(report));
  }

  #hear(telemetry: Telemetry | undefined): void {
    const { namespace, storeId, directory, views, onHeard, onNewcomer } = this.#options;
    onHeard();
    if (telemetry === undefined || telemetry.namespace !== namespace) return;
    if (telemetry.msg_type === 'execution_state') {
      // Our own are known already.
      if (telemetry.store_id === storeId) return;
      views.hear(telemetry);
      this.#noteRecorder(telemetry.store_id, telemetry.sender);
      return;
    }
    if (telemetry.msg_type === 'agent_heartbeat') {
      // A recorder's heartbeat is for others; about itself it knows better.
      if (telemetry.agent_type === 'daq_simulator') {
        const { store_id, agent_name, hostname, pid } = telemetry;
        if (store_id !== undefined && store_id !== storeId)
          this.#noteRecorder(store_id, `${agent_name}, process ${pid} on ${hostname},`);
        return;
      }
      if (directory.sinceOf(telemetry.agent_name) !== telemetry.since) onNewcomer();
      directory.note(telemetry);
      if (isRefused(telemetry)) this.#noteRefused(telemetry);
    }
    this.#waiting.push(telemetry);
    if (!this.#isWorking) void this.#drain();
  }

  #noteRecorder(store: string, name: string): void {
    const { namespace, warn } = this.#options;
    if (this.#others.has(store)) return;
    this.#others.add(store);
    warn(
      `${name} records namespace ${namespace} on this broker into another store: each store has its own executions only, and a request goes to either; give one of them a namespace of its own (testbed.namespace)`,
    );
  }

  #noteRefused({ agent_name, hostname, version, wire }: AgentHeartbeat): void {
    if (this.#refused.has(agent_name)) return;
    this.#refused.add(agent_name);
    this.#options.warn(
      `${agent_name} on ${hostname} is refused: it speaks version ${wire} of the messages and this recorder ${wireVersion}; install this swf-mcp there (it has ${version})`,
    );
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
