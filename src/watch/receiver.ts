import type { AlarmSeverity, AlarmState } from '../domain/logbook-words.ts';
import { inTime } from '../lib/deadline.ts';
import { configInvalid } from '../lib/errors.ts';
import { allPrintable, printable } from '../lib/printable.ts';
import { runProgram } from '../lib/run-program.ts';
import { httpUrl } from '../lib/secrets.ts';
import { sha256 } from '../lib/sha256.ts';

/** A change of an alarm, as sent to receivers. */
export interface Delivery {
  /** The id of the message that records the change: the same at each try. */
  id: string;
  /** One line for people, as Markdown. */
  text: string;
  /** The same without Markdown. */
  plain: string;
  code: string;
  /** The execution, followed by `:` and the slice, file, worker or host if there is one. */
  subject: string;
  change: AlarmState;
  severity: AlarmSeverity;
  /** How often the alarm has been raised, from 1. */
  count: number;
  /** The person who has seen it, and what that person said. */
  seen_by?: string | undefined;
  seen_text?: string | undefined;
  execution_id?: string | undefined;
}

/** A receiver refuses a change and would refuse it again. */
export class Refused extends Error {}

/** A person or program that receives alarms. */
export interface Receiver {
  /** Its name in lines for people, without secrets. */
  name: string;
  /** Its name in the store. */
  key: string;
  /** Rejects with the reason of a failure: delivery is retried, after `Refused` a few times. */
  tell(delivery: Delivery, signal: AbortSignal): Promise<void>;
}

/** How long an answer may take, in milliseconds. */
const patience = 30_000;

/** Answers about the content of a request: bad, too large, not processable. Others are about the receiver. */
const refusals: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * A receiver that is sent a POST of JSON, whose `text` Mattermost and Slack show. Everything in its address
 * but the host may be secret and is never printed. Throws `CONFIG_INVALID` for an invalid address.
 */
export function webhookReceiver(url: string): Receiver {
  const { host } = httpUrl(url) ?? {};
  if (host === undefined)
    throw configInvalid('the webhook is not an address to post to; give https://HOST/PATH, without a login in it');
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
          // An alarm goes only to this receiver.
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

/** Why there was no answer: for a failed fetch its cause, whose text names no path. */
function reasonOf(error: unknown) {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `it did not answer in ${patience / 1000} s`;
  return cause?.code ?? cause?.message?.slice(0, 100) ?? 'it could not be reached';
}

/** The key by which the store identifies a receiver. */
const digestOf = (address: string) => sha256().update(address).digest('hex').slice(0, 16);

/**
 * A receiver that is a program, run with the change in environment variables.
 * @param path as returned by `requireProgram`
 * @param named makes the commands of a sentence name the store: the program is on its host
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
