import { configInvalid } from '../lib/errors.ts';
import { sha256 } from '../lib/sha256.ts';
import { tried } from '../lib/tried.ts';
import { type Receiver, Refused } from './receiver.ts';

/** How long an answer may take, in milliseconds. */
const patience = 30_000;

/** Answers about the content of a request: bad, too large, not processable. Others are about the receiver. */
const refusals: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * A receiver that gets a POST of JSON, whose `text` Mattermost and Slack show. Everything in its address but the host may be secret and is never printed.
 * Throws `CONFIG_INVALID` for an invalid address.
 */
export function webhookReceiver(url: string): Receiver {
  const { protocol = '', username = '', password = '', host = '' } = tried(() => new URL(url)) ?? {};
  if ((protocol !== 'http:' && protocol !== 'https:') || username !== '' || password !== '')
    throw configInvalid(
      `the webhook${host === '' ? '' : ` at ${host}`} is no address that can be posted to; give https://HOST/PATH, without a login in it`,
    );
  return {
    name: `webhook at ${host}`,
    key: digestOf(`webhook ${url}`),
    async tell(delivery, signal) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(delivery),
        signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
        // An alarm goes only to this receiver.
        redirect: 'error',
      }).catch((error: unknown) => {
        throw new Error(reasonOf(error));
      });
      await response.body?.cancel();
      if (refusals.has(response.status)) throw new Refused(`it answered ${response.status}`);
      if (!response.ok) throw new Error(`it answered ${response.status}`);
    },
  };
}

/** Why no answer came: for a failed fetch its cause, whose words name no path. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `it did not answer in ${patience / 1000} s`;
  return cause?.code ?? cause?.message?.slice(0, 100) ?? 'it could not be reached';
}

/** The key by which the store identifies a receiver. */
export const digestOf = (address: string): string => sha256().update(address).digest('hex').slice(0, 16);
