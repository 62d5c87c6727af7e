import { setTimeout as delay } from 'node:timers/promises';

import { brokerSettings } from '../config/broker.ts';
import { loadConfig, requireOwnNamespace } from '../config/load.ts';
import { openStore } from '../db/sqlite/open-store.ts';
import type { AgentType } from '../domain/states.ts';
import { SwfError } from '../lib/errors.ts';
import { createLog } from '../lib/logger.ts';
import { startAgent } from '../runtime/agent-process.ts';
import { startDaqAgent } from '../runtime/daq-process.ts';
import { configPlaces, exitCodes, type Io, logLevel, storeOptions, storePath, userName } from './io.ts';
import { asRecorded } from './run.ts';

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
  const sources = { name, sets, ...configPlaces(io) };
  const loaded = loadConfig(sources);
  const { config } = loaded;
  const settings = brokerSettings(broker, config.broker, io.env);
  if (settings === undefined) {
    throw new SwfError(
      'CONFIG_INVALID',
      'an agent of its own needs a broker; give --broker stomp://HOST:PORT, or [broker] url in its configuration',
    );
  }
  requireOwnNamespace(loaded);
  const user = userName(io);
  const level = logLevel(io);
  const store = await openStore(storePath(io), storeOptions(io));
  try {
    const log = createLog('WARNING', (line) => io.err(line));
    const interrupted = new AbortController();
    io.onInterrupt((signal) => {
      io.err(`${signal}: finishing the work in hand; once more ends at once`);
      interrupted.abort();
    });
    const own = asRecorded(config, store.path, io.workingFolder, settings);
    const common = {
      store,
      config: own,
      broker: settings,
      user,
      logLevel: level,
      log,
      environment: io.env,
      interrupted: interrupted.signal,
    };
    const starting =
      type === 'daq_simulator'
        ? startDaqAgent({
            ...common,
            sources,
            asRecorded: (requested) => asRecorded(requested, store.path, io.workingFolder, settings),
          })
        : startAgent({ ...common, type });
    // Told to stop while its broker was not there, it has not begun; told while it begins, it has in a moment.
    const early = aborted(interrupted.signal).then(() => delay(momentMilliseconds, undefined));
    const agent = await Promise.race([starting, early]);
    if (agent === undefined) return exitCodes.fine;
    io.err(`${agent.name} works in namespace ${config.testbed.namespace}, store ${store.path}`);
    interrupted.signal.addEventListener('abort', () => agent.stop());
    if (interrupted.signal.aborted) agent.stop();
    await agent.done;
    return exitCodes.fine;
  } finally {
    store.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
}
