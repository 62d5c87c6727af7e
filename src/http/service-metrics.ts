import { by, counter, gauge, histogram, type Sample } from './prometheus-text.ts';

interface Program {
  version: string;
  /** The store schema version that this program knows. */
  schema: number;
}

interface Traffic {
  /** Whether the service is connected; undefined if it uses no broker. */
  isConnected: boolean | undefined;
  reconnects: number;
}

/** The figures that every service has: its version, and its connection to the broker. */
const serviceLines = ({ version, schema }: Program, { isConnected, reconnects }: Traffic) => [
  ...gauge('swf_build_info', 'Version of this program.', [[{ version, schema: String(schema) }, 1]]),
  ...gauge(
    'swf_broker_connected',
    '1 while connected to the broker.',
    isConnected === undefined ? [] : Number(isConnected),
  ),
  ...counter('swf_broker_reconnects_total', 'Reconnections to the broker.', reconnects),
];

/** Figures of an agent or recorder process at one moment. */
interface AgentFigures extends Program {
  traffic: Traffic & {
    /** Messages since the process started, by type. */
    sent: ReadonlyMap<string, number>;
    received: ReadonlyMap<string, number>;
    refused: ReadonlyMap<string, number>;
    steps: Parameters<typeof histogram>[2];
  };
  /**
   * Messages not confirmed by the broker; `oldest`: when the oldest was queued, in milliseconds since
   * 1970.
   */
  unsent: { count: number; oldest: number | undefined };
  /** Number of messages waiting to be read and answered, by role, for agents that read broadcasts. */
  behind: Readonly<Record<string, number>>;
  /** Slots by state, for workers. */
  slots: Readonly<Record<string, number>>;
  /** Kinds of work that the agent cannot do, by reason. */
  offDuty: Readonly<Record<string, number>>;
}

/** Formats an agent's figures for Prometheus (text format 0.0.4). */
export function agentMetricsText(figures: AgentFigures) {
  const { traffic, unsent, behind, offDuty, slots } = figures;
  return [
    ...serviceLines(figures, traffic),
    ...gauge('swf_outbox_unsent_messages', 'Messages not yet confirmed by the broker.', unsent.count),
    ...gauge(
      'swf_outbox_oldest_unsent_timestamp_seconds',
      'Unix time at which the oldest unconfirmed message was queued; absent if there is none.',
      unsent.oldest && unsent.oldest / 1000,
    ),
    ...counter('swf_messages_sent_total', 'Messages confirmed by the broker.', by('type', traffic.sent)),
    ...counter('swf_messages_received_total', 'Messages received from the broker.', by('type', traffic.received)),
    ...counter('swf_messages_refused_total', 'Messages refused by the broker.', by('type', traffic.refused)),
    ...gauge('swf_reader_behind_messages', 'Messages waiting to be processed.', by('role', Object.entries(behind))),
    ...gauge(
      'swf_off_duty_kinds',
      'Kinds of work (payloads, files) that this agent currently cannot do.',
      by('reason', Object.entries(offDuty)),
    ),
    ...gauge('swf_slots', 'Slots of this worker.', by('state', Object.entries(slots))),
    ...histogram('swf_step_duration_seconds', 'Time to process a message or a slice.', traffic.steps),
    '',
  ].join('\n');
}

/** Figures of an observer process at one moment. */
interface ObserverFigures extends Program, Traffic {
  /** Messages since the process started, by topic. */
  messages: ReadonlyMap<string, number>;
  /** When the newest message arrived, in milliseconds since 1970. */
  lastMessageAt: number | undefined;
  /** Lines that wait to be written to each place, such as the store. */
  places: readonly { kind: string; waiting: number; dropped: number; isFailing: boolean }[];
}

/** Formats an observer's figures for Prometheus (text format 0.0.4). */
export function observerMetricsText(figures: ObserverFigures) {
  const byPlace = (figure: 'waiting' | 'dropped' | 'isFailing'): Sample[] =>
    figures.places.map((place) => [{ place: place.kind }, Number(place[figure])]);
  return [
    ...serviceLines(figures, figures),
    ...counter('swf_observer_messages_total', 'Messages received, by topic.', by('topic', figures.messages)),
    ...gauge(
      'swf_observer_last_message_timestamp_seconds',
      'Unix time at which the newest message arrived; absent before the first.',
      figures.lastMessageAt && figures.lastMessageAt / 1000,
    ),
    ...gauge('swf_observer_waiting_lines', 'Received lines (messages and gaps) not yet written.', byPlace('waiting')),
    ...counter(
      'swf_observer_dropped_messages_total',
      'Messages dropped because too many lines were waiting.',
      byPlace('dropped'),
    ),
    ...gauge('swf_observer_cannot_write', '1 while lines cannot be written.', byPlace('isFailing')),
    '',
  ].join('\n');
}
