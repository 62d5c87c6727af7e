import { brokerSettings } from '../broker-settings.ts';
import { loadConfig, requireOwnNamespace } from '../config.ts';
import { openStore } from '../db/store.ts';
import { SwfError } from '../errors.ts';
import { createLog } from '../log.ts';
import { nearest } from '../nearest.ts';
import { startAgent } from '../run-agent.ts';
import { startDaqAgent } from '../run-daq.ts';
import { type AgentType, agentTypes } from '../workflow/states.ts';
import { configPlaces, exitCodes, type Io, logLevel, storePath, userName } from './io.ts';
import { asRecorded } from './run.ts';

export interface AgentArguments {
  type: string;
  broker: string | undefined;
  config: string | undefined;
  sets: string[];
}

/** `swf-mcp agent TYPE`: one agent as a process of its own, until it is told to stop. Returns the exit code. */
export async function agentCommand(io: Io, { type, broker, config: name, sets }: AgentArguments): Promise<number> {
  io.keepGoingWithoutOutput();
  const agentType = parseType(type);
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
  const store = await openStore(storePath(io));
  try {
    const log = createLog('WARNING', (line) => io.err(line));
    const common = { store, config, broker: settings, user, logLevel: level, log };
    const agent =
      agentType === 'daq_simulator'
        ? await startDaqAgent({
            ...common,
            sources,
            asRecorded: (requested) => asRecorded(requested, store.path, io.workingFolder, settings),
          })
        : await startAgent({ ...common, type: agentType });
    io.err(`${agent.name} works in namespace ${config.testbed.namespace}, store ${store.path}`);
    io.onInterrupt((signal) => {
      io.err(`${signal}: finishing the work in hand; once more ends at once`);
      agent.stop();
    });
    await agent.done;
    return exitCodes.fine;
  } finally {
    store.close();
  }
}

function parseType(type: string): AgentType {
  const found = agentTypes.find((candidate) => candidate === type);
  if (found !== undefined) return found;
  throw new SwfError(
    'ARGUMENT_INVALID',
    `there is no agent ${JSON.stringify(type)}; the nearest is ${nearest(type, agentTypes, 1)[0]}, there are ${agentTypes.join(', ')}`,
  );
}
