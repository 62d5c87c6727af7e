import type { BrokerSettings, Delivery, StompBus } from '../broker/connection.ts';
import type { ConfigSources } from '../config/layers.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { requestedSections, requireBareName } from '../config/request.ts';
import { begin, type Crew, type Drive, enter } from '../db/execution/take-over.ts';
import { spreadNumbers } from '../db/log/numbers.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import { type Speed, speedSchema } from '../domain/params.ts';
import type { AgentType } from '../domain/states.ts';
import { selectorFor } from '../exchange/inbox.ts';
import { openStation, spokenBy, type StationOptions, withConnection } from '../exchange/session.ts';
import { SwfError } from '../lib/errors.ts';
import type { Log, LogLevel } from '../lib/logger.ts';
import { currentProcess, isAlive } from '../lib/process-identity.ts';
import { utcNow } from '../lib/time.ts';
import { decodeMessage, type Message } from '../messages/vocabulary.ts';
import type { RunningAgent } from './agent-process.ts';
import { createPresence } from './heartbeat.ts';
import { createVoice } from './process-log.ts';
import { driveExecution, refuseForeignFolder } from './start-execution.ts';

/**
 * Composition root of the DAQ simulator as a process of its own: it takes requests from the control queue and drives each
 * execution that it starts.
 */
export interface DaqAgentOptions {
  store: Store;
  /** The agent's own configuration: its namespace and broker hold, and the rest for requests that name none. */
  config: Config;
  /** Where configurations are found that requests name. */
  sources: ConfigSources;
  /** Makes a configuration what is recorded: without secrets, with its folder and broker. */
  asRecorded: (config: Config) => Config;
  broker: BrokerSettings;
  user: string;
  logLevel: LogLevel;
  log: Log;
  /** What payload commands inherit. */
  environment: NodeJS.ProcessEnv;
  /** Aborted when it is told to stop; it may still be waiting for its broker then. */
  interrupted: AbortSignal;
}

export async function startDaqAgent(options: DaqAgentOptions): Promise<RunningAgent> {
  const { store, config, broker } = options;
  const voice = createVoice(store, options.log, options.logLevel);
  const stationOptions = { store, config, broker, voice };
  return withConnection(stationOptions, options.interrupted, (stomp) => hostDaqAgent(options, stomp, stationOptions));
}

async function hostDaqAgent(
  options: DaqAgentOptions,
  stomp: StompBus,
  stationOptions: StationOptions,
): Promise<RunningAgent> {
  const { store, config, user, log } = options;
  const { namespace } = config.testbed;
  const { voice } = stationOptions;
  const crew = await store.write(() => {
    spreadNumbers(store.db, config.testbed);
    const entered: Crew<AgentType> = enter<AgentType>(store, {
      identity: currentProcess(),
      user,
      namespace,
      agentTypes: ['daq_simulator'],
    });
    return entered;
  });
  const stopping = new AbortController();
  const faults = new AbortController();
  voice.speakAs(crew.agents.daq_simulator);
  const presence = createPresence(store, log, crew.process_id, [crew.agents.daq_simulator]);
  const station = await openStation(stomp, stationOptions, {
    processId: crew.process_id,
    speaks: spokenBy['daq_simulator'] ?? [],
    onFault: (error) => faults.abort(error),
  });
  /** Each execution that is driven here, with the way to stop it. */
  const driving = new Map<Promise<void>, (reason: string) => Promise<void>>();

  /** The execution that a request makes; undefined where it makes none, for a reason that is then recorded. */
  const startAsked = async ({ command, config: asked }: RunRequest, delivery: Delivery): Promise<Drive | undefined> => {
    try {
      return await store.write(() => {
        const drive = begin(store, command, crew.process_id, isAlive);
        if (drive !== undefined) refuseForeignFolder(asked, drive);
        return drive;
      });
    } catch (error) {
      if (!(error instanceof SwfError) || error.code !== 'CONFIG_INVALID') throw error;
      await station.exchange.record(station.destinations.control, delivery, error.line);
      return undefined;
    }
  };

  /** Records a request, and starts what it asks for. Whatever is wrong with it is recorded as the reason of its refusal. */
  const take = async (delivery: Delivery): Promise<void> => {
    const request = readRequest(delivery, options);
    if (request.kind === 'other') {
      await station.exchange.record(station.destinations.control, delivery, request.refusal);
      return;
    }
    const drive = await startAsked(request, delivery);
    if (drive === undefined) return;
    const { execution_id, done, stop } = driveExecution(
      { ...options, config: request.config, speed: request.command.speed },
      { crew, drive, presence, station, faults: faults.signal },
    );
    log.write({ level: 'WARNING', message: `${execution_id} starts, asked for by ${request.command.sender}` });
    const driven = done.catch((error: unknown) => faults.abort(error)).finally(() => driving.delete(driven));
    driving.set(driven, stop);
  };

  const takeAndAcknowledge = async (delivery: Delivery): Promise<void> => {
    await take(delivery);
    delivery.acknowledge();
    station.bus.announce(['run_workflow', 'stop_workflow']);
  };

  stomp.subscribe({
    id: 'control',
    destination: station.destinations.control,
    ack: 'client-individual',
    headers: { selector: selectorFor(namespace), 'activemq.prefetchSize': '1' },
    onMessage(delivery) {
      if (stopping.signal.aborted) return;
      takeAndAcknowledge(delivery).catch((error: unknown) => faults.abort(error));
    },
  });

  const work = async (): Promise<void> => {
    presence.start();
    try {
      await anyAborted(stopping.signal, faults.signal);
      stomp.unsubscribe('control');
      // As for a run of its own: who is told to stop ends what it drives in order.
      if (!faults.signal.aborted)
        await Promise.all([...driving.values()].map((stop) => stop('its DAQ simulator was told to stop')));
      await Promise.all(driving.keys());
      if (faults.signal.aborted) throw faults.signal.reason;
    } finally {
      await presence.end();
      await station.close();
    }
  };
  return { name: crew.agents.daq_simulator, done: work(), stop: () => stopping.abort() };
}

function anyAborted(...signals: AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    }
  });
}

interface RunRequest {
  kind: 'run';
  command: Message<'run_workflow'>;
  config: Config;
}

/** Anything else is only recorded: as rejected, where there is a reason to refuse it. */
type Request = RunRequest | { kind: 'other'; refusal?: string };

/** What a message on the control queue asks for. The testbed's own requests lack what can be filled in. */
function readRequest({ headers, body }: Delivery, options: DaqAgentOptions): Request {
  const first = decodeMessage(body);
  const fields: Record<string, unknown> = first.kind === 'message' ? { ...first.message } : first.body;
  if (fields['msg_type'] !== 'run_workflow') return { kind: 'other' };
  const { execution_id: _, run_id: __, ...asked } = fields;
  const sender = typeof asked['sender'] === 'string' ? asked['sender'] : 'unknown';
  const completed = {
    command_id: headers['message-id'],
    namespace: options.config.testbed.namespace,
    timestamp: utcNow(),
    workflow_name: options.config.workflow.name,
    params: {},
    executed_by: sender,
    speed: 1,
    ...asked,
    sender,
  };
  const decoded = decodeMessage(JSON.stringify(completed));
  if (decoded.kind !== 'message' || decoded.message.msg_type !== 'run_workflow') {
    return { kind: 'other', refusal: decoded.kind === 'rejected' ? decoded.reason : 'is no request' };
  }
  try {
    const config = options.asRecorded(requestedConfig(decoded.message, options));
    return { kind: 'run', command: { ...decoded.message, params: config }, config };
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    options.log.write({ level: 'WARNING', message: `a request by ${sender} is refused: ${error.line}` });
    return { kind: 'other', refusal: error.line };
  }
}

/** The agent's namespace and broker hold; a request chooses a configuration by name and sets parameters of the workflow. */
function requestedConfig(request: Message<'run_workflow'>, { config, sources }: DaqAgentOptions): Config {
  for (const word of [request.executed_by, request.workflow_name]) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(word)) {
      throw new SwfError(
        'CONFIG_INVALID',
        `${JSON.stringify(word)} cannot be part of an execution id; use letters, digits, "_", "." and "-"`,
      );
    }
  }
  requireSpeed(request.speed);
  const name = requireBareName(request.config, sources.workingFolder) ?? sources.name;
  const overrides = requestedSections(request.params);
  const { testbed, broker, data, agents } = config;
  const sets = [...(sources.sets ?? []), `testbed.namespace=${testbed.namespace}`];
  return { ...loadConfig({ ...sources, name, sets, overrides }).config, testbed, broker, data, agents };
}

function requireSpeed(speed: Speed): void {
  if (speedSchema.parse(speed) === 'max')
    throw new SwfError('CONFIG_INVALID', 'speed max needs every agent in one process; with a broker ask for a number');
}
