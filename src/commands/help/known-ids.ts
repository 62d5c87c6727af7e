import { networkFileSystemOf } from '../../lib/network-file-system.ts';
import { type Io, storePath } from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import { plainIds } from './completion.ts';

/** `swf-mcp completion ids`: the newest executions of the store, one a line. */
export async function printIds(io: Io): Promise<void> {
  const path = storePath(io);
  // Such a store is read whole, which takes longer than a person waits for a word.
  if (networkFileSystemOf(path) !== undefined) return;
  using reader = createStoreReader(path);
  for (const id of plainIds(reader.queries().recentExecutionIds())) io.out(`${id}\n`);
}
