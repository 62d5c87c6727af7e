import { randomUUID } from 'node:crypto';

import type { BrokerSettings, DurablePlace } from '../../broker/connection.ts';
import type { Config } from '../../config/schema.ts';
import { pause } from '../../lib/deadline.ts';
import { hasCode } from '../../lib/errors.ts';
import { attempt, diagnoseClock, fail, type Look, ok, warn } from './diagnosis.ts';
import { listen, send, withConnections } from './trial.ts';

/** How long to wait to be sure that a message does not arrive, in milliseconds. */
const quietMilliseconds = 400;

/** How many messages for other readers precede the one that is to be found. */
const foreignMessages = 300;

/** How soon the message that tests a destination expires, in seconds, in case it is left behind. */
const trialLife = 10;

/** How soon the message that tests expiry expires, in seconds. */
const shortLife = 1;

/**
 * RabbitMQ closes a channel that leaves a message unacknowledged for this long, in seconds: its default
 * `consumer_timeout`.
 */
const acknowledgeSeconds = 1800;

/** How long, in seconds, a worker still holds a slice after its payload ends, until the result is confirmed. */
const afterPayloadSeconds = 60;

/**
 * Tests what a broker does with messages. Sends one message, which expires, to each configured destination; all
 * other tests use separate destinations. The first result lists what may remain on the broker.
 */
export async function* proveBroker(settings: BrokerSettings, config: Config): AsyncGenerator<Look> {
  const name = `swf.doctor.${randomUUID().slice(0, 8)}`;
  const queue = (of: string) => `/queue/${name}.${of}`;
  yield [
    'remains',
    ok(
      `nothing if this user may remove queues and addresses; otherwise /queue/${name}.selector, .deep, .share and .expiry, /topic/${name} with its durable subscription, and any destination named below that did not exist before`,
    ),
  ];
  let skew: number | undefined;
  for (const named of Object.entries(config.broker.destinations))
    yield [named[0], await attempt(() => proveDestination(settings, named, (ahead) => (skew = ahead)))];
  yield ['clock', diagnoseClock(skew)];
  const proofs = {
    selector: () => proveSelector(settings, queue('selector')),
    'deep queue': () => proveDeepQueue(settings, queue('deep')),
    'fair share': () => proveFairShare(settings, queue('share')),
    durable: () => proveDurable(settings, `/topic/${name}`, name),
    expiry: () => proveExpiry(settings, queue('expiry')),
    'time limit': () => proveTimeLimit(settings, config.worker.timeout_seconds),
  };
  for (const [subject, proof] of Object.entries(proofs)) yield [subject, await attempt(proof)];
}

/** The messages of a namespace at a destination. */
const ofNamespace = (destination: string, namespace: string) => ({ destination, only: () => ({ namespace }) });

/** Tests that each namespace gets only its own messages, whether selectors or destination names ensure this. */
const proveSelector = (settings: BrokerSettings, destination: string) =>
  withConnections(settings, 1, async ([broker]) => {
    const got = listen(broker, ofNamespace(destination, 'mine'));
    for (const namespace of ['other', 'mine']) await send(broker, destination, { namespace }, namespace);
    await got.has(1);
    await pause(quietMilliseconds);
    const other = got.bodies().filter((body) => body !== 'mine').length;
    // Leave no message behind.
    broker.unsubscribe('doctor');
    await listen(broker, { ...ofNamespace(destination, 'other'), id: 'rest' }).comes(1);
    if (other > 0) return fail('a message from another namespace arrived; this broker does not keep namespaces apart');
    return ok(broker.hasSelectors() ? 'selects messages by namespace' : 'no selectors; names contain the namespace');
  });

/**
 * Tests that a message queued behind many messages for other readers is found: ActiveMQ Classic searches only
 * the first `maxPageSize` messages.
 */
const proveDeepQueue = (settings: BrokerSettings, destination: string) =>
  withConnections(settings, 1, async ([broker]) => {
    await Promise.all(
      Array.from({ length: foreignMessages }, () => send(broker, destination, { namespace: 'other' }, 'other')),
    );
    await send(broker, destination, { namespace: 'mine' }, 'mine');
    const got = listen(broker, ofNamespace(destination, 'mine'));
    const came = await got.comes(1);
    broker.unsubscribe('doctor');
    const others = { ...ofNamespace(destination, 'other'), prefetch: 256, id: 'rest' };
    await listen(broker, others).comes(foreignMessages);
    if (came) return ok(`a message queued behind ${foreignMessages} messages from another namespace is found`);
    listen(broker, ofNamespace(destination, 'mine'));
    await pause(quietMilliseconds);
    return warn(
      `a message queued behind ${foreignMessages} messages from another namespace is not found: slices from another namespace, or of a paused execution, can hold up all others; raise maxPageSize in the broker's policy for queues to 10000`,
    );
  });

/** Tests that two slots hold one message each until they acknowledge it. */
const proveFairShare = (settings: BrokerSettings, destination: string) =>
  withConnections(settings, 2, async (slots) => {
    const hands = slots.map((broker) => listen(broker, { destination, prefetch: 1, acknowledges: false }));
    for (const body of ['1', '2', '3']) await send(slots[0], destination, {}, body);
    await Promise.all(hands.map((hand) => hand.has(1)));
    await pause(quietMilliseconds);
    const counts = hands.map((hand) => hand.deliveries.length);
    for (const hand of hands) hand.acknowledgeAll();
    await pause(quietMilliseconds);
    for (const hand of hands) hand.acknowledgeAll();
    if (counts.some((count) => count !== 1))
      return fail(`two slots received ${counts.join(' and ')} messages; each must get one at a time`);
    return ok('two slots get one message each');
  });

/** Tests that a message sent while no one is subscribed is kept. */
async function proveDurable(settings: BrokerSettings, destination: string, durableName: string) {
  const named = { ...settings, clientId: durableName };
  const subscription = { ...ofNamespace(destination, 'doctor'), durableName };
  await withConnections(named, 1, ([broker]) => {
    listen(broker, subscription);
    return pause(quietMilliseconds);
  });
  await withConnections(settings, 1, ([broker]) => send(broker, destination, { namespace: 'doctor' }, 'kept'));
  const isKept = await withConnections(named, 1, ([broker]) => listen(broker, subscription).comes(1));
  const stays = await remove(named, subscription);
  if (!isKept)
    return fail(
      `a message sent while no one was subscribed did not arrive: agents that are down would lose messages${stays}`,
    );
  const what = 'keeps messages sent while no one is subscribed';
  return stays === '' ? ok(what) : warn(`${what}${stays}`);
}

/**
 * Removes a durable subscription. If this user has no right to do so, returns a clause that says so, otherwise
 * an empty string.
 */
async function remove(named: BrokerSettings, subscription: DurablePlace) {
  try {
    await withConnections(named, 1, ([broker]) => broker.forget(subscription));
    return '';
  } catch (error) {
    if (!hasCode(error, 'BROKER_REFUSED')) throw error;
    return `; ${subscription.durableName} remains, because this user may not remove it; ask an administrator to do so`;
  }
}

const proveExpiry = (settings: BrokerSettings, destination: string) =>
  withConnections(settings, 1, async ([broker]) => {
    await send(broker, destination, {}, 'old', shortLife);
    await pause((shortLife + 1) * 1000);
    const got = listen(broker, { destination });
    await send(broker, destination, {}, 'new');
    await got.has(1);
    if (got.bodies().includes('old'))
      return fail('a message was delivered after it had expired; compare the clocks of this host and of the broker');
    return ok('an expired message is not delivered');
  });

/** A namespace that no other program uses, so that no other program reads what is sent there. */
const trialNamespace = 'swf-mcp-doctor';

/**
 * Sends one message to a destination and waits for it to arrive: tests whether this user may write and read
 * there, and whether another program takes the message.
 * @param onTime called with the milliseconds by which the broker's clock is ahead
 */
function proveDestination(settings: BrokerSettings, named: [string, string], onTime: (skew: number) => void) {
  const [key, destination] = named;
  const isQueue = destination.startsWith('/queue/');
  const mend = `set broker.destinations.${key} to your own ${isQueue ? 'queue' : 'topic'}, such as /${isQueue ? 'queue' : 'topic'}/swf.${key}`;
  return withConnections(settings, 1, async ([broker]) => {
    const got = listen(broker, { ...ofNamespace(destination, trialNamespace), ack: isQueue ? 'each' : 'auto' });
    const body = JSON.stringify({ msg_type: 'swf_doctor', namespace: trialNamespace });
    try {
      await send(broker, destination, { namespace: trialNamespace, msg_type: 'swf_doctor' }, body, trialLife);
    } catch (error) {
      if (!hasCode(error, 'BROKER_REFUSED')) throw error;
      return fail(
        `${destination} does not accept messages from this user (${error.message}); ${mend}, or fix the cause`,
      );
    }
    const isBack = await got.comes(1);
    const { timestamp } = got.deliveries[0]?.headers ?? {};
    if (timestamp !== undefined) onTime(Number(timestamp) - Date.now());
    if (isBack) return ok(`${destination} can be written to and read from`);
    return fail(`another program also reads ${destination}, and took what was sent there; ${mend}`);
  });
}

const proveTimeLimit = (settings: BrokerSettings, timeout: number) =>
  withConnections(settings, 1, async ([broker]) => {
    const longest = timeout + afterPayloadSeconds;
    if (broker.hasSelectors()) return ok('a slice may be held for as long as its payload takes');
    if (longest > acknowledgeSeconds)
      return fail(
        `RabbitMQ takes a slice back after ${acknowledgeSeconds} s, but worker.timeout_seconds = ${timeout} allows more; lower that, or raise the broker's consumer_timeout`,
      );
    return ok(`a slice may be held for ${acknowledgeSeconds} s, and a worker needs at most ${longest} s`);
  });
