import { brokerRefused, brokerUnreachable, messageOf, SwfError } from '../lib/errors.ts';
import { activeMqClassic } from './activemq-classic.ts';
import type { BrokerAddress } from './address.ts';
import type { BrokerSettings } from './connection.ts';
import type { BrokerDialect } from './dialect.ts';
import { disconnect } from './stomp-frames.ts';
import { StompSession } from './stomp-session.ts';

/**
 * Ensures that every reader of a topic gets copies: on Artemis a topic's name may denote a queue, and a subscriber then takes messages from its
 * owner. Probes in a separate session, since the broker ends the session of a refused frame. Rejects with `BROKER_REFUSED` if it is a queue, with
 * `BROKER_UNREACHABLE` if the probe fails.
 */
export async function requireCopies(
  settings: BrokerSettings,
  address: BrokerAddress,
  dialect: BrokerDialect,
  destination: string,
): Promise<void> {
  const headers = dialect.probeForQueue?.(destination);
  if (headers === undefined) return;
  const { clientId: _none, ...anonymous } = settings;
  if (await isTaken(anonymous, address, headers))
    throw brokerRefused(
      `${destination} is a queue at this broker: each message goes to one reader, and would be taken from its owner; leave it out with --topics, or ask those who run the broker for a copy of it`,
    );
}

/** Artemis's words for a subscription that it does not create: for a topic the probe lacks a client id. Other refusals say nothing about the name. */
const refusesProbe = /creating subscription probe\b/i;

async function isTaken(settings: BrokerSettings, address: BrokerAddress, headers: Record<string, string>) {
  let session!: StompSession;
  let isAsked = false;
  try {
    await new Promise<void>((resolve, reject) => {
      session = new StompSession(settings, address, {
        dialectOf: () => activeMqClassic,
        current: () => undefined,
        onConnected: () => {
          isAsked = true;
          session.requests.ask('SUBSCRIBE', headers).then(resolve, reject);
        },
        onLost: reject,
      });
      session.open();
    });
    await disconnect(session.client);
    return true;
  } catch (error) {
    if (isAsked && error instanceof SwfError && error.code === 'BROKER_REFUSED' && refusesProbe.test(error.message))
      return false;
    throw brokerUnreachable(
      `${headers['destination']} is not listened to: the broker did not say whether it is a queue (${messageOf(error)})`,
      { cause: error },
    );
  } finally {
    session.end(brokerUnreachable('the probe is over'));
  }
}
