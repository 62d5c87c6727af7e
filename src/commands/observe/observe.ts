import type { BrokerSettings } from '../../broker/connection.ts';
import { connectByStomp } from '../../broker/stomp-connection.ts';
import { brokerSettings } from '../../config/broker.ts';
import { loadConfig } from '../../config/load.ts';
import { schemaHistory } from '../../db/migrations/index.ts';
import { newestVersion } from '../../db/opening/schema-version.ts';
import type { TestbedRequest } from '../../db/stand-in/requests.ts';
import { observerMetricsText } from '../../http/observer-metrics.ts';
import { aborted } from '../../lib/deadline.ts';
import { configInvalid } from '../../lib/errors.ts';
import type { LayoutName } from '../../messages/layouts.ts';
import { observedTopics } from '../../observed/topics.ts';
import { type Listening, observe } from '../../observer/observer.ts';
import { asPassing, serveMetrics } from '../serve/process-metrics.ts';
import { configPlaces, type Io } from '../shared/io.ts';
import { asService, tellReady } from '../shared/service-manager.ts';
import { type Listened, type Place, placesOf } from './places.ts';
import type { MonitorReading, readMonitor } from './read-monitor.ts';

/** The requested topics, and their broker. */
export interface ListeningArguments {
  broker: string | undefined;
  config: string | undefined;
  sets: string[];
  layout: LayoutName | undefined;
  topics: string[];
  namespaces: string[];
}

export interface ObserveArguments extends ListeningArguments {
  /** A file, or a folder whose name ends with `/`, to record to; the only place if nothing names a store. */
  record: string | undefined;
  /** Where to serve figures for Prometheus, as given. */
  metrics: string | undefined;
  /** Where to stand in for swf-monitor, as given. */
  api: string | undefined;
  /** The monitor to read, as given. */
  monitorUrl: string | undefined;
  /** Whether it sends the requests that tools make. */
  allowControl: boolean;
  /** Whether it ends, as at SIGTERM, when the process that started it has ended. */
  untilParentEnds: boolean;
}

/** `swf-mcp observe`: records what a testbed says, until SIGTERM. Returns the exit code. */
export function observeCommand(io: Io, args: ObserveArguments): Promise<number> {
  io.keepGoingWithoutOutput();
  // The previous observer may still be writing, or its machine may have restarted a moment ago.
  return asService(io, () => listen(io, args), ['AGENT_IN_USE']);
}

async function listen(io: Io, args: ObserveArguments): Promise<void> {
  const isToldOtherwise = args.api !== undefined || args.monitorUrl !== undefined;
  const heard = isToldOtherwise ? heardBeside(io, args) : listenedBy(io, args);
  if (args.allowControl && heard.settings === undefined)
    throw configInvalid('--allow-control sends over a broker; give --broker stomp://HOST:PORT');
  const interrupted = new AbortController();
  io.onInterrupt(() => interrupted.abort());
  if (args.untilParentEnds) io.onParentEnd(() => interrupted.abort());
  const places = await placesOf(
    io,
    { record: args.record, needsStore: args.api !== undefined || args.allowControl, maySend: args.allowControl },
    heard,
  );
  let ear: Listening | undefined;
  const ends: (() => Promise<void>)[] = [];
  const orPassing = (error: unknown): never => {
    throw args.untilParentEnds ? asPassing(error) : error;
  };
  try {
    ends.push(await serveMetrics(io, args.metrics, () => figuresOf(io.version, ear, places)).catch(orPassing));
    ends.push(await standInFor(io, args.api, places).catch(orPassing));
    const { signal } = interrupted;
    const reading = await readingOf(io, args.monitorUrl, { namespaces: heard.namespaces, places, signal });
    // Programs that tell us by REST are heard as long as this process runs.
    const isTold = (): boolean => args.api !== undefined || reading?.isHearing() === true;
    await Promise.all([
      reading?.ended,
      hear(io, heard, { places, signal, isTold, allowControl: args.allowControl, onEar: (heardBy) => (ear = heardBy) }),
    ]);
  } finally {
    for (const end of ends.toReversed()) await end();
    for (const place of places) await place.close();
  }
}

async function readingOf(
  io: Io,
  url: string | undefined,
  options: Parameters<typeof readMonitor>[2],
): Promise<MonitorReading | undefined> {
  if (url === undefined) return undefined;
  const { readMonitor: read } = await import('./read-monitor.ts');
  return read(io, url, options);
}

interface HearOptions {
  places: readonly Place[];
  signal: AbortSignal;
  /** Whether anything is heard by REST, if there is no broker. */
  isTold: () => boolean;
  allowControl: boolean;
  onEar: (ear: Listening) => void;
}

/** Listens to the broker until the signal. Without a broker it only waits: REST tells what happens. */
async function hear(
  io: Io,
  heard: Listened,
  { places, signal, isTold, allowControl, onEar }: HearOptions,
): Promise<void> {
  const { settings, topics, namespaces } = heard;
  const onListening = (): void => {
    tellReady(io);
    for (const { noteListening } of places) void noteListening?.();
  };
  const keepHearing = (isHearing: () => boolean): void => {
    for (const place of places) place.keepHearing?.(isHearing);
  };
  if (settings === undefined) {
    keepHearing(isTold);
    tellReady(io);
    for (const { noteListening } of isTold() ? places : []) void noteListening?.();
    await aborted(signal);
    return;
  }
  await observe({
    settings,
    connect: connectByStomp,
    topics,
    namespaces,
    take: (line, time) => {
      const text = JSON.stringify(line);
      for (const place of places) place.add(line, time, text);
    },
    onListening,
    onEar: (ear) => {
      onEar(ear);
      keepHearing(() => ear.isHearing);
    },
    ...(allowControl ? { nextRequest: () => nextRequest(places) } : {}),
    say: (line) => io.err(line),
    signal,
  });
}

async function nextRequest(places: readonly Place[]): Promise<TestbedRequest | undefined> {
  return places.find(({ takeRequest }) => takeRequest !== undefined)?.takeRequest?.();
}

/** Answers by REST if requested. The store records a statement before it is answered; a recording gets the call and its answer. */
async function standInFor(io: Io, where: string | undefined, places: readonly Place[]): Promise<() => Promise<void>> {
  const store = places.find((place) => place.store !== undefined)?.store;
  if (where === undefined || store === undefined) return () => Promise.resolve();
  const { serveStandIn } = await import('./stand-in.ts');
  const recordings = places.filter(({ kind }) => kind === 'recording');
  return serveStandIn(io, {
    where,
    store,
    onCall: (call) => {
      for (const place of recordings) place.add(call, call.t, JSON.stringify(call));
    },
  });
}

const figuresOf = (version: string, ear: Listening | undefined, places: readonly Place[]): string =>
  observerMetricsText({
    version,
    schema: newestVersion(schemaHistory),
    isConnected: ear?.isHearing,
    reconnects: ear?.reconnects ?? 0,
    messages: ear?.messages ?? new Map(),
    lastMessageAt: ear?.lastMessageAt,
    places: places.map(({ kind, backlog }) => ({ kind, ...backlog() })),
  });

/** Throws `CONFIG_INVALID` if there is no broker to listen to. */
export function listenedBy(io: Io, args: ListeningArguments): Listened & { settings: BrokerSettings } {
  const { settings, ...heard } = heardBeside(io, args);
  if (settings === undefined)
    throw configInvalid(
      'an observer listens to a broker; give --broker stomp://HOST:PORT, --monitor-url URL to read swf-monitor, or --api PORT to stand in for it',
    );
  return { settings, ...heard };
}

/** The same beside another source: without a broker, if none is named. */
function heardBeside(io: Io, { broker, config: name, sets, layout, topics, namespaces }: ListeningArguments): Listened {
  const { config } = loadConfig({ name, sets, ...configPlaces(io) });
  const settings = brokerSettings(broker, config.broker, io.env);
  return { settings, topics: observedTopics(topics, layout ?? config.broker.layout), namespaces };
}
