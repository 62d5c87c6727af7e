import { connectByStomp } from '../../broker/stomp-connection.ts';
import { brokerSettings } from '../../config/broker.ts';
import { loadConfig } from '../../config/load.ts';
import { schemaHistory } from '../../db/migrations/index.ts';
import { newestVersion } from '../../db/opening/schema-version.ts';
import { observerMetricsText } from '../../http/observer-metrics.ts';
import { SwfError } from '../../lib/errors.ts';
import type { LayoutName } from '../../messages/layouts.ts';
import { observedTopics } from '../../observed/topics.ts';
import { type Listening, observe } from '../../observer/observer.ts';
import { asPassing, serveMetrics } from '../serve/process-metrics.ts';
import { configPlaces, type Io } from '../shared/io.ts';
import { asService, tellReady } from '../shared/service-manager.ts';
import { type Listened, type Place, placesOf } from './places.ts';

/** The topics that are listened to, and their broker, as they were asked for. */
export interface ListeningArguments {
  broker: string | undefined;
  config: string | undefined;
  sets: string[];
  layout: LayoutName | undefined;
  topics: string[];
  namespaces: string[];
}

export interface ObserveArguments extends ListeningArguments {
  /** A file, or a folder whose name ends with `/`, to record to: alone, where nothing names a store. */
  record: string | undefined;
  /** Where figures are told for Prometheus, as it was given. */
  metrics: string | undefined;
  /** It ends as at SIGTERM when the process that has started it has ended. */
  untilParentEnds: boolean;
}

/** `swf-mcp observe`: records what a testbed says, until SIGTERM. Returns the exit code. */
export function observeCommand(io: Io, args: ObserveArguments): Promise<number> {
  io.keepGoingWithoutOutput();
  // The one before may still be writing, or its machine was started again a moment ago.
  return asService(io, () => listen(io, args), ['AGENT_IN_USE']);
}

async function listen(io: Io, args: ObserveArguments): Promise<void> {
  const heard = listenedBy(io, args);
  const { settings, topics, namespaces } = heard;
  const interrupted = new AbortController();
  io.onInterrupt(() => interrupted.abort());
  if (args.untilParentEnds) io.onParentEnd(() => interrupted.abort());
  const places = await placesOf(io, args.record, heard);
  let ear: Listening | undefined;
  let endMetrics = (): Promise<void> => Promise.resolve();
  try {
    endMetrics = await serveMetrics(io, args.metrics, () => figuresOf(io.version, ear, places)).catch(
      (error: unknown) => {
        throw args.untilParentEnds ? asPassing(error) : error;
      },
    );
    await observe({
      settings,
      connect: connectByStomp,
      topics,
      namespaces,
      take: (line, time) => {
        const text = JSON.stringify(line);
        for (const place of places) place.add(line, time, text);
      },
      onListening: () => {
        tellReady(io);
        for (const { noteListening } of places) void noteListening?.();
      },
      onEar: (listening) => {
        ear = listening;
        for (const { keepHearing } of places) keepHearing?.(() => listening.isHearing);
      },
      say: (line) => io.err(line),
      signal: interrupted.signal,
    });
  } finally {
    for (const place of places) await place.close();
    await endMetrics();
  }
}

const figuresOf = (version: string, ear: Listening | undefined, places: readonly Place[]): string =>
  observerMetricsText({
    version,
    schema: newestVersion(schemaHistory),
    isConnected: ear?.isHearing ?? false,
    reconnects: ear?.reconnects ?? 0,
    messages: ear?.messages ?? new Map(),
    lastMessageAt: ear?.lastMessageAt,
    places: places.map(({ kind, backlog }) => ({ kind, ...backlog() })),
  });

/** Throws `CONFIG_INVALID` where that cannot be listened to. */
export function listenedBy(
  io: Io,
  { broker, config: name, sets, layout, topics, namespaces }: ListeningArguments,
): Listened {
  const { config } = loadConfig({ name, sets, ...configPlaces(io) });
  const settings = brokerSettings(broker, config.broker, io.env);
  if (settings === undefined)
    throw new SwfError('CONFIG_INVALID', 'an observer listens to a broker; give --broker stomp://HOST:PORT');
  return { settings, topics: observedTopics(topics, layout ?? config.broker.layout), namespaces };
}
