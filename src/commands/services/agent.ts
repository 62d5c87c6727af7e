import { connectByStomp } from '../../broker/stomp-connection.ts';
import { asRecorded } from '../../config/load.ts';
import { requireRecorderAgents } from '../../config/policies.ts';
import { openStore } from '../../db/opening/open-store.ts';
import { schemaVersion } from '../../db/opening/schema-version.ts';
import type { SeparateType } from '../../domain/states.ts';
import { counting, type Traffic, createTraffic } from '../../exchange/traffic.ts';
import { agentMetricsText } from '../../http/service-metrics.ts';
import { aborted, pause } from '../../lib/deadline.ts';
import { createLog } from '../../lib/logger.ts';
import type { RunningAgent } from '../../remote/part.ts';
import { startRemoteAgent } from '../../remote/remote-process.ts';
import { startDaqAgent } from '../../runtime/daq-process.ts';
import { hostOptions } from '../drive/drive.ts';
import { serveMetrics } from '../serve/listening.ts';
import { brokerChoice } from '../shared/broker-choice.ts';
import { configWithBroker } from '../shared/configured.ts';
import { type BrokerFlags, configPlaces, type Io, logLevel, storeOptions, storePath, userName } from '../shared/io.ts';
import { asService, tellReady } from '../shared/service-manager.ts';

interface AgentArguments extends BrokerFlags {
  type: SeparateType;
  /** Distinguishes agents of one type on one machine, from 1. */
  index: number;
  metrics?: string;
  untilParentEnds: boolean;
}

const momentMilliseconds = 500;

/** `swf-mcp agent TYPE`: one agent as its own process, until stopped. Returns the exit code. */
export function agentCommand(io: Io, args: AgentArguments) {
  const { untilParentEnds } = args;
  return asService(io, (signal) => work(io, args, signal), {
    untilParentEnds,
    // Restarted by "up", it may start while its predecessor still finishes its work.
    passing: untilParentEnds ? ['AGENT_IN_USE'] : [],
    finishing: 'finishing work in progress',
  });
}

async function work(io: Io, args: AgentArguments, signal: AbortSignal) {
  const surroundings = surroundingsOf(io, args);
  const traffic = createTraffic();
  let agent: RunningAgent | undefined;
  const task: Process = { traffic, signal, onStart: (started) => (agent = started) };
  const figures = () =>
    agentMetricsText({
      version: io.version,
      schema: schemaVersion,
      traffic,
      ...(agent?.figures() ?? { unsent: { count: 0, oldest: undefined }, behind: {}, slots: {}, offDuty: {} }),
    });
  await using _metrics = await serveMetrics(io, args.metrics, figures);
  await (args.type === 'daq_simulator'
    ? recordUntilStopped(io, surroundings, task)
    : workUntilStopped(io, { type: args.type, index: args.index }, surroundings, task));
}

/** The parts of a process that exist before its agent. */
interface Process {
  traffic: Traffic;
  /** Aborted when the process must stop. */
  signal: AbortSignal;
  onStart: (agent: RunningAgent) => void;
}

async function recordUntilStopped(io: Io, around: Surroundings, task: Process) {
  using store = await openStore(storePath(io), storeOptions(io));
  const { namespace, sources, settings, recorded } = around;
  const starting = startDaqAgent({
    ...hostOptions(io, { store, config: recorded, broker: settings }),
    sources,
    asRecorded: (config) => asRecorded(config, store.path, io.workingFolder, settings),
    broker: brokerChoice(io, settings, recorded, counting(connectByStomp, task.traffic)),
    interrupted: task.signal,
  });
  await runUntilStopped(io, starting, task, `namespace ${namespace}, store ${store.path}`);
}

async function workUntilStopped(
  io: Io,
  { type, index }: { type: Exclude<SeparateType, 'daq_simulator'>; index: number },
  around: Surroundings,
  task: Process,
) {
  const { namespace, recorded, settings } = around;
  const { sources = [], url } = recorded.data;
  // Warn now, before workers return their slices.
  if (type === 'fastmon' && sources.length > 0 && url === undefined)
    io.err(
      'WARNING no other host could read TF samples made here, so this agent makes none from files it fetches: publish data.dir with "swf-mcp serve-files", and give its address with --set data.url=http://HOST:PORT',
    );
  const starting = startRemoteAgent({
    type,
    index,
    user: userName(io),
    version: io.version,
    namespace,
    destinations: recorded.broker.destinations,
    broker: brokerChoice(io, settings, recorded, counting(connectByStomp, task.traffic)),
    onStep: (seconds) => task.traffic.noteStep(seconds),
    params: { ...recorded, speed: 1 },
    log: createLog('WARNING', (line) => io.err(line)),
    logLevel: logLevel(io),
    environment: io.env,
    interrupted: task.signal,
  });
  await runUntilStopped(io, starting, task, `namespace ${namespace}`);
}

/** At a stop, an agent without its broker has not begun; an agent that is just beginning gets a moment. */
async function runUntilStopped(io: Io, starting: Promise<RunningAgent>, task: Process, where: string) {
  const early = aborted(task.signal).then(() => pause(momentMilliseconds));
  const agent = await Promise.race([starting, early]);
  if (agent === undefined) return;
  task.onStart(agent);
  io.err(`${agent.name} works in ${where}`);
  tellReady(io);
  void aborted(task.signal).then(() => agent.stop());
  await agent.done;
}

type Surroundings = ReturnType<typeof surroundingsOf>;

function surroundingsOf(io: Io, flags: BrokerFlags) {
  userName(io);
  logLevel(io);
  const { config, settings } = configWithBroker(io, 'a separate agent', flags);
  requireRecorderAgents(config);
  // With the folder of data files, and without secrets.
  const recorded = asRecorded(config, storePath(io), io.workingFolder, settings);
  const sources = { name: flags.config, sets: flags.sets, ...configPlaces(io) };
  return { namespace: config.testbed.namespace, sources, settings, recorded };
}
