import { by, counter, gauge, type Sample } from './prometheus-text.ts';

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
  const byPlace = (figure: 'waiting' | 'dropped' | 'isFailing'): Sample[] =>
    places.map((place) => [{ place: place.kind }, Number(place[figure])]);
  return [
    ...gauge('swf_build_info', 'This program.', [[{ version, schema: String(schema) }, 1]]),
    ...gauge(
      'swf_broker_connected',
      '1 while the broker is there.',
      isConnected === undefined ? [] : Number(isConnected),
    ),
    ...counter('swf_broker_reconnects_total', 'Connections that came back.', figures.reconnects),
    ...counter('swf_observer_messages_total', 'Messages that were heard, by topic.', by('topic', figures.messages)),
    ...gauge(
      'swf_observer_last_message_timestamp_seconds',
      'When the newest message came; absent before the first.',
      lastMessageAt && lastMessageAt / 1000,
    ),
    ...gauge('swf_observer_waiting_lines', 'Lines that are not written yet.', byPlace('waiting')),
    ...counter(
      'swf_observer_dropped_messages_total',
      'Messages that were not recorded, since there was no room for them.',
      byPlace('dropped'),
    ),
    ...gauge('swf_observer_cannot_write', '1 while lines cannot be written.', byPlace('isFailing')),
    '',
  ].join('\n');
}
