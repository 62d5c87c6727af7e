import { get } from 'node:http';

import { expect, it } from 'vitest';

import { serveMetrics } from '../../../src/commands/serve/listening.ts';
import type { Io } from '../../../src/commands/shared/io.ts';

const answerTo = (url: string, host: string): Promise<{ status: number | undefined; text: string }> =>
  new Promise((resolve, reject) => {
    const request = get(url, { headers: { host } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('error', reject);
  });

it('metrics on a loopback address are served only under loopback host names', async () => {
  const lines: string[] = [];
  await using _server = await serveMetrics(
    { err: (line: string) => lines.push(line) } as unknown as Io,
    '0',
    () => 'up 1\n',
  );
  const url = lines[0]?.replace('metrics at ', '') ?? '';
  const { port } = new URL(url);
  for (const host of [`127.0.0.1:${port}`, 'localhost', `[::1]:${port}`])
    expect(await answerTo(url, host)).toEqual({ status: 200, text: 'up 1\n' });
  for (const host of ['evil.test', `evil.test:${port}`, '127.0.0.1.evil.test'])
    expect(await answerTo(url, host)).toMatchObject({ status: 403 });
  // A check of life tells nothing.
  expect(await answerTo(url.replace('metrics', 'healthz'), 'evil.test')).toMatchObject({ status: 200 });
});
