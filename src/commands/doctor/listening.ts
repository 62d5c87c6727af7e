import type { BrokerConnection, Delivery } from '../../broker/connection.ts';
import { layoutSubscriptions } from '../../exchange/namespace-guard.ts';
import { decodedOf, reportsIn } from '../../exchange/wire.ts';
import { pause } from '../../lib/deadline.ts';
import { type ForeignProgram, foreignProgramOf } from '../../messages/foreign.ts';
import type { AgentHeartbeat, Telemetry } from '../../messages/telemetry.ts';

/** How many programs and agents to report. */
const most = 50;

export type Heard = Awaited<ReturnType<typeof listenTo>>;

/** Listens by plain subscriptions, which end with the connection: they take nothing from anybody and leave nothing behind. */
export async function listenTo(
  broker: BrokerConnection,
  topics: readonly string[],
  telemetry: { destination: string; namespace: string } | undefined,
  seconds: number,
) {
  /** Each by its name and namespace, with its first message. */
  const programs = new Map<string, ForeignProgram & { destination: string }>();
  const agents = new Map<string, AgentHeartbeat>();
  /** Milliseconds by which the broker's clock is ahead of ours, by the least delayed message; undefined if none carried its time. */
  let skew: number | undefined;
  const noteTime = ({ headers: { timestamp } }: Delivery): void => {
    if (timestamp === undefined || !/^\d{1,15}$/.test(timestamp)) return;
    // A message that waited somewhere makes the skew look smaller, so the largest value counts.
    skew = Math.max(skew ?? -Infinity, Number(timestamp) - Date.now());
  };
  const hear = (destination: string, delivery: Delivery): void => {
    noteTime(delivery);
    const program = foreignProgramOf(decodedOf(delivery), delivery.headers);
    const key = `${program?.name} ${program?.namespace}`;
    if (program !== undefined && !programs.has(key) && programs.size < most)
      programs.set(key, { ...program, destination });
  };
  const hearReport = (report: Telemetry | undefined, delivery: Delivery): void => {
    noteTime(delivery);
    if (report?.msg_type === 'agent_heartbeat' && agents.size < most) agents.set(report.agent_name, report);
  };
  const subscriptions = layoutSubscriptions(topics, hear);
  if (telemetry !== undefined) subscriptions.push(reportsIn(telemetry.namespace, telemetry.destination, hearReport));
  for (const subscription of subscriptions) broker.subscribe(subscription);
  await pause(seconds * 1000);
  for (const { id } of subscriptions) broker.unsubscribe(id);
  return { programs: [...programs.values()], agents: [...agents.values()], skew };
}
