import { metric, type Sample } from './prometheus-text.ts';

/** Figures of an observer process at one moment. */
export interface ObserverFigures {
  version: string;
  /** Store schema version that this program knows. */
  schema: number;
  /** Undefined if it listens to no broker. */
  isConnected: boolean | undefined;
  reconnects: number;
  /** Messages since the process started, by topic. */
  messages: ReadonlyMap<string, number>;
  /** When the newest message came, in milliseconds since 1970. */
  lastMessageAt: number | undefined;
  /** Lines on their way into each place. */
  places: readonly { kind: string; waiting: number; dropped: number; isFailing: boolean }[];
}

/** Formats an observer's figures for Prometheus (text format 0.0.4). */
export function observerMetricsText(figures: ObserverFigures): string {
  const { version, schema, isConnected, lastMessageAt, places } = figures;
  const byPlace = (value: (place: (typeof places)[number]) => number): Sample[] =>
    places.map((place) => [{ place: place.kind }, value(place)]);
  return [
    ...metric('swf_build_info', 'gauge', 'This program.', [[{ version, schema: String(schema) }, 1]]),
    ...metric(
      'swf_broker_connected',
      'gauge',
      '1 while the broker is there.',
      isConnected === undefined ? [] : [[{}, isConnected ? 1 : 0]],
    ),
    ...metric('swf_broker_reconnects_total', 'counter', 'Connections that came back.', [[{}, figures.reconnects]]),
    ...metric(
      'swf_observer_messages_total',
      'counter',
      'Messages that were heard, by topic.',
      [...figures.messages].map(([topic, count]): Sample => [{ topic }, count]),
    ),
    ...metric(
      'swf_observer_last_message_timestamp_seconds',
      'gauge',
      'When the newest message came; absent before the first.',
      lastMessageAt === undefined ? [] : [[{}, lastMessageAt / 1000]],
    ),
    ...metric(
      'swf_observer_waiting_lines',
      'gauge',
      'Lines that are not written yet.',
      byPlace(({ waiting }) => waiting),
    ),
    ...metric(
      'swf_observer_dropped_messages_total',
      'counter',
      'Messages that were not recorded, since there was no room for them.',
      byPlace(({ dropped }) => dropped),
    ),
    ...metric(
      'swf_observer_cannot_write',
      'gauge',
      '1 while lines cannot be written.',
      byPlace(({ isFailing }) => (isFailing ? 1 : 0)),
    ),
    '',
  ].join('\n');
}
