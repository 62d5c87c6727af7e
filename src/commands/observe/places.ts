import type { BrokerSettings } from '../../broker/connection.ts';
import { keepKnown } from '../../db/log/store-identity.ts';
import type { RecordingLine } from '../../observed/recording-lines.ts';
import { recordingPlace } from '../../observer/recording-place.ts';
import { openStoreWriter } from '../../observer/store-writer.ts';
import { createRecordingWriter } from '../../observer/waiting-lines.ts';
import { type Io, isStoreNamed, pathFrom } from '../shared/io.ts';
import { ownStore } from '../shared/own-store.ts';

/** The topics of an observer, and how it reaches its broker, unless it receives everything over REST. */
interface Listened {
  settings: BrokerSettings | undefined;
  /** Findings configured as known; undefined: those that the store already has. */
  known?: readonly string[] | undefined;
  topics: readonly string[];
  namespaces: readonly string[];
}

/** Where an observer records to. */
export type Places = Awaited<ReturnType<typeof placesOf>>;

/**
 * The recording and the store, or the recording alone if nothing names a store: a recording takes many times
 * as many messages, and leaves nothing else on a machine where no questions are asked.
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
      /** Until when messages were heard, in milliseconds since 1970; undefined: now. */
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
  // Report a file that cannot be written now, not at the first message.
  await place.fileAt(new Date().toISOString()).catch(async (error: unknown) => {
    await place.leave();
    throw error;
  });
  const writer = createRecordingWriter({ fileAt: place.fileAt, say: (line) => io.err(line) });
  return {
    writer,
    close: async (heardUntil?: number) => {
      await writer.close(heardUntil);
      await place.leave();
    },
  };
}
