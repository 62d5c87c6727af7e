import { realpathSync } from 'node:fs';

import { tried } from '../../lib/tried.ts';
import { exitCodes, type Io, storePath } from '../shared/io.ts';
import { openBrowser } from '../shared/start-process.ts';
import { createStoreReader, idOf } from '../shared/store-reader.ts';

/** Where to look for a server, and where to start one. */
const usual = { host: '127.0.0.1', port: 8181 };
const patience = 2000;

/**
 * `swf-mcp open`: shows the page from this store's server if it is up, else from its own server until a
 * signal. Returns the exit code.
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

/** The store that a server there answers from, if it says so. */
async function storeServedAt(root: string) {
  try {
    const response = await fetch(`${root}healthz`, { signal: AbortSignal.timeout(patience) });
    const { store_id } = (await response.json()) as { store_id?: string };
    return { isUp: true, storeId: store_id };
  } catch (error) {
    // A refused connection means that nothing listens. Anything else means that something does.
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    return { isUp: code !== 'ECONNREFUSED' };
  }
}

/**
 * The id of the store; undefined for a copy, which has the same id: the server there may serve the original.
 */
function ownStoreId(io: Io) {
  using reader = createStoreReader(io);
  // There may be no store yet.
  return tried(() => {
    const queries = reader.queries();
    return queries.home() === realpathSync(storePath(io)) ? queries.storeId() : undefined;
  });
}
