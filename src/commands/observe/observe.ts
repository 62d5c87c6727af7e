import { connectByStomp } from '../../broker/stomp-connection.ts';
import { brokerSettings } from '../../config/broker.ts';
import { schemaVersion } from '../../db/opening/schema-version.ts';
import { observerMetricsText } from '../../http/service-metrics.ts';
import { aborted } from '../../lib/deadline.ts';
import { configInvalid } from '../../lib/errors.ts';
import type { LayoutName } from '../../messages/destinations.ts';
import { observedTopics } from '../../observed/topics.ts';
import { type Listening, observe } from '../../observer/observer.ts';
import { serveMetrics } from '../serve/listening.ts';
import { configOf } from '../shared/configured.ts';
import type { BrokerFlags, Io } from '../shared/io.ts';
import { asService, tellReady } from '../shared/service-manager.ts';
import { knownFindings } from './known.ts';
import { type Places, placesOf } from './places.ts';

/** The requested topics, and their broker. */
export interface ListeningArguments extends BrokerFlags {
  layout: LayoutName | undefined;
  topics: string[];
  namespaces: string[];
}

export interface ObserveArguments extends ListeningArguments {
  /**
   * The file to record to, or a folder if the path ends with `/`. If no store is named, only this file is
   * written.
   */
  record: string | undefined;
  metrics: string | undefined;
  api: string | undefined;
  monitorUrl: string | undefined;
  allowControl: boolean;
  untilParentEnds: boolean;
}

/** `swf-mcp observe`: records the messages of a testbed, until SIGTERM. Returns the exit code. */
export function observeCommand(io: Io, args: ObserveArguments) {
  const { untilParentEnds } = args;
  // The previous observer may still be writing, or this machine may have just restarted.
  return asService(io, (signal) => listen(io, args, signal), { untilParentEnds, passing: ['AGENT_IN_USE'] });
}

async function listen(io: Io, args: ObserveArguments, signal: AbortSignal) {
  const { record, api, monitorUrl, allowControl } = args;
  const heard = api === undefined && monitorUrl === undefined ? listenedBy(io, args) : heardBeside(io, args);
  const { settings, topics, namespaces } = heard;
  if (allowControl && settings === undefined)
    throw configInvalid('--allow-control sends requests over a broker; give --broker stomp://HOST:PORT');
  const needsStore = api !== undefined || allowControl;
  await using places = await placesOf(io, { record, needsStore, maySend: allowControl }, heard);
  let ear: Listening | undefined;
  await using _metrics = await serveMetrics(io, args.metrics, () => figuresOf(io.version, ear, places));
  await using _standIn = await standInFor(io, api, places);
  const reading =
    monitorUrl === undefined
      ? undefined
      : (await import('./read-monitor.ts')).readMonitor(io, monitorUrl, namespaces, places, signal);
  const writer = places.store?.writer;
  const hear = async () => {
    if (settings === undefined) return hearNoBroker();
    await observe({
      settings,
      connect: connectByStomp,
      topics,
      namespaces,
      take: places.add,
      onListening: () => {
        tellReady(io);
        void writer?.beat((now) => ear?.heard(now));
      },
      onEar: (found) => {
        ear = found;
        places.heardUntil = () => found.heard(Date.now())?.until;
        writer?.keepHearing((now) => (found.isHearing ? found.heard(now) : undefined));
      },
      ...(allowControl ? { nextRequest: async () => writer?.takeRequest() } : {}),
      say: io.err,
      signal,
    });
  };
  /** Only waits until the process stops: without a broker, everything arrives over REST. */
  const hearNoBroker = () => {
    const isTold = () => api !== undefined || reading?.isHearing() === true;
    const since = Date.now();
    const told = (now: number) => (isTold() ? { since, until: now } : undefined);
    writer?.keepHearing(told);
    tellReady(io);
    void writer?.beat(told);
    return aborted(signal);
  };
  await Promise.all([reading?.ended, hear()]);
}

/**
 * Serves the REST stand-in if requested. The store records the content of a call before the call is answered; a
 * recording contains the call and its answer.
 */
async function standInFor(io: Io, where: string | undefined, { store, recording }: Places) {
  if (where === undefined || store === undefined) return undefined;
  const { serveStandIn } = await import('./stand-in.ts');
  return serveStandIn(io, where, store.store, (call) => recording?.lines.add(call, call.t));
}

const figuresOf = (version: string, ear: Listening | undefined, { recording, store }: Places) =>
  observerMetricsText({
    version,
    schema: schemaVersion,
    isConnected: ear?.isHearing,
    reconnects: ear?.reconnects ?? 0,
    messages: ear?.messages ?? new Map(),
    lastMessageAt: ear?.lastMessageAt,
    places: [
      ...(recording === undefined ? [] : [{ kind: 'recording', ...recording.lines.backlog() }]),
      ...(store === undefined ? [] : [{ kind: 'store', ...store.writer.lines.backlog() }]),
    ],
  });

/** Throws `CONFIG_INVALID` if there is no broker to listen to. */
export function listenedBy(io: Io, args: ListeningArguments) {
  const { settings, ...heard } = heardBeside(io, args);
  if (settings === undefined)
    throw configInvalid(
      'an observer listens to a broker; give --broker stomp://HOST:PORT, --monitor-url URL to read swf-monitor, or --api PORT to stand in for it',
    );
  return { settings, ...heard };
}

/** Like `listenedBy`, but for an observer that also has another source and therefore needs no broker. */
function heardBeside(io: Io, args: ListeningArguments) {
  const { broker, layout, topics, namespaces } = args;
  const { config } = configOf(io, args);
  const settings = brokerSettings(broker, config.broker, io.env);
  const known = knownFindings(args, () => config);
  return { settings, topics: observedTopics(topics, layout ?? config.broker.layout), namespaces, known };
}
