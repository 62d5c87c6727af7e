import { brokerRefused, SwfError } from '../lib/errors.ts';
import { type BrokerAddress, showAddress } from './address.ts';

/** How each broker reports that a user lacks a right: the right's name, and where. */
const lackedRights: readonly RegExp[] = [
  // Apache Artemis: AMQ229032 and AMQ229213.
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

/** Rewords the broker's refusal: which right to ask for if one is missing, or what to check if the broker rejects the login. */
export const asRefusal = (sentence: string, address: BrokerAddress): SwfError =>
  brokerRefused(`${showAddress(address)} refused: ${shortened(sentence)}; ${cureOf(sentence)}`);

/** Artemis quotes whole messages. */
const maxSentence = 200;

const shortened = (sentence: string): string =>
  sentence.length > maxSentence ? `${sentence.slice(0, maxSentence)}…` : sentence.replace(/\.$/, '');

function cureOf(sentence: string): string {
  for (const pattern of lackedRights) {
    const { right, place } = pattern.exec(sentence)?.groups ?? {};
    if (right !== undefined)
      return `this user lacks the right "${right}" on ${place}: ask the broker's administrator for it`;
  }
  if (refusedLogins.some((pattern) => pattern.test(sentence))) return 'check user and password';
  return "the broker's log says more";
}
