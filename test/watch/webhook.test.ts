import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { type Delivery, webhookReceiver } from '../../src/watch/receiver.ts';

const posted = {
  id: 'alarm/SLICES_FAILED/e-1/1/raised',
  text: 'error SLICES_FAILED raised, e-1: 3 TF slices failed permanently',
  code: 'SLICES_FAILED',
  subject: 'e-1',
  change: 'raised',
  severity: 'error',
  count: 1,
  execution_id: 'e-1',
} as const;

/** A webhook shows Markdown: the words without it are for programs. */
const delivery: Delivery = { ...posted, plain: posted.text };

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part as string;
  return text;
}

/** A receiver that answers each request with the next of these. */
async function serve(answers: number[], location?: string): Promise<{ url: string; got: unknown[] }> {
  const got: unknown[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      got.push(JSON.parse(text));
      response.writeHead(answers.shift() ?? 200, location === undefined ? {} : { location }).end('thanks');
      return undefined;
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/s3cret?key=s3cret`, got };
}

const never = new AbortController().signal;

describe('a webhook', () => {
  it('receives the alarm as JSON in a POST request', async () => {
    const { url, got } = await serve([204]);
    await webhookReceiver(url).tell(delivery, never);
    expect(got).toEqual([posted]);
  });

  it('receives escapes in place of characters that hide or reverse text', async () => {
    const { url, got } = await serve([204]);
    await webhookReceiver(url).tell({ ...delivery, seen_by: 'a\u202Eb', seen_text: 'c\u200Bd' }, never);
    expect(got).toEqual([{ ...posted, seen_by: String.raw`a\u{202e}b`, seen_text: String.raw`c\u{200b}d` }]);
  });

  it.each([
    ['an error status', [500], undefined, /^it answered 500$/],
    ['a redirect', [302], 'http://127.0.0.1:1/', /redirect/],
  ])('has not received an alarm if it answers with %s', async (_, answers, location, reason) => {
    const { url } = await serve(answers, location);
    await expect(webhookReceiver(url).tell(delivery, never)).rejects.toThrow(reason);
  });

  it('that does not answer is abandoned after 30 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const server = createServer(() => void vi.advanceTimersByTime(30_000));
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    onTestFinished(() => server.closeAllConnections());
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const told = webhookReceiver(`http://127.0.0.1:${port}/`).tell(delivery, never);
    await expect(told).rejects.toThrow(/^it did not answer in 30 s$/);
  });

  it('that does not answer is reported without the secrets in its address', async () => {
    const receiver = webhookReceiver('https://127.0.0.1:65533/hooks/s3cret');
    const error = await receiver.tell(delivery, never).catch((reason: unknown) => reason as Error);
    expect((error as Error).message).toBe('ECONNREFUSED');
    expect(JSON.stringify([receiver.name, receiver.key])).not.toContain('s3cret');
    expect(receiver.name).toBe('webhook at 127.0.0.1:65533');
  });

  it.each(['testbed', 'ftp://host/hook', 'https://ana:s3cret@host/hook', ''])(
    'with the address "%s" is refused',
    (url) => {
      const made = (): unknown => webhookReceiver(url);
      expect(made).toThrow(/^the webhook( at host)? is not a valid address; give https/);
      expect(made).not.toThrow(/s3cret/);
    },
  );
});
