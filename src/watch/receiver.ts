import type { AlarmSeverity, AlarmState } from '../domain/logbook-words.ts';
import { inTime } from '../lib/deadline.ts';
import { configInvalid } from '../lib/errors.ts';
import { allPrintable, printable } from '../lib/printable.ts';
import { runProgram } from '../lib/run-program.ts';
import { httpUrl } from '../lib/secrets.ts';
import { sha256 } from '../lib/sha256.ts';

/** A change of an alarm, as sent to receivers. */
export interface Delivery {
  /** The id of the message that records the change: the same each time the change is sent. */
  id: string;
  /** One line for people, as Markdown. */
  text: string;
  /** The same line without Markdown. */
  plain: string;
  code: string;
  /** The execution, followed by `:` and the slice, file, worker or host if there is one. */
  subject: string;
  change: AlarmState;
  severity: AlarmSeverity;
  /** How many times the alarm has been raised, counting from 1. */
  count: number;
  /** The person who has seen the alarm, and what that person said. */
  seen_by?: string | undefined;
  seen_text?: string | undefined;
  execution_id?: string | undefined;
}

/** Thrown if a receiver refuses a change and would refuse it again. */
export class Refused extends Error {}

/** A person or program that receives alarms. */
export interface Receiver {
  /** The receiver's name as shown to people, without secrets. */
  name: string;
  /** The receiver's name in the store. */
  key: string;
  /**
   * Delivers a change. Rejects with the reason if delivery fails. Delivery is then retried, but only a few
   * times if the reason is `Refused`.
   */
  tell(delivery: Delivery, signal: AbortSignal): Promise<void>;
}

/** How long an answer may take, in milliseconds. */
const patience = 30_000;

/**
 * Statuses that reject the content of a request: bad, too large, unprocessable. All other errors concern the
 * receiver.
 */
const refusals: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * A receiver that gets JSON in a POST request; Mattermost and Slack show its field `text`. Everything in its
 * address but the host may be secret and is never printed. Throws `CONFIG_INVALID` for an invalid address.
 */
export function webhookReceiver(url: string): Receiver {
  const { host } = httpUrl(url) ?? {};
  if (host === undefined)
    throw configInvalid('the webhook is not a valid address; give https://HOST/PATH, without a login');
  return {
    name: `webhook at ${host}`,
    key: digestOf(`webhook ${url}`),
    tell: (delivery, signal) =>
      inTime(patience, signal, async (ending) => {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(allPrintable({ ...delivery, plain: undefined })),
          signal: ending,
          // An alarm must go only to this receiver, so redirects are not followed.
          redirect: 'error',
        }).catch((error: unknown) => {
          throw new Error(reasonOf(error));
        });
        await response.body?.cancel();
        if (refusals.has(response.status)) throw new Refused(`it answered ${response.status}`);
        if (!response.ok) throw new Error(`it answered ${response.status}`);
      }),
  };
}

/** Why there was no answer: for a failed fetch, its cause, whose text does not contain the URL's path. */
function reasonOf(error: unknown) {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `it did not answer in ${patience / 1000} s`;
  return cause?.code ?? cause?.message?.slice(0, 100) ?? 'it could not be reached';
}

/** The key by which the store identifies a receiver. */
const digestOf = (address: string) => sha256().update(address).digest('hex').slice(0, 16);

/**
 * A receiver that is a program, run with the alarm's change in environment variables.
 * @param path as returned by `requireProgram`
 * @param named adds the store's name to the commands quoted in a sentence, since the program runs on the
 * store's host
 */
export const programReceiver = (
  path: string,
  env: NodeJS.ProcessEnv,
  named: (sentence: string) => string = (sentence) => sentence,
): Receiver => ({
  name: path,
  key: digestOf(`program ${path}`),
  async tell({ id, plain, code, subject, change, severity, count, execution_id = '' }) {
    const problem = await runProgram(path, env, {
      SWF_EVENT: `alarm_${change}`,
      SWF_ID: printable(id),
      SWF_TEXT: printable(named(plain)),
      SWF_CODE: code,
      SWF_SUBJECT: printable(subject),
      SWF_CHANGE: change,
      SWF_SEVERITY: severity,
      SWF_COUNT: String(count),
      SWF_EXECUTION_ID: printable(execution_id),
    });
    if (problem !== undefined) throw new Error(`it ${problem}`);
  },
});
