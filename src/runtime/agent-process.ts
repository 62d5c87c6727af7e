import type { Agent } from '../agents/agent.ts';
import { runReader } from '../agents/log-consumer.ts';
import { readingAgents } from '../agents/registry.ts';
import type { BrokerSettings, StompBus } from '../broker/connection.ts';
import type { Config } from '../config/load.ts';
import { type Crew, enter } from '../db/execution/take-over.ts';
import { runningOverBroker } from '../db/lists/executions.ts';
import { spreadNumbers } from '../db/log/numbers.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import type { AgentType } from '../domain/states.ts';
import { openStation, spokenBy, type Station, type StationOptions, withConnection } from '../exchange/session.ts';
import { runSlots } from '../exchange/slice-consumers.ts';
import { SwfError } from '../lib/errors.ts';
import type { Log, LogLevel } from '../lib/logger.ts';
import { currentProcess } from '../lib/process-identity.ts';
import { createPayloadHost } from '../payload/host.ts';
import { watchLostSlices } from './abandoned-slices.ts';
import { type Benches, createBenches } from './attached-executions.ts';
import { createPresence } from './heartbeat.ts';
import { createVoice } from './process-log.ts';
import { supervise } from './supervisor.ts';

/**
 * Composition root of an agent as a process of its own: it works on every execution of its namespace that runs over the
 * broker, until it is told to stop.
 */
export interface AgentOptions {
  store: Store;
  config: Config;
  type: Exclude<AgentType, 'daq_simulator'>;
  broker: BrokerSettings;
  user: string;
  logLevel: LogLevel;
  log: Log;
  /** What payload commands inherit. */
  environment: NodeJS.ProcessEnv;
  /** Aborted when it is told to stop; it may still be waiting for its broker then. */
  interrupted: AbortSignal;
}

export interface RunningAgent {
  name: string;
  /** Resolves when the agent has stopped; rejects when it cannot go on. */
  done: Promise<void>;
  /** Finishes the work in hand and stops. */
  stop(): void;
}

export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { store, config, broker } = options;
  const voice = createVoice(store, options.log, options.logLevel);
  const stationOptions = { store, config, broker, voice };
  return withConnection(stationOptions, options.interrupted, (stomp) => hostAgent(options, stomp, stationOptions));
}

async function hostAgent(
  options: AgentOptions,
  stomp: StompBus,
  stationOptions: StationOptions,
): Promise<RunningAgent> {
  const { store, config, type, user, log } = options;
  const { voice } = stationOptions;
  const crew: Crew<AgentType> = await store.write(() => {
    spreadNumbers(store.db, config.testbed);
    return enter<AgentType>(store, {
      identity: currentProcess(),
      user,
      namespace: config.testbed.namespace,
      agentTypes: [type],
    });
  });
  const name = crew.agents[type];
  const stopping = new AbortController();
  const closing = new AbortController();
  let fault: { error: unknown } | undefined;
  const onFault = (error: unknown): void => {
    fault ??= { error };
    stopping.abort();
  };
  voice.speakAs(name);
  const presence = createPresence(store, log, crew.process_id, [name]);
  const station = await openStation(stomp, stationOptions, {
    processId: crew.process_id,
    speaks: spokenBy[type] ?? [],
    onFault,
  });
  const payloads = createPayloadHost(options.environment);
  const benches = createBenches({
    ...options,
    processId: crew.process_id,
    station,
    presence,
    payloads,
    closing: closing.signal,
  });
  const duty: Duty = { options, name, station, benches, stopping: stopping.signal, onFault };

  const work = async (): Promise<void> => {
    presence.start();
    try {
      const agent = readingAgents.find((candidate) => candidate.type === type);
      await (agent === undefined ? slotsOf(duty) : readEverything(agent, duty));
      if (fault !== undefined) throw fault.error;
    } finally {
      stopping.abort();
      closing.abort();
      await payloads.close();
      await presence.end();
      await station.close();
    }
  };
  return { name, done: work(), stop: () => stopping.abort() };
}

interface Duty {
  options: AgentOptions;
  name: string;
  station: Station;
  benches: Benches;
  stopping: AbortSignal;
  onFault: (error: unknown) => void;
}

function slotsOf({ options: { config }, name, station, benches, stopping }: Duty): Promise<void> {
  return runSlots({
    name,
    slots: config.fast_processing.target_worker_count,
    hostname: currentProcess().hostname,
    namespace: config.testbed.namespace,
    station,
    benchOf: (slice) => benches.of(slice.execution_id ?? '', slice.run_id),
    signal: stopping,
  });
}

/** Reads the log of every execution that runs over the broker; a new one is found by the news that it makes. */
async function readEverything(
  agent: Agent,
  { options, name, station, benches, stopping, onFault }: Duty,
): Promise<void> {
  const { store, config } = options;
  const sql = preparer(store.db);
  // What an agent has given up on stays here until the execution has ended: each news would start it anew otherwise.
  const reading = new Map<string, Promise<unknown>>();
  const read = (executionId: string): Promise<unknown> => {
    const bench = benches.of(executionId, undefined).workplace;
    bench.signal.addEventListener('abort', () => reading.delete(executionId), { once: true });
    // Told to stop, it finishes the message in hand; the execution's end it hears of by its own signal.
    const workplace = { ...bench, signal: AbortSignal.any([stopping, bench.signal]) };
    const parts = [
      { name, work: () => runReader(agent, name, workplace) },
      ...(agent.type === 'fast_processing' ? [{ name, work: () => watchLostSlices(store, name, workplace) }] : []),
    ];
    return Promise.all(parts.map((part) => supervise(part, workplace, onFault)));
  };
  while (!stopping.aborted) {
    for (const executionId of runningOverBroker(sql, config.testbed.namespace)) {
      if (reading.has(executionId)) continue;
      try {
        reading.set(executionId, read(executionId));
      } catch (error) {
        if (!(error instanceof SwfError)) throw error;
        // Its recorded configuration cannot be used here; the others can.
        options.log.write({ level: 'WARNING', message: `${executionId} is left alone: ${error.line}` });
        reading.set(executionId, Promise.resolve());
      }
    }
    await station.bus.news(stopping);
  }
  await Promise.all(reading.values());
}
