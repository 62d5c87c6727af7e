import type { BrokerSettings } from '../../broker/connection.ts';
import { connectByStomp } from '../../broker/stomp-connection.ts';
import { brokerSettings } from '../../config/broker.ts';
import { loadConfig } from '../../config/load.ts';
import { openStore } from '../../db/opening/open-store.ts';
import { SwfError } from '../../lib/errors.ts';
import type { LayoutName } from '../../messages/layouts.ts';
import type { RecordingLine } from '../../observed/recording-lines.ts';
import { observedTopics } from '../../observed/topics.ts';
import { observe } from '../../observer/observer.ts';
import { recordingPlace } from '../../observer/recording-place.ts';
import { RecordingWriter } from '../../observer/recording-writer.ts';
import { StoreWriter } from '../../observer/store-writer.ts';
import { configPlaces, type Io, storeOptions, storePath } from '../shared/io.ts';
import { asService, tellReady } from '../shared/service-manager.ts';

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
  /** A file, or a folder whose name ends with `/`; the store where it is left out. */
  record: string | undefined;
}

/** The topics of an observer, and how it reaches its broker. */
export interface Listened {
  settings: BrokerSettings;
  topics: readonly string[];
  namespaces: readonly string[];
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
  const place = args.record === undefined ? await storePlace(io, namespaces) : await filePlace(io, args.record, heard);
  try {
    await observe({
      settings,
      connect: connectByStomp,
      topics,
      namespaces,
      take: (line, time) => place.add(line, time),
      onListening: () => tellReady(io),
      onHearing: (isHearing) => place.keepHearing(isHearing),
      say: (line) => io.err(line),
      signal: interrupted.signal,
    });
  } finally {
    await place.close();
  }
}

/** Where an observer records to. */
interface Place {
  add: (line: RecordingLine, time: string) => void;
  /** Told how to ask whether the broker is there. */
  keepHearing: (isHearing: () => boolean) => void;
  close: () => Promise<void>;
}

async function storePlace(io: Io, namespaces: readonly string[]): Promise<Place> {
  const store = await openStore(storePath(io), storeOptions(io));
  const say = (line: string): void => io.err(line);
  try {
    const writer = await StoreWriter.open({ store, namespaces, version: io.version, say });
    io.err(`records into ${store.path}`);
    return {
      add: (line, time) => writer.add(line, time),
      keepHearing: (isHearing) => writer.keepHearing(isHearing),
      close: async () => {
        await writer.close();
        store.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

async function filePlace(io: Io, record: string, { settings, topics, namespaces }: Listened): Promise<Place> {
  const place = await recordingPlace(record, {
    by: `swf-mcp ${io.version}`,
    broker: settings.servers.map(({ host, port }) => `${host}:${port}`).join(','),
    topics,
    ...(namespaces.length === 0 ? {} : { namespaces }),
  });
  // A file that cannot be written is told now, not when the first message comes.
  await place.fileAt(new Date().toISOString()).catch(async (error: unknown) => {
    await place.leave();
    throw error;
  });
  const writer = new RecordingWriter({ fileAt: (time) => place.fileAt(time), say: (line) => io.err(line) });
  return {
    add: (line, time) => writer.add(line, time),
    keepHearing: () => {},
    close: async () => {
      await writer.close();
      await place.leave();
    },
  };
}

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
