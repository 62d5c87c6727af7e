import type { BrokerConnection } from '../../broker/connection.ts';
import type { Config } from '../../config/schema.ts';
import { reportsIn } from '../../exchange/reports.ts';
import { pause } from '../../lib/deadline.ts';
import type { Telemetry } from '../../messages/telemetry.ts';

/** The first agent of this name or type whose heartbeat comes in time. @param onState called with each running execution that a recorder reports meanwhile */
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
