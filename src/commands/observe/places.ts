import type { BrokerSettings } from '../../broker/connection.ts';
import { keepKnown } from '../../db/log/store-identity.ts';
import type { RecordingLine } from '../../observed/recording-lines.ts';
import { recordingPlace } from '../../observer/recording-place.ts';
import { openStoreWriter } from '../../observer/store-writer.ts';
import { createRecordingWriter } from '../../observer/waiting-lines.ts';
import { type Io, isStoreNamed, pathFrom } from '../shared/io.ts';
import { ownStore } from '../shared/own-store.ts';

/**
 * An observer's topics, and how it connects to its broker; no broker if the observer receives everything over
 * REST.
 */
interface Listened {
  settings: BrokerSettings | undefined;
  /** Findings that are configured as known; if undefined, the store keeps its own list. */
  known?: readonly string[] | undefined;
  topics: readonly string[];
  namespaces: readonly string[];
}

/** Where an observer records to. */
export type Places = Awaited<ReturnType<typeof placesOf>>;

/**
 * The recording and the store, or only the recording if nothing names a store. Without a store, recording is
 * faster and leaves no other files on a machine where no one queries the messages.
 */
export async function placesOf(
  io: Io,
  { record, needsStore, maySend }: { record: string | undefined; needsStore: boolean; maySend: boolean },
  heard: Listened,
) {
  const isStoreMeant = needsStore || record === undefined || isStoreNamed(io);
  const file = record === undefined ? undefined : await openRecording(io, record, heard);
  try {
    const store = isStoreMeant ? await openToWrite(io, heard, maySend) : undefined;
    const targets = [file, store].flatMap((one) => one?.writer.lines ?? []);
    const places = {
      recording: file?.writer,
      store,
      add: (line: RecordingLine, time: string) => {
        const text = JSON.stringify(line);
        for (const lines of targets) lines.add(line, time, text);
      },
      /** The time until which messages were received, in milliseconds since 1970; if undefined, until now. */
      heardUntil: undefined as (() => number | undefined) | undefined,
      async [Symbol.asyncDispose]() {
        const until = places.heardUntil?.();
        await file?.close(until);
        await store?.writer.close(until);
        store?.store.close();
      },
    };
    return places;
  } catch (error) {
    await file?.close();
    throw error;
  }
}

async function openToWrite(io: Io, { settings, topics, namespaces, known }: Listened, maySend: boolean) {
  const store = await ownStore(io);
  const say = (line: string) => io.err(line);
  try {
    if (known !== undefined) await store.write((tx) => keepKnown(tx, known));
    const heard = { namespaces, ...(settings === undefined ? {} : { topics }) };
    const writer = await openStoreWriter({ store, ...heard, version: io.version, maySend, say });
    io.err(`records into ${store.path}`);
    return { store, writer };
  } catch (error) {
    store.close();
    throw error;
  }
}

async function openRecording(io: Io, record: string, { settings, topics, namespaces }: Listened) {
  const place = await recordingPlace(pathFrom(io, record), {
    by: `swf-mcp ${io.version}`,
    ...(settings === undefined
      ? {}
      : { broker: settings.servers.map(({ host, port }) => `${host}:${port}`).join(',') }),
    topics,
    ...(namespaces.length === 0 ? {} : { namespaces }),
  });
  // Report an unwritable file now, not at the first message.
  await place.fileAt(new Date().toISOString()).catch(async (error: unknown) => {
    await place.leave();
    throw error;
  });
  const writer = createRecordingWriter({ fileAt: place.fileAt, say: io.err });
  return {
    writer,
    close: async (heardUntil?: number) => {
      await writer.close(heardUntil);
      await place.leave();
    },
  };
}
