import { activeMqClassic } from '../broker/activemq-classic.ts';
import type { BrokerSettings } from '../broker/connection.ts';
import { connectByStomp } from '../broker/stomp-connection.ts';
import type { Config } from '../config/schema.ts';
import { storeId } from '../db/log/store-identity.ts';
import { openExistingStore } from '../db/sqlite/open-store.ts';
import { durableName } from '../exchange/broker-session.ts';
import { withDeadline } from '../lib/deadline.ts';
import { SwfError } from '../lib/errors.ts';
import { attempt, type Diagnosis, ok } from './doctor-diagnosis.ts';

/** How long the broker's answer to our own message is waited for. */
const echoMilliseconds = 2000;

/** A clock that is further off spoils expiry times and delays between hosts. */
const worstSkewMilliseconds = 2000;

/** Login, clock and destinations of a broker. */
export async function* lookAtBroker(settings: BrokerSettings, config: Config): AsyncGenerator<[string, Diagnosis]> {
  let skew: number | undefined;
  const login = await attempt(async () => {
    skew = await clockSkew(settings);
    return ok(`${settings.user ?? 'no user'}${settings.servers.some(({ tls }) => tls) ? ', over TLS' : ''}`);
  });
  yield ['login', login];
  if (login.state === 'fail') return;
  yield ['clock', diagnoseClock(skew)];
  for (const [name, destination] of Object.entries(config.broker.destinations))
    yield [name, await attempt(() => lookAtDestination(settings, destination))];
}

/** Subscribing for a namespace that nobody can have takes nothing from anybody, and shows whether we may. */
async function lookAtDestination(settings: BrokerSettings, destination: string): Promise<Diagnosis> {
  const broker = connectByStomp(settings, () => {});
  broker.subscribe({ id: 'doctor', destination, ack: 'auto', namespace: 'swf-mcp doctor', onMessage: () => {} });
  await broker.connect({ once: true });
  await broker.close();
  return ok(destination);
}

/**
 * Sends a message to ourselves. The broker's time stamp on it tells how its clock stands to ours.
 * @returns milliseconds by which the broker is ahead; undefined where it does not tell its time
 */
async function clockSkew(settings: BrokerSettings): Promise<number | undefined> {
  const broker = connectByStomp(settings, () => {});
  const destination = '/topic/swf.doctor';
  const heard = new Promise<number | undefined>((resolve) => {
    broker.subscribe({
      id: 'doctor',
      destination,
      ack: 'auto',
      onMessage: ({ headers: { timestamp } }) =>
        resolve(timestamp === undefined ? undefined : Number(timestamp) - Date.now()),
    });
  });
  try {
    await broker.connect({ once: true });
    await broker.send(destination, {}, 'doctor');
    return await withDeadline(heard, echoMilliseconds, undefined);
  } finally {
    await broker.close();
  }
}

function diagnoseClock(skew: number | undefined): Diagnosis {
  if (skew === undefined) return { state: 'warn', what: 'the broker does not tell its time' };
  if (Math.abs(skew) <= worstSkewMilliseconds)
    return ok(`within ${Math.max(1, Math.ceil(Math.abs(skew) / 1000))} s of the broker's`);
  return {
    state: 'warn',
    what: `the broker's clock is ${(skew / 1000).toFixed(1)} s off ours; synchronise both (NTP)`,
  };
}

/** Removes the store's durable subscription, for which the broker would otherwise keep messages. */
export async function forgetDurable(path: string, settings: BrokerSettings, namespace: string): Promise<Diagnosis> {
  const store = await openExistingStore(path);
  try {
    const name = durableName(await store.write(storeId), namespace);
    return await forget(settings, name);
  } finally {
    store.close();
  }
}

async function forget(settings: BrokerSettings, name: string): Promise<Diagnosis> {
  const broker = connectByStomp({ ...settings, clientId: name }, () => {});
  try {
    await broker.connect({ once: true });
    await broker.forget(name);
    return ok(`${name} is removed`);
  } catch (error) {
    if (error instanceof SwfError && activeMqClassic.isNoSuchSubscription(error.message))
      return ok(`${name} is not there`);
    throw error;
  } finally {
    await broker.close();
  }
}
