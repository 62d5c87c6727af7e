import type { BrokerConnection } from '../broker/connection.ts';
import { beatSeconds } from '../domain/liveness.ts';
import { reportOf } from '../exchange/reports.ts';
import { bootId, currentProcess } from '../lib/process-identity.ts';
import { utcNow, wallNow } from '../lib/time.ts';
import { type AgentHeartbeat, maxInHand } from '../messages/telemetry.ts';
import { wireVersion } from '../messages/wire-version.ts';

/** How often an agent shows that it lives, and at most how often it reports changes, in milliseconds. */
const everyMilliseconds = beatSeconds * 1000;
const changeMilliseconds = 1000;

/** The facts that never change while a process lives. */
export type Self = Pick<
  AgentHeartbeat,
  'agent_name' | 'agent_type' | 'hostname' | 'pid' | 'boot_id' | 'version' | 'since' | 'store_id'
>;

/** The facts about this process as an agent that begins now. */
export function selfOf(agent_name: string, agent_type: Self['agent_type'], version: string): Self {
  const { hostname, pid } = currentProcess();
  return { agent_name, agent_type, hostname, pid, boot_id: bootId(), version, since: utcNow() };
}

export type Report = Pick<AgentHeartbeat, 'in_hand' | 'free_slots' | 'slots' | 'off_duty'>;

export interface HeartbeatOptions {
  broker: BrokerConnection;
  namespace: string;
  destination: string;
  self: Self;
  report: () => Report;
}

export type RemoteHeartbeat = ReturnType<typeof startRemoteHeartbeat>;

/** Reports on the telemetry topic that a remote agent lives and what it has in hand. */
export function startRemoteHeartbeat({ broker, namespace, destination, self, report }: HeartbeatOptions) {
  let soon: NodeJS.Timeout | undefined;
  let lastAt = 0;
  let isClosed = false;

  async function send(state?: 'EXITED'): Promise<void> {
    if (!broker.isUp()) return;
    const { in_hand, ...rest } = report();
    const beat: AgentHeartbeat = {
      msg_type: 'agent_heartbeat',
      sender: self.agent_name,
      namespace,
      timestamp: wallNow(),
      ...self,
      state: state ?? (in_hand.length > 0 ? 'PROCESSING' : 'READY'),
      in_hand: in_hand.slice(0, maxInHand),
      ...rest,
      wire: wireVersion,
    };
    await broker.send(reportOf(destination, beat));
  }

  function sendNow(): void {
    clearTimeout(soon);
    soon = undefined;
    lastAt = performance.now();
    // The next heartbeat comes soon.
    send().catch(() => {});
  }

  const timer = setInterval(sendNow, everyMilliseconds);
  /** Sends nothing more: the name belongs to another process, which has not ended. */
  const silence = (): void => {
    isClosed = true;
    clearInterval(timer);
    clearTimeout(soon);
  };
  broker.onUp(sendNow);
  sendNow();
  return {
    silence,
    /** Call when something has changed that others should hear. */
    changed(): void {
      if (isClosed) return;
      soon ??= setTimeout(sendNow, Math.max(0, lastAt + changeMilliseconds - performance.now()));
    },
    /** Sends the last heartbeat: the agent ends. */
    async close(): Promise<void> {
      silence();
      await send('EXITED').catch(() => {});
    },
  };
}
