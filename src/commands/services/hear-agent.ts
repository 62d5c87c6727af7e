import type { BrokerConnection } from '../../broker/connection.ts';
import type { Config } from '../../config/schema.ts';
import { decodedOf } from '../../exchange/decoding.ts';
import { pause } from '../../lib/deadline.ts';
import { telemetryOf } from '../../messages/telemetry.ts';

/**
 * Waits for the first heartbeat of an agent in the namespace of a configuration. Resolves with its name, or with undefined if none comes in time.
 * @param name of the agent, or of a type of agents
 * @param onState called with each running execution that a recorder reports meanwhile
 */
export async function hearAgent(
  broker: BrokerConnection,
  { testbed: { namespace }, broker: section }: Config,
  name: string,
  milliseconds: number,
  onState: (executionId: string) => void = () => {},
): Promise<string | undefined> {
  const heard = new AbortController();
  let agent: string | undefined;
  broker.subscribe({
    id: 'heartbeats',
    destination: section.destinations.telemetry,
    ack: 'auto',
    only: () => ({ namespace }),
    onMessage(delivery) {
      const telemetry = telemetryOf(decodedOf(delivery));
      if (telemetry?.msg_type === 'execution_state' && telemetry.status === 'running') onState(telemetry.execution_id);
      if (telemetry?.msg_type !== 'agent_heartbeat' || telemetry.state === 'EXITED') return;
      if (telemetry.agent_name !== name && telemetry.agent_type !== name) return;
      agent = telemetry.agent_name;
      heard.abort();
    },
  });
  await pause(milliseconds, [heard.signal]);
  return agent;
}
