import type { BrokerConnection, Delivery, Subscription } from '../../broker/connection.ts';
import { decodedOf } from '../../exchange/decoding.ts';
import { pause } from '../../lib/deadline.ts';
import { type ForeignProgram, foreignProgramOf } from '../../messages/foreign.ts';
import { type AgentHeartbeat, telemetryOf } from '../../messages/telemetry.ts';

/** Programs and agents that are told of. */
const most = 50;

/** Those that said something meanwhile. */
export interface Heard {
  /** Each by its name and namespace, with its first word. */
  programs: (ForeignProgram & { destination: string })[];
  agents: AgentHeartbeat[];
  /** Milliseconds by which the broker's clock is ahead of ours, by the least delayed message; undefined where none bore its time. */
  skew: number | undefined;
}

/** Listens by plain subscriptions, which end with the connection: nothing is taken from anybody, and nothing stays. */
export async function listenTo(
  broker: BrokerConnection,
  {
    topics,
    telemetry,
    seconds,
  }: {
    topics: readonly string[];
    telemetry: { destination: string; namespace: string } | undefined;
    seconds: number;
  },
): Promise<Heard> {
  const programs = new Map<string, Heard['programs'][number]>();
  const agents = new Map<string, AgentHeartbeat>();
  let skew: number | undefined;
  const noteTime = ({ headers: { timestamp } }: Delivery): void => {
    if (timestamp === undefined || !/^\d{1,15}$/.test(timestamp)) return;
    // Of an old message that waited somewhere the newest of its kind knows better.
    skew = Math.max(skew ?? -Infinity, Number(timestamp) - Date.now());
  };
  const hear = (destination: string, delivery: Delivery): void => {
    noteTime(delivery);
    const program = foreignProgramOf(decodedOf(delivery), delivery.headers);
    const key = `${program?.name} ${program?.namespace}`;
    if (program !== undefined && !programs.has(key) && programs.size < most)
      programs.set(key, { ...program, destination });
  };
  const subscriptions: Subscription[] = topics.map((destination, at) => ({
    id: `doctor-${at + 1}`,
    destination,
    ack: 'auto',
    copiesOnly: true,
    onMessage: (delivery) => hear(destination, delivery),
  }));
  if (telemetry !== undefined)
    subscriptions.push({
      id: 'doctor-0',
      destination: telemetry.destination,
      ack: 'auto',
      only: () => ({ namespace: telemetry.namespace }),
      onMessage(delivery) {
        noteTime(delivery);
        const said = telemetryOf(decodedOf(delivery));
        if (said?.msg_type === 'agent_heartbeat' && agents.size < most) agents.set(said.agent_name, said);
      },
    });
  for (const subscription of subscriptions) broker.subscribe(subscription);
  await pause(seconds * 1000);
  for (const { id } of subscriptions) broker.unsubscribe(id);
  return { programs: [...programs.values()], agents: [...agents.values()], skew };
}
