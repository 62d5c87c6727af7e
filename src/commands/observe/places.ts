import type { BrokerSettings } from '../../broker/connection.ts';
import { openStore } from '../../db/opening/open-store.ts';
import type { Store } from '../../db/opening/store.ts';
import type { TestbedRequest } from '../../db/stand-in/requests.ts';
import type { RecordingLine } from '../../observed/recording-lines.ts';
import { recordingPlace } from '../../observer/recording-place.ts';
import { RecordingWriter } from '../../observer/recording-writer.ts';
import { StoreWriter } from '../../observer/store-writer.ts';
import type { Backlog } from '../../observer/waiting-lines.ts';
import { type Io, storeOptions, storePath } from '../shared/io.ts';

/** The topics of an observer, and how it reaches its broker, if it is not told by REST alone. */
export interface Listened {
  settings: BrokerSettings | undefined;
  topics: readonly string[];
  namespaces: readonly string[];
}

/** Where an observer records to. */
export interface Place {
  /** For figures. */
  kind: 'store' | 'recording';
  store?: Store;
  backlog: () => Backlog;
  add: (line: RecordingLine, time: string, text: string) => void;
  /** Receives the test for whether the broker is there, before it is. */
  keepHearing?: (isHearing: () => boolean) => void;
  /** The next request to programs of the testbed; it is never returned twice. */
  takeRequest?: () => Promise<TestbedRequest | undefined>;
  /** Notes that everything of a run was read from swf-monitor. */
  noteRead?: (run: { execution_id: string; run_id: string }, at: number) => Promise<void>;
  /** Notes that the observer listens. Resolves when that is recorded. */
  noteListening?: () => Promise<void>;
  close: () => Promise<void>;
}

/**
 * The recording and the store, or the recording alone if nothing names a store: a recording takes many times as many messages, and leaves nothing else
 * on a machine where nobody asks questions.
 */
export async function placesOf(
  io: Io,
  { record, needsStore, maySend }: { record: string | undefined; needsStore: boolean; maySend: boolean },
  heard: Listened,
): Promise<Place[]> {
  const isStoreMeant = needsStore || record === undefined || (io.db ?? io.env['SWF_DB'] ?? '') !== '';
  const file = record === undefined ? [] : [await filePlace(io, record, heard)];
  if (!isStoreMeant) return file;
  try {
    return [...file, await storePlace(io, heard.namespaces, maySend)];
  } catch (error) {
    for (const place of file) await place.close();
    throw error;
  }
}

async function storePlace(io: Io, namespaces: readonly string[], maySend: boolean): Promise<Place> {
  const store = await openStore(storePath(io), storeOptions(io));
  const say = (line: string): void => io.err(line);
  try {
    const writer = await StoreWriter.open({ store, namespaces, version: io.version, maySend, say });
    io.err(`records into ${store.path}`);
    return {
      kind: 'store',
      store,
      backlog: () => writer.backlog,
      add: (...line) => writer.add(...line),
      keepHearing: (isHearing) => writer.keepHearing(isHearing),
      takeRequest: () => writer.takeRequest(),
      noteRead: (...read) => writer.noteRead(...read),
      noteListening: () => writer.beat(true),
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
  const writer = new RecordingWriter({ fileAt: (time) => place.fileAt(time), say: (line) => io.err(line) });
  return {
    kind: 'recording',
    backlog: () => writer.backlog,
    add: (...line) => writer.add(...line),
    close: async () => {
      await writer.close();
      await place.leave();
    },
  };
}
