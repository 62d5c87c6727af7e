import type { BrokerConnection } from '../../broker/connection.ts';
import type { Config } from '../../config/schema.ts';
import { reportsIn } from '../../exchange/wire.ts';
import { pause } from '../../lib/deadline.ts';
import type { Telemetry } from '../../messages/telemetry.ts';

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
  const hear = (report: Telemetry | undefined): void => {
    if (report?.msg_type === 'execution_state' && report.status === 'running') onState(report.execution_id);
    if (report?.msg_type !== 'agent_heartbeat' || report.state === 'EXITED') return;
    if (report.agent_name !== name && report.agent_type !== name) return;
    agent = report.agent_name;
    heard.abort();
  };
  broker.subscribe(reportsIn(namespace, section.destinations.telemetry, hear));
  await pause(milliseconds, [heard.signal]);
  return agent;
}
