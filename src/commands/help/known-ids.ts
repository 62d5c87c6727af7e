import { networkFileSystemOf } from '../../lib/network-file-system.ts';
import { exitCodes, type Io, storePath } from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import { plainIds } from './completion.ts';

/** `swf-mcp completion ids`: the newest executions of the store, one a line. Returns the exit code. */
export async function printIds(io: Io): Promise<number> {
  const path = storePath(io);
  // Such a store is read whole, which takes longer than a person waits for a word.
  if (networkFileSystemOf(path) !== undefined) return exitCodes.fine;
  using reader = createStoreReader(path);
  io.out(
    plainIds(reader.queries().recentExecutionIds())
      .map((id) => `${id}\n`)
      .join(''),
  );
  return exitCodes.fine;
}
