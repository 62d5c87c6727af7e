import type { Client } from 'stompit';

import { brokerRefused, brokerUnreachable, SwfError } from '../lib/errors.ts';
import { type BrokerAddress, showAddress } from './address.ts';

/** How long to wait for the broker's answer to a frame, in milliseconds. */
const receiptMilliseconds = 30_000;

export type Requests = ReturnType<typeof createRequests>;

/**
 * The frames of one session that request a receipt, and the broker's answers.
 * @param clientOf the session's client
 * @param onSilence called if the broker stops answering
 */
export function createRequests(
  ended: AbortSignal,
  address: string,
  clientOf: () => Client,
  onSilence: (error: SwfError) => void,
) {
  const waiting = new Map<string, { number: number; reject: (error: SwfError) => void }>();
  let asked = 0;
  let newestAnswered = 0;
  /** Rejects the frame that the broker refused. Returns false if the frame is not ours. */
  const refuse = (receiptId: string, error: SwfError) => {
    const request = waiting.get(receiptId);
    if (request === undefined) return false;
    newestAnswered = Math.max(newestAnswered, request.number);
    request.reject(error);
    return true;
  };
  /**
   * A broker that has answered later frames has silently refused this one, as RabbitMQ does when a queue
   * rejects a message.
   */
  const late = (id: string, number: number) => {
    const silence = `${address} sent no receipt within ${receiptMilliseconds / 1000} s`;
    if (newestAnswered > number) refuse(id, brokerRefused(`${silence}, although it confirmed later messages`));
    else onSilence(brokerUnreachable(`${silence}; reconnecting`));
  };
  /** Sends a frame; resolves on the receipt; rejects if the broker refuses it or the session ends. */
  const ask = (command: string, headers: Record<string, string>, body = ''): Promise<void> =>
    new Promise((resolve, reject) => {
      if (ended.aborted) return reject(ended.reason as Error);
      asked += 1;
      const number = asked;
      const timer = setTimeout(() => late(id, number), receiptMilliseconds);
      const settle = () => {
        clearTimeout(timer);
        waiting.delete(id);
        ended.removeEventListener('abort', fail);
      };
      const refused = (error: SwfError) => {
        settle();
        reject(error);
      };
      // stompit drops receipts and callbacks when a connection dies.
      const fail = () => refused(ended.reason as SwfError);
      ended.addEventListener('abort', fail);
      const onReceipt = () => {
        newestAnswered = Math.max(newestAnswered, number);
        settle();
        resolve();
      };
      // stompit modifies the headers, so each frame gets its own copy. An unfinished frame blocks the connection.
      const own: Record<string, string | number | undefined> = { ...headers };
      const frame = clientOf().sendFrame(command, own, { onReceipt });
      const id = String(own['receipt']);
      waiting.set(id, { number, reject: refused });
      frame.on('error', () => {});
      frame.end(Buffer.from(body));
    });
  return { ask, refuse };
}

/** How each broker reports that a user lacks a right: the name of the right, and what it applies to. */
const lackedRights: readonly RegExp[] = [
  // Apache Artemis (errors AMQ229032 and AMQ229213).
  /does not have permission='(?<right>[A-Z_]+)'(?: for queue \S+)? on address (?<place>[^\s:]+)/,
  // ActiveMQ Classic.
  /is not authorized to (?<right>read|write|create|remove|administer|admin)(?: from| to)?:? (?<place>\S+)/,
  // RabbitMQ.
  /(?<right>read|write|configure) access to (?<place>(?:queue|exchange|topic) '[^']*'(?: in exchange '[^']*')? in vhost '[^']*') refused/,
];

const refusedLogins: readonly RegExp[] = [
  /AMQ229031|unable to validate user/i,
  /user ?name \[.*\] or password is invalid/i,
  /^(?:bad connect|access refused)/i,
];

/**
 * Rewords the broker's refusal: says which right to request if one is missing, or what to check if the
 * broker rejects the login.
 */
export const asRefusal = (sentence: string, address: BrokerAddress) =>
  brokerRefused(`${showAddress(address)} refused: ${shortened(sentence)}; ${cureOf(sentence)}`);

/** Maximum number of characters of a refusal to show, since Artemis quotes whole messages. */
const maxSentence = 200;

const shortened = (sentence: string) =>
  sentence.length > maxSentence ? `${sentence.slice(0, maxSentence)}…` : sentence.replace(/\.$/, '');

function cureOf(sentence: string) {
  for (const pattern of lackedRights) {
    const { right, place } = pattern.exec(sentence)?.groups ?? {};
    if (right !== undefined)
      return `this user lacks the permission "${right}" on ${place}; ask the broker's administrator to grant it`;
  }
  if (refusedLogins.some((pattern) => pattern.test(sentence))) return 'check the user name and password';
  // Apache Artemis does not remove a durable subscription while something reads from it.
  if (sentence.includes('AMQ339017'))
    return "stop the program that still reads from the subscription; if there is none, see the broker's log";
  return "see the broker's log";
}
