import { knownConfigs } from '../../config/find-files.ts';
import { summarized } from '../../domain/summary-words.ts';
import { networkFileSystemOf } from '../../lib/network-file-system.ts';
import { configPlaces, type Io, storePath } from '../shared/io.ts';
import { createStoreReader, type StoreReader } from '../shared/store-reader.ts';
import { type KnownWords, plainIds, type StoreKind } from './completion.ts';
import { commandGroups } from './help.ts';

/** Words that arguments of commands may be, by the arguments' names. */
export const knownWords = async (io: Io): Promise<KnownWords> => ({
  EXECUTION_ID: ['latest'],
  COMMAND: Object.values(commandGroups).flat(),
  CONFIG: knownConfigs(configPlaces(io)).map(({ name }) => name),
  // Ids are printed without them.
  TOOL: (await import('../../tools/index.ts')).tools.map(({ name }) => name),
  WHAT: summarized,
});

/** How many files of the newest execution to name: people mostly look at the newest ones. */
const shownFiles = 100;

/** What a store has of each kind, newest first. */
const namesOf: Readonly<Record<StoreKind, (reader: StoreReader) => readonly string[]>> = {
  ids: (reader) => reader.queries().recentExecutionIds(),
  // A beginning is enough.
  alarms: (reader) => [
    ...new Set(
      reader
        .queries()
        .openAlarms()
        .map(({ alarm_id }) => alarm_id.replace(/:.*/, '')),
    ),
  ],
  files(reader) {
    const queries = reader.queries();
    const { execution_id } = queries.execution('latest');
    const page = { order: 'newest', limit: shownFiles, uncounted: true } as const;
    const failed = queries.tfSlices({ execution_id, status: 'failed' }, page).rows;
    const stfs = queries.stfFiles({ execution_id }, page).rows;
    return [...failed.map(({ slice_filename }) => slice_filename), ...stfs.map(({ stf_filename }) => stf_filename)];
  },
};

/** `swf-mcp completion ids`, `alarms` or `files`: what the store has, one name a line. */
export function printKnown(io: Io, kind: StoreKind) {
  // Such a store is read whole, which takes longer than a person waits for a word.
  if (networkFileSystemOf(storePath(io)) !== undefined) return;
  using reader = createStoreReader(io);
  for (const name of plainIds(namesOf[kind](reader))) io.out(`${name}\n`);
}
