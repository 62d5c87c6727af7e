import type { BrokerConnection, BrokerSettings, Delivery } from '../broker/connection.ts';
import { connectByStomp } from '../broker/stomp-connection.ts';
import type { Config } from '../config/schema.ts';
import { knownStoreId } from '../db/log/store-identity.ts';
import { openExistingStore } from '../db/sqlite/open-store.ts';
import { readingTypes, recorderSubscription, roleSubscription } from '../exchange/names.ts';
import { withDeadline } from '../lib/deadline.ts';
import { attempt, type Diagnosis, ok } from './doctor-diagnosis.ts';
import { proveBroker } from './doctor-proofs.ts';

/** How long the broker's answer to our own message is waited for. */
const echoMilliseconds = 2000;

/** A clock that is further off spoils expiry times and delays between hosts. */
const worstSkewMilliseconds = 2000;

/** Login, clock and destinations of a broker, and what it does with messages: a line each, proved by trying. It leaves nothing behind. */
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
  yield* proveBroker(settings, config);
}

/** Subscribing for a namespace that nobody can have takes nothing from anybody, and shows whether we may. */
async function lookAtDestination(settings: BrokerSettings, destination: string): Promise<Diagnosis> {
  const broker = connectByStomp(settings, () => {});
  const only = () => ({ namespace: 'swf-mcp-doctor' });
  broker.subscribe({ id: 'doctor', destination, ack: 'auto', only, onMessage: () => {} });
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
    const onMessage = ({ headers: { timestamp } }: Delivery): void =>
      resolve(timestamp === undefined ? undefined : Number(timestamp) - Date.now());
    broker.subscribe({ id: 'doctor', destination, ack: 'auto', onMessage });
  });
  try {
    await broker.connect({ once: true });
    await broker.send({ destination, headers: {}, body: 'doctor' });
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

/** Removes the durable subscriptions of a namespace, for which the broker would otherwise keep messages. */
export async function forgetDurable(path: string, settings: BrokerSettings, config: Config): Promise<Diagnosis> {
  const { namespace } = config.testbed;
  const id = await storeIdOf(path);
  const names = [
    ...(id === undefined ? [] : [recorderSubscription(namespace, id)]),
    ...readingTypes.map((type) => roleSubscription(namespace, type)),
  ];
  const removed: string[] = [];
  for (const name of names) if (await forget({ ...settings, clientId: name }, config, name)) removed.push(name);
  return ok(removed.length === 0 ? `there is none of namespace ${namespace}` : `${removed.join(', ')} removed`);
}

/** A namespace may have remote agents and no store here. */
async function storeIdOf(path: string): Promise<string | undefined> {
  const store = await openExistingStore(path).catch(() => undefined);
  try {
    return store === undefined ? undefined : knownStoreId(store.sql);
  } finally {
    store?.close();
  }
}

async function forget(settings: BrokerSettings, { testbed, broker: section }: Config, durableName: string) {
  const broker: BrokerConnection = connectByStomp(settings, () => {});
  const only = () => ({ namespace: testbed.namespace });
  try {
    await broker.connect({ once: true });
    return await broker.forget({ destination: section.destinations.broadcast, only, durableName });
  } finally {
    await broker.close();
  }
}
