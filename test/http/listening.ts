import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Express } from 'express';
import { onTestFinished } from 'vitest';

/** Serves an app on a free port of this machine until the test is over. Returns its address, without `/` at the end. */
export async function listening(app: Express): Promise<string> {
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
