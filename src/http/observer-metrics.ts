import { metric, type Sample } from './prometheus-text.ts';

/** The figures of the process of an observer at a moment. */
export interface ObserverFigures {
  version: string;
  /** Of the store that this program knows. */
  schema: number;
  /** Undefined where no broker is listened to. */
  isConnected: boolean | undefined;
  reconnects: number;
  /** Messages since the process began, by topic. */
  messages: ReadonlyMap<string, number>;
  /** When the newest came, in milliseconds since 1970. */
  lastMessageAt: number | undefined;
  /** Lines on their way into each place. */
  places: readonly { kind: string; waiting: number; dropped: number; isFailing: boolean }[];
}

/** The figures of an observer as Prometheus reads them (text format 0.0.4). */
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
