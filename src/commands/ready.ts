import { connectByStomp } from '../broker/stomp-connection.ts';
import { brokerSettings } from '../config/broker.ts';
import { loadConfig } from '../config/load.ts';
import { requireOwnNamespace } from '../config/policies.ts';
import { connectToBroker } from '../exchange/broker-start.ts';
import { pause } from '../lib/deadline.ts';
import { SwfError } from '../lib/errors.ts';
import { telemetryOf } from '../messages/telemetry.ts';
import { configPlaces, exitCodes, type Io } from './io.ts';

export interface ReadyArguments {
  /** The agent, or a type of agents. */
  name: string;
  broker: string | undefined;
  config: string | undefined;
  sets: string[];
  /** Seconds. */
  wait: number;
}

/** `swf-mcp ready`: waits for the first heartbeat of an agent. Returns 0 when it comes, 1 when it does not. */
export async function readyCommand(
  io: Io,
  { name, broker: flag, config, sets, wait }: ReadyArguments,
): Promise<number> {
  const loaded = loadConfig({ name: config, sets, ...configPlaces(io) });
  const settings = brokerSettings(flag, loaded.config.broker, io.env);
  if (settings === undefined)
    throw new SwfError(
      'CONFIG_INVALID',
      'ready needs a broker; give --broker stomp://HOST:PORT, or [broker] url in its configuration',
    );
  requireOwnNamespace(loaded);
  const { testbed, broker: section } = loaded.config;
  const { namespace } = testbed;
  const late = new AbortController();
  const heard = new AbortController();
  const timer = setTimeout(() => late.abort(), wait * 1000);
  const onTrouble = (): void => {};
  const connecting = connectToBroker(
    { settings, connect: connectByStomp },
    { patient: true, signal: late.signal, onTrouble },
  );
  const broker = await Promise.race([connecting, pause(wait * 1000, [late.signal])]);
  let agent: string | undefined;
  broker?.subscribe({
    id: 'ready',
    destination: section.destinations.telemetry,
    ack: 'auto',
    only: () => ({ namespace }),
    onMessage({ decoded }) {
      const telemetry = telemetryOf(decoded);
      if (telemetry?.msg_type !== 'agent_heartbeat' || telemetry.state === 'EXITED') return;
      if (telemetry.agent_name !== name && telemetry.agent_type !== name) return;
      agent = telemetry.agent_name;
      heard.abort();
    },
  });
  if (broker !== undefined) await pause(wait * 1000, [heard.signal, late.signal]);
  clearTimeout(timer);
  late.abort();
  await broker?.close();
  if (agent === undefined) io.err(`${name} of namespace ${namespace} was not heard within ${wait} s`);
  else io.out(`${agent} is ready\n`);
  return agent === undefined ? exitCodes.mendable : exitCodes.fine;
}
