import { knownConfigs } from '../../config/find-files.ts';
import { summarized } from '../../domain/summary-words.ts';
import { networkFileSystemOf } from '../../lib/network-file-system.ts';
import { configPlaces, type Io, storePath } from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import { type KnownWords, plainIds } from './completion.ts';
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

/** `swf-mcp completion ids`: the newest executions of the store, one a line. */
export async function printIds(io: Io) {
  // Such a store is read whole, which takes longer than a person waits for a word.
  if (networkFileSystemOf(storePath(io)) !== undefined) return;
  using reader = createStoreReader(io);
  for (const id of plainIds(reader.queries().recentExecutionIds())) io.out(`${id}\n`);
}
