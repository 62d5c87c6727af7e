import { exitCodes, type Io, storePath } from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import { plainIds } from './completion.ts';

/** `swf-mcp completion ids`: the newest executions of the store, one a line. Returns the exit code. */
export async function printIds(io: Io): Promise<number> {
  using reader = createStoreReader(storePath(io));
  io.out(
    plainIds(reader.queries().recentExecutionIds())
      .map((id) => `${id}\n`)
      .join(''),
  );
  return exitCodes.fine;
}
