import { realpathSync } from 'node:fs';

import { tried } from '../../lib/tried.ts';
import { exitCodes, type Io, storePath } from '../shared/io.ts';
import { openBrowser } from '../shared/start-process.ts';
import { createStoreReader, idOf } from '../shared/store-reader.ts';

/** Where to look for a running server and, if there is none, to start one. */
const usual = { host: '127.0.0.1', port: 8181 };
const patience = 2000;

/**
 * `swf-mcp open`: shows the page from this store's running server. If there is none, starts one, which runs
 * until a signal arrives. Returns the exit code.
 */
export async function openCommand(io: Io, { executionId }: { executionId: string | undefined }) {
  const root = `http://${usual.host}:${usual.port}/`;
  const there = await storeServedAt(root);
  const hash = executionId === undefined ? '#/' : `#/${encodeURIComponent(idOf(io, executionId))}`;
  if (there.isUp && there.storeId !== undefined && there.storeId === ownStoreId(io)) {
    openBrowser(io, root + hash);
    return exitCodes.fine;
  }
  if (there.isUp) io.err(`${root} serves another store or belongs to another program; using a free port instead`);
  const { plainServer, serveOverHttp } = await import('./serve.ts');
  const http = `${usual.host}:${there.isUp ? 0 : usual.port}`;
  return serveOverHttp(io, { ...plainServer, http, open: hash });
}

/** The store that the server at this address reads, if the server names it. */
async function storeServedAt(root: string) {
  try {
    const response = await fetch(`${root}healthz`, { signal: AbortSignal.timeout(patience) });
    const { store_id } = (await response.json()) as { store_id?: string };
    return { isUp: true, storeId: store_id };
  } catch (error) {
    // A refused connection means that nothing is listening. Any other error means that something is.
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    return { isUp: code !== 'ECONNREFUSED' };
  }
}

/**
 * The id of the store; undefined for a copy, since a running server may be serving the original, which has the
 * same id.
 */
function ownStoreId(io: Io) {
  using reader = createStoreReader(io);
  // There may be no store yet.
  return tried(() => {
    const queries = reader.queries();
    return queries.home() === realpathSync(storePath(io)) ? queries.storeId() : undefined;
  });
}
