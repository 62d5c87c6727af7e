import { connectByStomp } from '../../broker/stomp-connection.ts';
import { asRecorded } from '../../config/load.ts';
import { requireRecorderAgents } from '../../config/policies.ts';
import type { Config } from '../../config/schema.ts';
import { schemaVersion } from '../../db/opening/schema-version.ts';
import type { Store } from '../../db/opening/store.ts';
import type { SeparateType } from '../../domain/states.ts';
import { counting, createTraffic } from '../../exchange/traffic.ts';
import { agentMetricsText } from '../../http/service-metrics.ts';
import { aborted, pause } from '../../lib/deadline.ts';
import { createLog } from '../../lib/logger.ts';
import { clause } from '../../lib/words.ts';
import type { RunningAgent } from '../../remote/part.ts';
import { startRemoteAgent } from '../../remote/remote-process.ts';
import { startDaqAgent } from '../../runtime/daq-process.ts';
import { hostOptions } from '../drive/drive.ts';
import { serveMetrics } from '../serve/listening.ts';
import { brokerChoice } from '../shared/broker-choice.ts';
import { configWithBroker } from '../shared/configured.ts';
import { type BrokerFlags, configPlaces, type Io, logLevel, storePath, userName } from '../shared/io.ts';
import { ownStore } from '../shared/own-store.ts';
import { asService, tellReady } from '../shared/service-manager.ts';

interface AgentArguments extends BrokerFlags {
  type: SeparateType;
  /** Distinguishes agents of the same type on the same machine; starts at 1. */
  index: number;
  metrics?: string;
  untilParentEnds: boolean;
}

const momentMilliseconds = 500;

/** `swf-mcp agent TYPE`: one agent as its own process, until stopped. Returns the exit code. */
export function agentCommand(io: Io, args: AgentArguments) {
  return asService(io, (signal) => work(io, args, signal), {
    untilParentEnds: args.untilParentEnds,
    // If "up" has restarted this agent, its predecessor may still be finishing work.
    passing: args.untilParentEnds ? ['AGENT_IN_USE'] : [],
    finishing: 'finishing work in progress',
  });
}

async function work(io: Io, args: AgentArguments, signal: AbortSignal) {
  userName(io);
  logLevel(io);
  const { config, settings } = configWithBroker(io, 'a separate agent', args);
  requireRecorderAgents(config);
  const traffic = createTraffic();
  let agent: RunningAgent | undefined;
  const figures = () =>
    agentMetricsText({
      version: io.version,
      schema: schemaVersion,
      traffic,
      ...(agent?.figures() ?? { unsent: { count: 0, oldest: undefined }, behind: {}, slots: {}, offDuty: {} }),
    });
  await using _metrics = await serveMetrics(io, args.metrics, figures);
  // The configuration as recorded: with the folder of data files, and without secrets.
  const recordedOf = (other: Config) => asRecorded(other, storePath(io), io.workingFolder, settings);
  const recorded = recordedOf(config);
  const { type } = args;
  using store = type === 'daq_simulator' ? await ownStore(io) : undefined;
  const common = {
    broker: brokerChoice(io, settings, recorded, counting(connectByStomp, traffic)),
    interrupted: signal,
  };
  const starting =
    type === 'daq_simulator'
      ? startDaqAgent({
          ...hostOptions(io, { store: store as Store, config: recorded, broker: settings }),
          ...common,
          sources: { name: args.config, sets: args.sets, ...configPlaces(io) },
          asRecorded: recordedOf,
        })
      : startRemoteAgent({
          ...remoteOptions(io, recorded),
          ...common,
          type,
          index: args.index,
          onStep: (seconds) => traffic.noteStep(seconds),
        });
  if (type === 'fastmon') warnOfPrivateFiles(io, recorded);
  // An agent that is stopped early gets a moment to finish starting; if it still has no broker, it just ends.
  const early = aborted(signal).then(() => pause(momentMilliseconds));
  const started = await Promise.race([starting, early]);
  if (started === undefined) return;
  agent = started;
  io.err(`${started.name} is running in namespace ${config.testbed.namespace}${clause(', store ', store?.path)}`);
  tellReady(io);
  void aborted(signal).then(() => started.stop());
  await started.done;
}

const remoteOptions = (io: Io, recorded: Config) => ({
  user: userName(io),
  version: io.version,
  namespace: recorded.testbed.namespace,
  destinations: recorded.broker.destinations,
  params: { ...recorded, speed: 1 },
  log: createLog('WARNING', io.err),
  logLevel: logLevel(io),
  environment: io.env,
});

/** Warns about files that other hosts cannot reach, before workers return slices because of them. */
function warnOfPrivateFiles(io: Io, { data: { sources = [], url } }: Config) {
  if (sources.length > 0 && url === undefined)
    io.err(
      'WARNING no other host could read TF samples made here, so this agent makes none from files it fetches: publish data.dir with "swf-mcp serve-files", and give the address with --set data.url=http://HOST:PORT',
    );
}
