import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';

import { type AgentContext, agentTypes, type AgentType } from './agents/agent.ts';
import { runDaqSimulator } from './agents/daq-simulator.ts';
import { createDataFiles, noDataFiles } from './agents/data-files.ts';
import { awaitVerdict, type DriverOptions, endExecution } from './agents/driver.ts';
import { readingAgents } from './agents/index.ts';
import { createPlaceholderPayload } from './agents/payload.ts';
import { AgentFailure, runReader, type Workplace } from './agents/reader.ts';
import { runWorker } from './agents/worker.ts';
import { createInProcessBus } from './bus/bus.ts';
import type { MessageType } from './bus/messages.ts';
import { createScaledClock, createVirtualClock } from './clock.ts';
import type { Config } from './config.ts';
import { beat } from './db/agents.ts';
import { beginExecution, type Drive, type Driver, takeOverExecution } from './db/drive.ts';
import { lastTick } from './db/executions.ts';
import { type ExecutionAccess, openJournal } from './db/journal.ts';
import { createLogWriter } from './db/logs.ts';
import { beatSeconds } from './db/owners.ts';
import { preparer } from './db/statements.ts';
import type { Store } from './db/store.ts';
import { messageOf, SwfError } from './errors.ts';
import type { Log, LogLevel } from './log.ts';
import { currentProcess, isAlive } from './process-identity.ts';
import type { Counts } from './workflow/journal.ts';
import { executionParamsSchema, type Speed } from './workflow/params.ts';
import type { AgentState } from './workflow/states.ts';

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
  /** Told after each commit what was recorded. */
  onProgress?: (types: MessageType[], counts: Counts) => void;
}

export interface RunningWorkflow {
  execution_id: string;
  run_number: number;
  /** Resolves when the execution has ended, in whatever way; rejects when it could not go on here and can be resumed. */
  done: Promise<void>;
  /** Asks the execution to stop; `done` follows. */
  stop(reason: string): Promise<void>;
}

/** The reader that the simulator waits for is this many messages behind. */
const farBehind = 1000;

/** Starts a new execution. `configName` is what the user called the configuration. */
export async function startWorkflow(options: WorkflowOptions, configName?: string): Promise<RunningWorkflow> {
  const { store, config, speed, user } = options;
  const drive = await beginExecution(store, driverOf(user), {
    namespace: config.testbed.namespace,
    workflow_name: config.workflow.name,
    config: configName,
    params: config,
    speed,
  });
  return run(options, drive, 0);
}

/** Goes on with an interrupted execution, where its log ends. */
export async function resumeWorkflow(options: WorkflowOptions, executionId: string): Promise<RunningWorkflow> {
  const drive = await takeOverExecution(options.store, driverOf(options.user), executionId);
  return run(options, drive, lastTick(preparer(options.store.db), drive.execution_id) ?? 0);
}

const driverOf = (user: string): Driver<AgentType> => ({ identity: currentProcess(), isAlive, user, agentTypes });

function run(options: WorkflowOptions, drive: Drive<AgentType>, startTick: number): RunningWorkflow {
  const clock = options.speed === 'max' ? createVirtualClock(startTick) : createScaledClock(options.speed, startTick);
  const bus = createInProcessBus(clock);
  const presence = createPresence(options, drive);
  const writeLog = createLogWriter(preparer(options.store.db), options.logLevel);
  const access: ExecutionAccess = openJournal(options.store, drive, writeLog, (types, step) => {
    presence.sawWork(step.sender);
    for (const line of step.logs ?? []) options.log.write(line);
    bus.announce(types);
    options.onProgress?.(types, access.overview.counts());
  });
  const stopping = new AbortController();
  // Every sleeper and every waiting reader listens to it.
  setMaxListeners(0, stopping.signal);
  const workplace: Workplace = {
    context: contextOf(options, drive, access),
    journal: access.journal,
    bus,
    clock,
    signal: stopping.signal,
  };

  const drivenToTheEnd = async (): Promise<void> => {
    let daqDone = false;
    let fault: { error: unknown } | undefined;
    const crew = partsOf(options, drive, access, workplace, () => {
      daqDone = true;
      bus.announce(['end_run']);
    });
    const onFault = (error: unknown): void => {
      fault ??= { error };
      stopping.abort();
    };
    const driver: DriverOptions = {
      name: drive.agents.daq_simulator,
      overview: access.overview,
      daqIsDone: () => daqDone,
    };
    clock.enter();
    try {
      presence.start();
      const parts = crew.map((part) => supervise(part, workplace, onFault));
      const verdict = await awaitVerdict(driver, workplace);
      stopping.abort();
      await Promise.all(parts);
      if (fault !== undefined) throw fault.error;
      if (verdict !== undefined) await endExecution(verdict, driver, workplace);
    } finally {
      stopping.abort();
      clock.leave();
      await presence.end();
    }
  };

  return {
    execution_id: drive.execution_id,
    run_number: drive.run_number,
    done: drivenToTheEnd(),
    stop: (reason) => requestStop(options.user, { state: 'stopped', reason }, workplace),
  };
}

/** A part of the workflow that works at the same time as the others. */
interface Part {
  /** The agent that it is. */
  name: string;
  work: () => Promise<void>;
}

/**
 * Runs a part until the end. Where it cannot go on, the execution fails with its reason; where the store is at fault, this
 * process cannot go on, and the execution can be resumed.
 */
async function supervise({ name, work }: Part, workplace: Workplace, onFault: (error: unknown) => void): Promise<void> {
  workplace.clock.enter();
  try {
    await work();
  } catch (error) {
    if (error instanceof SwfError || workplace.signal.aborted) {
      onFault(error);
      return;
    }
    const filename = error instanceof AgentFailure ? error.filename : undefined;
    const reason = error instanceof AgentFailure ? error.message : `${name} failed: ${messageOf(error)}`;
    await requestStop(
      name,
      { state: 'failed', reason, ...(filename === undefined ? {} : { filename }) },
      workplace,
    ).catch(onFault);
  } finally {
    workplace.clock.leave();
  }
}

/** Records the request; the driver takes it up. */
async function requestStop(
  sender: string,
  why: { state: 'stopped' | 'failed'; reason: string; filename?: string },
  { journal, clock }: Workplace,
): Promise<void> {
  await journal.step({
    sender,
    tick: clock.now(),
    says: [{ msg_type: 'stop_workflow', command_id: randomUUID(), ...why }],
  });
}

function contextOf(
  { config, speed }: WorkflowOptions,
  drive: Drive<AgentType>,
  { journal }: ExecutionAccess,
): Omit<AgentContext, 'log'> {
  const files =
    config.data.write_files && config.data.dir !== undefined
      ? createDataFiles(join(config.data.dir, drive.execution_id))
      : noDataFiles;
  return {
    execution_id: drive.execution_id,
    run_number: drive.run_number,
    params: executionParamsSchema.parse({ ...config, speed }),
    files,
    message: (id) => journal.message(id),
  };
}

/** Everything that works at the same time: readers, workers, DAQ simulator. */
function partsOf(
  { config }: WorkflowOptions,
  { agents }: Drive<AgentType>,
  { journal, queue }: ExecutionAccess,
  workplace: Workplace,
  onDaqDone: () => void,
): Part[] {
  const { fast_processing, daq_state_machine } = config;
  const readersCaughtUp = async (): Promise<void> => {
    const isBehind = (): boolean =>
      readingAgents.some(({ type, reads }) => journal.behind(type, reads, farBehind + 1) > farBehind);
    while (!workplace.signal.aborted && isBehind()) await workplace.bus.news(workplace.signal);
  };
  const payload = createPlaceholderPayload(
    workplace.context.files,
    workplace.clock,
    fast_processing.slice_processing_time,
    daq_state_machine.tf_size_bytes,
  );
  const worker = {
    name: agents.worker,
    slots: fast_processing.target_worker_count,
    hostname: currentProcess().hostname,
    queue,
    payload,
  };
  return [
    ...readingAgents.map((agent) => ({
      name: agents[agent.type],
      work: () => runReader(agent, agents[agent.type], workplace),
    })),
    { name: agents.worker, work: () => runWorker(worker, workplace) },
    {
      name: agents.daq_simulator,
      work: async () => {
        await runDaqSimulator({ name: agents.daq_simulator, readersCaughtUp }, workplace);
        onDaqDone();
      },
    },
  ];
}

/** Heart-beats of this process and its agents, as long as the execution is driven here. */
function createPresence({ store, log }: WorkflowOptions, drive: Drive<AgentType>) {
  const sql = preparer(store.db);
  const names = Object.values(drive.agents);
  const worked = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const beatAll = async (stateOf: (name: string) => AgentState): Promise<void> => {
    const states = new Map(names.map((name) => [name, stateOf(name)]));
    worked.clear();
    await store
      .write(() => beat(sql, drive.process_id, states))
      .catch((error: unknown) =>
        log.write({ level: 'WARNING', message: `heart-beat not recorded: ${messageOf(error)}` }),
      );
  };
  const beatNow = (): void => void beatAll((name) => (worked.has(name) ? 'PROCESSING' : 'READY'));
  return {
    sawWork: (name: string) => worked.add(name),
    start(): void {
      beatNow();
      timer = setInterval(beatNow, beatSeconds * 1000);
    },
    async end(): Promise<void> {
      clearInterval(timer);
      await beatAll(() => 'EXITED');
    },
  };
}
