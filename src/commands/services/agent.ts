import type { BrokerSettings } from '../../broker/connection.ts';
import { connectByStomp } from '../../broker/stomp-connection.ts';
import { requireBroker } from '../../config/broker.ts';
import { type Loaded, loadConfig } from '../../config/load.ts';
import { requireOwnNamespace, requireRecorderAgents } from '../../config/policies.ts';
import { asRecorded } from '../../config/recorded.ts';
import { openStore } from '../../db/opening/open-store.ts';
import type { AgentType } from '../../domain/states.ts';
import { counting, Traffic } from '../../exchange/traffic.ts';
import { aborted, pause } from '../../lib/deadline.ts';
import { configInvalid } from '../../lib/errors.ts';
import { createLog } from '../../lib/logger.ts';
import { startRemoteAgent } from '../../remote/remote-process.ts';
import type { RunningAgent } from '../../remote/running-agent.ts';
import { startDaqAgent } from '../../runtime/daq-process.ts';
import { hostOptions } from '../drive/drive.ts';
import { asPassing, serveMetrics } from '../serve/process-metrics.ts';
import { brokerChoice } from '../shared/broker-choice.ts';
import { configPlaces, type Io, logLevel, storeOptions, storePath, userName } from '../shared/io.ts';
import { asService, tellReady } from '../shared/service-manager.ts';
import { agentFigures } from './agent-figures.ts';

export interface AgentArguments {
  type: AgentType;
  broker: string | undefined;
  config: string | undefined;
  sets: string[];
  /** Tells agents of one type on one machine apart, from 1. */
  index: number;
  /** Where to serve figures for Prometheus, as given. */
  metrics?: string | undefined;
  /** Whether it ends, as at SIGTERM, when the process that started it has ended. */
  untilParentEnds: boolean;
}

const momentMilliseconds = 500;

/** `swf-mcp agent TYPE`: one agent as a process of its own, until stopped. Returns the exit code. */
export function agentCommand(io: Io, args: AgentArguments): Promise<number> {
  io.keepGoingWithoutOutput();
  // Restarted by "up", it may start while its predecessor still finishes its work.
  return asService(io, () => work(io, args), args.untilParentEnds ? ['AGENT_IN_USE'] : []);
}

async function work(io: Io, args: AgentArguments): Promise<void> {
  const interrupted = new AbortController();
  io.onInterrupt((signal) => {
    io.err(`${signal}: finishing the work in hand; once more ends at once`);
    interrupted.abort();
  });
  if (args.untilParentEnds) io.onParentEnd(() => interrupted.abort());
  const surroundings = surroundingsOf(io, args);
  const traffic = new Traffic();
  let agent: RunningAgent | undefined;
  const onStart = (started: RunningAgent): void => void (agent = started);
  const endMetrics = await serveMetrics(io, args.metrics, () => agentFigures(io.version, traffic, agent)).catch(
    (error: unknown) => {
      throw args.untilParentEnds ? asPassing(error) : error;
    },
  );
  try {
    const { signal } = interrupted;
    await (args.type === 'daq_simulator'
      ? recordUntilStopped(io, surroundings, { traffic, signal, onStart })
      : workUntilStopped(io, { type: args.type, index: args.index }, surroundings, {
          traffic,
          signal,
          onStart,
        }));
  } finally {
    await endMetrics();
  }
}

/** The parts of a process that exist before its agent. */
interface Process {
  traffic: Traffic;
  /** Aborted when the process must stop. */
  signal: AbortSignal;
  onStart: (agent: RunningAgent) => void;
}

async function recordUntilStopped(io: Io, around: Surroundings, { traffic, signal, onStart }: Process): Promise<void> {
  const { namespace } = around.loaded.config.testbed;
  using store = await openStore(storePath(io), storeOptions(io));
  const options = recorderOptions(io, { ...around, store });
  const connect = counting(connectByStomp, traffic);
  const broker = brokerChoice(io, around.settings, around.recorded, connect);
  const starting = startDaqAgent({ ...options, broker, interrupted: signal });
  await runUntilStopped(io, starting, signal, (agent) => {
    onStart(agent);
    io.err(`${agent.name} works in namespace ${namespace}, store ${store.path}`);
  });
}

async function workUntilStopped(
  io: Io,
  { type, index }: { type: Exclude<AgentType, 'daq_simulator'>; index: number },
  around: Surroundings,
  { traffic, signal, onStart }: Process,
): Promise<void> {
  const { namespace } = around.loaded.config.testbed;
  if (type === 'fast_processing')
    throw configInvalid(
      'fast_processing runs in the recorder: "swf-mcp run --broker" or "swf-mcp agent daq_simulator"',
    );
  const { recorded, settings } = around;
  const { sources = [], url } = recorded.data;
  // Warn now, before workers return their slices.
  if (type === 'fastmon' && sources.length > 0 && url === undefined)
    io.err(
      'WARNING nobody could read TF samples that are made here, so this agent makes none of what it fetches: publish data.dir with "swf-mcp serve-files", and say where with --set data.url=http://HOST:PORT',
    );
  const starting = startRemoteAgent({
    type,
    index,
    user: userName(io),
    version: io.version,
    namespace,
    destinations: recorded.broker.destinations,
    broker: brokerChoice(io, settings, recorded, counting(connectByStomp, traffic)),
    onStep: (seconds) => traffic.noteStep(seconds),
    params: { ...recorded, speed: 1 },
    log: createLog('WARNING', (line) => io.err(line)),
    logLevel: logLevel(io),
    environment: io.env,
    interrupted: signal,
  });
  await runUntilStopped(io, starting, signal, (agent) => {
    onStart(agent);
    io.err(`${agent.name} works in namespace ${namespace}`);
  });
}

/** At a stop, an agent without its broker has not begun; an agent that is just beginning gets a moment. */
async function runUntilStopped(
  io: Io,
  starting: Promise<RunningAgent>,
  interrupted: AbortSignal,
  onStart: (agent: RunningAgent) => void,
): Promise<void> {
  const early = aborted(interrupted).then(() => pause(momentMilliseconds));
  const agent = await Promise.race([starting, early]);
  if (agent === undefined) return;
  onStart(agent);
  tellReady(io);
  void aborted(interrupted).then(() => agent.stop());
  await agent.done;
}

interface Surroundings {
  sources: Parameters<typeof loadConfig>[0];
  loaded: Loaded;
  settings: BrokerSettings;
  /** With the folder of data files, and without secrets. */
  recorded: Loaded['config'];
}

function surroundingsOf(io: Io, { config: name, sets, broker }: AgentArguments): Surroundings {
  userName(io);
  logLevel(io);
  const sources = { name, sets, ...configPlaces(io) };
  const loaded = loadConfig(sources);
  const settings = requireBroker('an agent of its own', broker, loaded.config.broker, io.env);
  requireOwnNamespace(loaded);
  requireRecorderAgents(loaded.config);
  return { sources, loaded, settings, recorded: asRecorded(loaded.config, storePath(io), io.workingFolder, settings) };
}

function recorderOptions(
  io: Io,
  { sources, settings, recorded, store }: Surroundings & { store: Awaited<ReturnType<typeof openStore>> },
) {
  const asHere = (config: Loaded['config']): Loaded['config'] =>
    asRecorded(config, store.path, io.workingFolder, settings);
  const options = hostOptions(io, { store, config: recorded, broker: settings });
  return { ...options, sources, asRecorded: asHere };
}
