import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, it, onTestFinished, vi } from 'vitest';

import { runCli, temporaryFolder } from '../../helpers.ts';

it.each<[string, RequestListener, RegExp]>([
  ['does not have the file', (_, response) => response.writeHead(404).end(), /^ok +files +\S+ answers$/m],
  [
    'returns a login page for every address',
    (_, response) => response.end('log in'),
    /^fail +files +.*with status 200/m,
  ],
  ['is silent', () => {}, /^fail +files +.*cannot be reached \(The operation was aborted due to timeout\)/m],
])('doctor judges a file server that %s', async (_, answer, line) => {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const waits = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms / 10));
  onTestFinished(() => waits.mockRestore());
  const source = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { stdout } = await runCli(['doctor', '--set', `data.sources=["${source}"]`], { folder: temporaryFolder() });
  expect(stdout).toMatch(line);
  expect(waits).toHaveBeenCalledWith(5000);
});
