import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { awaitVerdict, type DriverOptions, endExecution } from '../agents/driver.ts';
import type { Workplace } from '../agents/log-consumer.ts';
import type { BrokerSettings } from '../broker/connection.ts';
import type { Config } from '../config/load.ts';
import { type ExecutionAccess, openJournal } from '../db/execution/journal.ts';
import { begin, type Crew, type Drive, enter, takeOver } from '../db/execution/take-over.ts';
import { lastTick } from '../db/lists/executions.ts';
import { createLogWriter } from '../db/lists/logs.ts';
import { spreadNumbers } from '../db/log/numbers.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import type { Speed } from '../domain/params.ts';
import { type AgentType, agentTypes } from '../domain/states.ts';
import { connectStation, openStation, spokenBy, type Station } from '../exchange/session.ts';
import { makeFolder } from '../files/make-folder.ts';
import { createScaledClock, createVirtualClock } from '../lib/clock.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import type { Log, LogLevel } from '../lib/logger.ts';
import { currentProcess, isAlive } from '../lib/process-identity.ts';
import { utcNow } from '../lib/time.ts';
import { createInProcessBus } from '../messages/notifier.ts';
import { type Message, type MessageType, messageTypes } from '../messages/vocabulary.ts';
import { createPayloadHost } from '../payload/host.ts';
import { tidyOutputs } from '../payload/outputs.ts';
import { contextFor } from './attached-executions.ts';
import { partsOf } from './execution-tasks.ts';
import { createPresence, type Presence } from './heartbeat.ts';
import { createVoice } from './process-log.ts';
import { watchStore } from './store-poller.ts';
import { requestStop, supervise } from './supervisor.ts';
import { createNudge } from './wake-signal.ts';

/**
 * Composition root of a run: store, clock, bus and agents become one running workflow. Wiring only; what happens is said in
 * `agents/`, what is recorded in `db/`.
 */
export interface WorkflowOptions {
  store: Store;
  config: Config;
  speed: Speed;
  user: string;
  logLevel: LogLevel;
  /** For people, on this process's stderr. */
  log: Log;
  /** Where the agents' own lines go besides the store; left out, to `log`. */
  agentLog?: Log;
  /** What payload commands inherit. */
  environment: NodeJS.ProcessEnv;
  /** Where the messages go over a broker: agents that are not enabled are expected in other processes then. */
  broker?: BrokerSettings | undefined;
  /** Told after each commit what was recorded. */
  onProgress?: (executionId: string, types: MessageType[]) => void;
}

export interface RunningWorkflow {
  execution_id: string;
  run_number: number;
  /** Resolves when the execution has ended, in whatever way; rejects when it could not go on here and can be resumed. */
  done: Promise<void>;
  /** Asks the execution to stop; `done` follows. */
  stop: (reason: string) => Promise<void>;
}

/** How long parts that are told to stop are waited for. */
const patienceMilliseconds = 4000;

/** Starts a new execution. `configName` is what the user called the configuration. */
export async function startWorkflow(options: WorkflowOptions, configName?: string): Promise<RunningWorkflow> {
  const { config, speed, user } = options;
  // Where no file can be written no execution is begun.
  if (config.data.write_files && config.data.dir !== undefined) requireFolder(config.data.dir);
  const command: Message<'run_workflow'> = {
    msg_type: 'run_workflow',
    command_id: randomUUID(),
    sender: user,
    namespace: config.testbed.namespace,
    workflow_name: config.workflow.name,
    ...(configName === undefined ? {} : { config: configName }),
    params: config,
    executed_by: user,
    speed,
    timestamp: utcNow(),
  };
  return takeUp(options, (processId) => {
    const drive = begin(options.store, command, processId, isAlive);
    if (drive === undefined) throw new Error('a command with a new id made no execution');
    refuseForeignFolder(config, drive);
    return drive;
  });
}

/**
 * Goes on with an interrupted execution, where its log ends. What its last driver was asked and did not hear is forgotten.
 * @param heeds the id of the one command that it is to follow all the same
 */
export async function resumeWorkflow(
  options: WorkflowOptions,
  executionId: string,
  heeds?: string,
): Promise<RunningWorkflow> {
  return takeUp(options, (processId) => takeOver(options.store, executionId, processId, { isAlive, heeds }));
}

/**
 * Two stores may give their executions the same id; they must not write into the same folder. Part of the transaction that
 * begins the execution, which then has not begun. Throws `CONFIG_INVALID`.
 */
export function refuseForeignFolder({ data }: Config, { execution_id }: Drive): void {
  if (!data.write_files || data.dir === undefined || !existsSync(join(data.dir, execution_id))) return;
  throw new SwfError(
    'CONFIG_INVALID',
    `data.dir = ${JSON.stringify(data.dir)} holds files of an execution ${execution_id} of another store; give this store another data.dir, or remove that folder`,
  );
}

/** Makes the folder of all executions' data. Throws `DATA_UNAVAILABLE` where it cannot be made or used. */
function requireFolder(dir: string): void {
  try {
    makeFolder(dir);
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    if (!statSync(dir).isDirectory()) throw new Error('it is no folder');
  } catch (error) {
    throw new SwfError(
      'DATA_UNAVAILABLE',
      `the data folder ${dir} cannot be made or used (${messageOf(error)}); mend it, or name another with --set data.dir=FOLDER`,
      { cause: error },
    );
  }
}

/** Enters this process with its agents and the execution in one transaction, and drives it. */
async function takeUp(options: WorkflowOptions, take: (processId: number) => Drive): Promise<RunningWorkflow> {
  const { store, config, user, broker, log } = options;
  const voice = createVoice(store, log, options.logLevel);
  const stomp = broker === undefined ? undefined : await connectStation({ store, config, broker, voice }, false);
  try {
    const hosted = agentTypes.filter((type) => type === 'daq_simulator' || config.agents[type].enabled);
    const entry = { identity: currentProcess(), user, namespace: config.testbed.namespace, agentTypes: hosted };
    const { crew, drive } = await store.write(() => {
      if (broker !== undefined) spreadNumbers(store.db, config.testbed);
      const entered: Crew<AgentType> = enter(store, entry);
      return { crew: entered, drive: take(entered.process_id) };
    });
    voice.speakAs(crew.agents.daq_simulator);
    const presence = createPresence(store, log, crew.process_id, Object.values(crew.agents));
    const faults = new AbortController();
    const station =
      stomp === undefined || broker === undefined
        ? undefined
        : await openStation(
            stomp,
            { store, config, broker, voice },
            {
              processId: crew.process_id,
              speaks: hosted.flatMap((type) => spokenBy[type] ?? []),
              onFault: (error) => faults.abort(error),
            },
          );
    const running = driveExecution(options, { crew, drive, presence, station, faults: faults.signal });
    presence.start();
    let isHurried = false;
    const untilClosed = async (): Promise<void> => {
      try {
        await running.done;
      } finally {
        await presence.end();
        await station?.close(isHurried);
      }
    };
    const stop = (reason: string): Promise<void> => {
      isHurried = true;
      return running.stop(reason);
    };
    return { ...running, stop, done: untilClosed() };
  } catch (error) {
    await stomp?.close();
    throw error;
  }
}

export interface Surroundings {
  crew: Crew<AgentType>;
  drive: Drive;
  presence: Presence;
  station: Station | undefined;
  /** Aborted, with the error, when this process cannot go on. */
  faults: AbortSignal;
}

/** Drives one execution to its end, with the agents of the crew. */
export function driveExecution(options: WorkflowOptions, surroundings: Surroundings): RunningWorkflow {
  const { crew, drive, presence, station, faults } = surroundings;
  const startTick = lastTick(preparer(options.store.db), drive.execution_id) ?? 0;
  const clock = options.speed === 'max' ? createVirtualClock(startTick) : createScaledClock(options.speed, startTick);
  const bus = station?.bus ?? createInProcessBus(clock);
  const held = { ...drive, ...(station === undefined ? {} : { outboxOwner: crew.process_id }) };
  const access: ExecutionAccess = openJournal(options.store, held, {
    writeLog: createLogWriter(preparer(options.store.db), options.logLevel),
    isAlive,
    onCommitted: (types, step) => {
      presence.sawWork(step.sender);
      for (const line of step.logs ?? []) (options.agentLog ?? options.log).write(line);
      station?.exchange.committed();
      bus.announce(types);
      options.onProgress?.(drive.execution_id, types);
    },
  });
  const stopping = new AbortController();
  // Every sleeper and every waiting reader listens to it.
  setMaxListeners(0, stopping.signal);
  const context = contextFor(options.config, options.speed, drive, access.journal);
  const finishing = new AbortController();
  const workplace: Workplace = {
    context,
    journal: access.journal,
    bus,
    clock,
    signal: stopping.signal,
    finishing: finishing.signal,
  };
  const payloads = createPayloadHost(options.environment);

  const drivenToTheEnd = async (): Promise<void> => {
    let daqDone = false;
    let fault: { error: unknown } | undefined;
    const onFault = (error: unknown): void => {
      fault ??= { error };
      stopping.abort();
    };
    faults.addEventListener('abort', () => onFault(faults.reason));
    const nudge = createNudge(stopping.signal);
    const driver: DriverOptions = {
      name: crew.agents.daq_simulator,
      overview: access.overview,
      daqIsDone: () => daqDone,
      onPause: nudge.ring,
    };
    // Commands come from other processes too; over a broker its station looks for them.
    const endWatch = station === undefined ? watchStore(options.store, () => bus.announce(messageTypes)) : undefined;
    clock.enter();
    try {
      if (access.overview.counts().stf_count === 0) context.files.prepare();
      // Alone on its store, what is half written is nobody's work in hand.
      if (station === undefined) await tidy(options.config, context);
      const onDaqDone = (): void => {
        daqDone = true;
        bus.announce(['end_run']);
      };
      // Who is asked to stop before anything has begun begins nothing.
      const begun = access.overview.pendingStop() === undefined;
      const parts = begun
        ? partsOf(options, surroundings, access, { workplace, payloads, onDaqDone, nudged: nudge.signal })
        : [];
      const working = parts.map((part) => ({ part, done: supervise(part, workplace, onFault) }));
      /** A part that hangs (a file system that does not answer) must not keep the execution from its end. */
      const ended = (some: typeof working): Promise<unknown> =>
        Promise.race([
          Promise.all(some.map(({ done }) => done)),
          delay(patienceMilliseconds, undefined, { ref: false }),
        ]);
      const verdict = await awaitVerdict(driver, workplace).catch((error: unknown) => {
        onFault(error);
        return undefined;
      });
      finishing.abort();
      // What was done last has still to be read by those who have something to say of it.
      if (verdict?.status === 'completed') await ended(working.filter(({ part }) => part.finishes));
      stopping.abort();
      await ended(working);
      await payloads.close();
      if (fault !== undefined) throw fault.error;
      if (verdict !== undefined) await endExecution(verdict, driver, workplace);
    } finally {
      stopping.abort();
      clock.leave();
      endWatch?.();
      await payloads.close();
    }
  };

  return {
    execution_id: drive.execution_id,
    run_number: drive.run_number,
    done: drivenToTheEnd(),
    stop: (reason) => requestStop(options.user, { state: 'stopped', reason }, workplace),
  };
}

/** Removes what a killed process left half written. */
async function tidy({ data }: Config, { files, execution_id }: Workplace['context']): Promise<void> {
  await files.tidy();
  if (data.dir !== undefined) await tidyOutputs(join(data.dir, execution_id));
}
