import { recordRemoteHeartbeat, recordRemoteLines } from '../db/presence/remote-agents.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { reportsIn } from '../exchange/wire.ts';
import { inBatches } from '../lib/batches.ts';
import { type AgentHeartbeat, type AgentLog, isRefused, wireVersion } from '../messages/telemetry.ts';
import type { Basics, Surroundings } from './surroundings.ts';

interface TelemetryOptions extends Basics, Pick<Surroundings, 'directory' | 'views' | 'warn'> {
  /** Called for every message on the topic, including our own. */
  onHeard: () => void;
  /** Called for an agent's first report: the agent does not yet know of any execution. */
  onNewcomer: () => void;
}

/**
 * Receives remote agents' reports about themselves and records them in the store, where `list_agents` and
 * `list_logs` read them.
 */
export function createTelemetryInbox(options: TelemetryOptions) {
  const { store, namespace, storeId, destinations, directory, views, warn, onFault, onHeard, onNewcomer } = options;
  /**
   * The subjects of earlier warnings: workers that run earlier builds, and other stores whose recorders use
   * this namespace.
   */
  const warned = new Set<string>();

  const warnOnce = (about: string, sentence: string) => {
    if (!warned.has(about)) warn(sentence);
    warned.add(about);
  };
  const noteRecorder = (id: string, name: string) => warnOnce(`store ${id}`, otherStore(name, namespace));

  const add = inBatches<AgentHeartbeat | AgentLog>(
    Infinity,
    (batch) =>
      store.write((tx) => {
        for (const telemetry of batch) record(tx, telemetry);
      }),
    onFault,
  );

  function hear(telemetry: AgentHeartbeat | AgentLog) {
    if (telemetry.msg_type === 'agent_heartbeat') {
      const { agent_name, hostname, pid, store_id, since } = telemetry;
      // A recorder's heartbeat is for other processes; this recorder knows its own state better.
      if (telemetry.agent_type === 'daq_simulator') {
        if (store_id !== undefined && store_id !== storeId)
          noteRecorder(store_id, `${agent_name}, process ${pid} on ${hostname},`);
        return;
      }
      if (directory.sinceOf(agent_name) !== since) onNewcomer();
      directory.note(telemetry);
      if (isRefused(telemetry)) warnOnce(agent_name, refusalOf(telemetry));
    }
    add(telemetry);
  }

  return reportsIn(namespace, destinations.telemetry, (report) => {
    onHeard();
    if (report === undefined || report.namespace !== namespace) return;
    if (report.msg_type !== 'execution_state') return hear(report);
    // The states of our own executions are known already.
    if (report.store_id === storeId) return;
    views.hear(report);
    noteRecorder(report.store_id, report.sender);
  });
}

const record = (tx: Transaction, telemetry: AgentHeartbeat | AgentLog) =>
  telemetry.msg_type === 'agent_heartbeat' ? recordRemoteHeartbeat(tx, telemetry) : recordRemoteLines(tx, telemetry);

const otherStore = (name: string, namespace: string) =>
  `${name} is recording namespace ${namespace} on this broker into another store: each store has only its own executions, and a request may go to either store; give one of the stores its own namespace (testbed.namespace)`;

const refusalOf = ({ agent_name, hostname, version, wire }: AgentHeartbeat) =>
  `${agent_name} on ${hostname} is refused: it uses message version ${wire}, but this recorder uses ${wireVersion}; install the recorder's version of swf-mcp there (that host has ${version})`;
