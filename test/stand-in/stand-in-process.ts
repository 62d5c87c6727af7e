import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { openStore } from '../../src/db/opening/open-store.ts';
import type { RestLine } from '../../src/observed/recording-lines.ts';
import { createStandIn } from '../../src/stand-in/app.ts';
import { temporaryFolder } from '../helpers.ts';

/** A stand-in in this process, with a function that sends it requests. */
export async function standIn(token?: string) {
  const store = await openStore(join(temporaryFolder(), 'swf.db'));
  const said: string[] = [];
  const heard: RestLine[] = [];
  const server = createServer(
    createStandIn({ store, token, say: (line) => said.push(line), onCall: (call) => heard.push(call) }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(root + path, {
      method,
      headers: { 'Content-Type': 'application/json', Authorization: 'Token secret', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'error',
    });
    return { status: response.status, body: (await response.json()) as any };
  };
  const close = (): void => {
    server.closeAllConnections();
    server.close();
    store.close();
  };
  return { ask, store, said, heard, close, root };
}

export type StandIn = Awaited<ReturnType<typeof standIn>>;
