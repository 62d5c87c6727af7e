import { randomUUID } from 'node:crypto';

import type { BrokerConnection } from '../../broker/connection.ts';
import type { Config } from '../../config/schema.ts';
import { connectGuarded } from '../../exchange/namespace-guard.ts';
import { reportsIn } from '../../exchange/wire.ts';
import { pause } from '../../lib/deadline.ts';
import { executionInUse } from '../../lib/errors.ts';
import { utcNow } from '../../lib/time.ts';
import type { Telemetry } from '../../messages/telemetry.ts';
import { brokerChoice } from '../shared/broker-choice.ts';
import { configWithBroker } from '../shared/configured.ts';
import { type BrokerFlags, type Io, userName } from '../shared/io.ts';

interface RequestArguments extends BrokerFlags {
  speed: number;
}

/** How long to wait for a recorder service, in milliseconds: it sends a heartbeat every five seconds. */
const hearMilliseconds = 7000;

/**
 * `swf-mcp request`: requests an execution from the recorder service of a namespace, from any host. Returns
 * when the broker has the request.
 */
export async function requestCommand(io: Io, { speed, ...flags }: RequestArguments) {
  const { settings, config } = configWithBroker(io, 'request', flags);
  const { namespace } = config.testbed;
  const { telemetry } = config.broker.destinations;
  const how = { patient: false, onTrouble: () => {}, namespace, telemetry };
  const broker = await connectGuarded(brokerChoice(io, settings, config), how);
  try {
    const command_id = randomUUID();
    await send(broker, config, { command_id, user: userName(io), speed });
    let driven: string | undefined;
    const recorder = await hearAgent(broker, config, 'daq_simulator', hearMilliseconds, (id) => (driven = id));
    if (recorder === undefined && driven !== undefined)
      throw executionInUse(
        `${command_id} is refused: namespace ${namespace} is being recorded by run ${driven}, which accepts no requests; repeat the request when that run has ended, or use "swf-mcp up" as the recorder`,
      );
    io.out(`${command_id} is requested\n`);
    if (recorder === undefined)
      io.err(
        `WARNING no recorder service for namespace ${namespace} has been heard from; the broker keeps the request until one starts; start one with "swf-mcp up" or "swf-mcp agent daq_simulator"`,
      );
    else
      io.err(`${recorder} handles it; "swf-mcp list" on its host shows the execution, or why the request was refused`);
  } finally {
    await broker.close();
  }
}

function send(broker: BrokerConnection, config: Config, asked: { command_id: string; user: string; speed: number }) {
  const { workflow, fast_processing, fastmon, daq_state_machine, testbed } = config;
  const { namespace } = testbed;
  return broker.send({
    destination: config.broker.destinations.control,
    headers: { 'content-type': 'application/json', msg_type: 'run_workflow', namespace, vo: 'eic', persistent: 'true' },
    body: JSON.stringify({
      msg_type: 'run_workflow',
      command_id: asked.command_id,
      sender: asked.user,
      executed_by: asked.user,
      namespace,
      timestamp: utcNow(),
      workflow_name: workflow.name,
      speed: asked.speed,
      params: { fast_processing, fastmon, daq_state_machine },
    }),
  });
}

/**
 * Waits for the first heartbeat of an agent in the namespace of a configuration. Resolves with its name, or
 * with undefined if none arrives in time.
 * @param name the name of an agent, or an agent type
 * @param onState called with each running execution that a recorder reports while we wait
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
  const hear = (report: Telemetry | undefined) => {
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
