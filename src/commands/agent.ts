import { setTimeout as delay } from 'node:timers/promises';

import type { BrokerSettings } from '../broker/connection.ts';
import { brokerSettings } from '../config/broker.ts';
import type { ConfigSources } from '../config/layers.ts';
import { type Loaded, loadConfig } from '../config/load.ts';
import { requireOwnNamespace } from '../config/policies.ts';
import { asRecorded } from '../config/recorded.ts';
import { openStore } from '../db/sqlite/open-store.ts';
import type { Store } from '../db/sqlite/store.ts';
import type { AgentType } from '../domain/states.ts';
import { aborted } from '../lib/deadline.ts';
import { SwfError } from '../lib/errors.ts';
import { type RunningAgent, startAgent } from '../runtime/agent-process.ts';
import { startDaqAgent } from '../runtime/daq-process.ts';
import type { BrokerChoice } from '../runtime/host.ts';
import { hostOptions } from './drive.ts';
import { configPlaces, exitCodes, type Io, logLevel, storeOptions, storePath, userName } from './io.ts';

export interface AgentArguments {
  type: AgentType;
  broker: string | undefined;
  config: string | undefined;
  sets: string[];
}

const momentMilliseconds = 500;

/** `swf-mcp agent TYPE`: one agent as a process of its own, until it is told to stop. Returns the exit code. */
export async function agentCommand(io: Io, { type, broker, config: name, sets }: AgentArguments): Promise<number> {
  io.keepGoingWithoutOutput();
  userName(io);
  logLevel(io);
  const sources = { name, sets, ...configPlaces(io) };
  const loaded = loadConfig(sources);
  const settings = requireBroker(broker, loaded, io);
  const store = await openStore(storePath(io), storeOptions(io));
  try {
    const interrupted = new AbortController();
    io.onInterrupt((signal) => {
      io.err(`${signal}: finishing the work in hand; once more ends at once`);
      interrupted.abort();
    });
    const starting = start(io, store, { type, sources, loaded, settings, interrupted: interrupted.signal });
    // Told to stop while its broker was not there, it has not begun; told while it begins, it has in a moment.
    const early = aborted(interrupted.signal).then(() => delay(momentMilliseconds, undefined));
    const agent = await Promise.race([starting, early]);
    if (agent === undefined) return exitCodes.fine;
    io.err(`${agent.name} works in namespace ${loaded.config.testbed.namespace}, store ${store.path}`);
    void aborted(interrupted.signal).then(() => agent.stop());
    await agent.done;
    return exitCodes.fine;
  } finally {
    store.close();
  }
}

function requireBroker(flag: string | undefined, loaded: Loaded, { env }: Io): BrokerSettings {
  const settings = brokerSettings(flag, loaded.config.broker, env);
  if (settings === undefined) {
    throw new SwfError(
      'CONFIG_INVALID',
      'an agent of its own needs a broker; give --broker stomp://HOST:PORT, or [broker] url in its configuration',
    );
  }
  requireOwnNamespace(loaded);
  return settings;
}

interface Start {
  type: AgentType;
  sources: ConfigSources;
  loaded: Loaded;
  settings: BrokerSettings;
  interrupted: AbortSignal;
}

function start(io: Io, store: Store, { type, sources, loaded, settings, interrupted }: Start): Promise<RunningAgent> {
  const recorded = (config: Loaded['config']): Loaded['config'] =>
    asRecorded(config, store.path, io.workingFolder, settings);
  const options = hostOptions(io, { store, config: recorded(loaded.config), broker: settings });
  const common = { ...options, broker: options.broker as BrokerChoice, interrupted };
  return type === 'daq_simulator'
    ? startDaqAgent({ ...common, sources, asRecorded: recorded })
    : startAgent({ ...common, type });
}
