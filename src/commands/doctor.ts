import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

import { showAddress } from '../broker/address.ts';
import type { BrokerSettings, Subscription } from '../broker/connection.ts';
import { createStompBus } from '../broker/stomp-connection.ts';
import { brokerSettings } from '../config/broker.ts';
import { type Config, type Loaded, loadConfig, requireOwnNamespace } from '../config/load.ts';
import { storeId } from '../db/log/numbers.ts';
import { openExistingStore, openReader } from '../db/sqlite/open-store.ts';
import { selectorFor } from '../exchange/inbox.ts';
import { durableName } from '../exchange/session.ts';
import { networkFileSystemOf } from '../files/network-file-system.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import { configPlaces, exitCodes, type Io, storePath, userName } from './io.ts';

export interface DoctorArguments {
  config: string | undefined;
  broker: string | undefined;
  sets: string[];
  unsubscribe: boolean;
}

/** What one look found: all is well, or what to do. */
type Finding = { state: 'ok' | 'warn' | 'fail'; what: string };

const ok = (what: string): Finding => ({ state: 'ok', what });

/** `swf-mcp doctor`: is everything in place? A line each. Returns 0 if nothing has failed. */
export async function doctorCommand(
  io: Io,
  { config: name, broker, sets, unsubscribe }: DoctorArguments,
): Promise<number> {
  let failed = false;
  const tell = (subject: string, { state, what }: Finding): void => {
    failed ||= state === 'fail';
    io.out(`${state.padEnd(4)}  ${subject.padEnd(13)}  ${what}\n`);
  };
  const path = storePath(io);
  tell('node', lookAtNode(io.nodeVersion));
  tell(
    'user',
    attempt(() => ok(userName(io))),
  );
  tell(
    'store',
    attempt(() => lookAtStore(path)),
  );
  tell(
    'file system',
    attempt(() => lookAtFileSystem(path)),
  );
  let loaded: Loaded | undefined;
  tell(
    'configuration',
    attempt(() => {
      loaded = loadConfig({ name, sets, ...configPlaces(io) });
      return ok(
        `namespace ${loaded.config.testbed.namespace}${loaded.isOwnNamespace ? '' : ' (that of the shipped file)'}`,
      );
    }),
  );
  if (loaded === undefined) return exitCodes.mendable;
  const { config, warnings } = loaded;
  for (const warning of warnings) tell('configuration', { state: 'warn', what: warning });
  let settings: BrokerSettings | undefined;
  const asked = attempt(() => {
    settings = brokerSettings(broker, config.broker, io.env);
    return ok(
      settings === undefined
        ? 'none asked for: everything in one process'
        : settings.servers.map(showAddress).join(','),
    );
  });
  tell('broker', asked);
  if (settings !== undefined) {
    if (!loaded.isOwnNamespace)
      tell(
        'namespace',
        attempt(() => ok(String(requireOwnNamespace(loaded as Loaded)))),
      );
    for await (const [subject, finding] of lookAtBroker(settings, config)) tell(subject, finding);
    if (unsubscribe)
      tell('unsubscribe', await attemptLater(() => forgetDurable(path, settings as BrokerSettings, config)));
  }
  return failed ? exitCodes.mendable : exitCodes.fine;
}

function attempt(look: () => Finding): Finding {
  try {
    return look();
  } catch (error) {
    return asFinding(error);
  }
}

async function attemptLater(look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    return asFinding(error);
  }
}

/** What can be mended is said in its own words; anything else is a bug and stays one. */
function asFinding(error: unknown): Finding {
  if (error instanceof SwfError) return { state: 'fail', what: error.line };
  if (error instanceof Error && 'code' in error) return { state: 'fail', what: messageOf(error) };
  throw error;
}

function lookAtNode(nodeVersion: string): Finding {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 15)) return ok(nodeVersion);
  return { state: 'fail', what: `${nodeVersion} is too old; install Node.js 20.15 or newer` };
}

function lookAtStore(path: string): Finding {
  if (!existsSync(path)) return ok(`${path} (not there yet; the first run makes it)`);
  openReader(path).close();
  return ok(path);
}

/** A short run takes a few megabytes. */
const leastFree = 20_000_000;

function lookAtFileSystem(path: string): Finding {
  let folder = dirname(path);
  while (!existsSync(folder)) folder = dirname(folder);
  accessSync(folder, constants.W_OK);
  const { bavail, bsize } = statfsSync(folder);
  const kind = networkFileSystemOf(folder);
  const free = `${((bavail * bsize) / 1e9).toFixed(1)} GB free`;
  if (bavail * bsize < leastFree) return { state: 'fail', what: `${folder} is nearly full, ${free}; make room` };
  if (kind === undefined) return ok(`${folder} is local and writable, ${free}`);
  return {
    state: 'fail',
    what: `${folder} is on ${kind}, where a store gets damaged; name a file on a local disk with --db`,
  };
}

async function* lookAtBroker(settings: BrokerSettings, config: Config): AsyncGenerator<[string, Finding]> {
  let skew: number | undefined;
  const login = await attemptLater(async () => {
    skew = (await echo(settings)).skew;
    return ok(`${settings.user ?? 'no user'}${settings.servers.some(({ tls }) => tls) ? ', over TLS' : ''}`);
  });
  yield ['login', login];
  if (login.state === 'fail') return;
  yield ['clock', clockFinding(skew)];
  for (const [name, destination] of Object.entries(config.broker.destinations)) {
    yield [name, await attemptLater(() => lookAtDestination(settings, destination))];
  }
}

/** Subscribing with a selector that nothing fits takes nothing from anybody, and shows whether we may. */
async function lookAtDestination(settings: BrokerSettings, destination: string): Promise<Finding> {
  const subscription: Subscription = {
    id: 'doctor',
    destination,
    ack: 'auto',
    headers: { selector: selectorFor('swf-mcp doctor') },
    onMessage: () => {},
  };
  const bus = createStompBus(settings, () => {});
  bus.subscribe(subscription);
  await bus.connect({ once: true });
  await bus.close();
  return ok(destination);
}

/** Sends a message to ourselves; the broker's time stamp on it tells how its clock stands to ours. */
async function echo(settings: BrokerSettings): Promise<{ skew: number | undefined }> {
  const bus = createStompBus(settings, () => {});
  const topic = '/topic/swf.doctor';
  const heard = new Promise<number | undefined>((resolve) => {
    bus.subscribe({
      id: 'doctor',
      destination: topic,
      ack: 'auto',
      onMessage: ({ headers }) =>
        resolve(headers['timestamp'] === undefined ? undefined : Number(headers['timestamp']) - Date.now()),
    });
  });
  try {
    await bus.connect({ once: true });
    await bus.send(topic, {}, 'doctor');
  } catch (error) {
    await bus.close();
    throw error;
  }
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), 2000);
  });
  const skew = await Promise.race([heard, silence]);
  clearTimeout(timer);
  await bus.close();
  return { skew };
}

/** A clock that is further off spoils expiry times and delays between hosts. */
const worstSkewMilliseconds = 2000;

function clockFinding(skew: number | undefined): Finding {
  if (skew === undefined) return { state: 'warn', what: 'the broker does not tell its time' };
  if (Math.abs(skew) <= worstSkewMilliseconds)
    return ok(`within ${Math.max(1, Math.ceil(Math.abs(skew) / 1000))} s of the broker's`);
  return {
    state: 'warn',
    what: `the broker's clock is ${(skew / 1000).toFixed(1)} s off ours; synchronise both (NTP)`,
  };
}

/** Removes the store's durable subscription, for which the broker would otherwise keep messages. */
async function forgetDurable(path: string, settings: BrokerSettings, config: Config): Promise<Finding> {
  const store = await openExistingStore(path);
  try {
    const name = durableName(await store.write(() => storeId(store.db)), config.testbed.namespace);
    const bus = createStompBus({ ...settings, clientId: name }, () => {});
    try {
      await bus.connect({ once: true });
      await bus.forget(name);
      return ok(`${name} is removed`);
    } catch (error) {
      // The broker's way of saying that there is none.
      if (error instanceof SwfError && /durable/i.test(error.message)) return ok(`${name} is not there`);
      throw error;
    } finally {
      await bus.close();
    }
  } finally {
    store.close();
  }
}
