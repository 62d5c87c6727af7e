import { awaitVerdict, type DriverOptions, endExecution, type Leave, leavingStep } from '../agents/driver.ts';
import type { Drive } from '../db/driving/take-over.ts';
import { requireExecution, requireOwn } from '../db/execution/find-execution.ts';
import { executionParams } from '../db/execution/params.ts';
import { pollStore } from '../db/sqlite/other-writers.ts';
import type { Speed } from '../domain/params.ts';
import { withDeadline } from '../lib/deadline.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import { tried } from '../lib/tried.ts';
import { shortDigests } from '../lib/words.ts';
import { messageTypes } from '../messages/vocabulary.ts';
import { createPayloadHost, type PayloadHost } from '../payload/host.ts';
import { tidyOutputs } from '../payload/outputs.ts';
import { tasksOf } from './execution-tasks.ts';
import { type Execution, openHere } from './execution.ts';
import type { Host } from './host.ts';
import { requestStop, supervise, type Task, createWakeSignal } from './supervisor.ts';

/**
 * How long to wait for tasks to stop: a task that hangs (for example, on a file system that does not answer)
 * must not keep the execution from ending.
 */
const patienceMilliseconds = 4000;

/** Maximum length of the error text in `driver_ended`, in characters. */
const maxReason = 2000;

export type DrivenExecution = ReturnType<typeof driveExecution>;

/** Drives an execution to its end, with the agents of its host. @param speed by default, the recorded one */
export function driveExecution(host: Host, drive: Drive, speed?: Speed) {
  const { store, options, session } = host;
  const recorded = executionParams(store.sql, requireOwn(requireExecution(store.sql, drive.execution_id), 'be driven'));
  const params = speed === undefined ? recorded : { ...recorded, speed };
  // Each execution has its own payload host: none of its processes may remain once the execution has ended.
  const payloads = createPayloadHost(options.environment);
  const held = { ...drive, isOverBroker: session !== undefined };
  const here = openHere(host, held, params, { lifetime: host.lifetime.child(), payloads });
  const { execution, lifetime, overview } = here;
  const wake = createWakeSignal(lifetime.stopped);
  let isDaqDone = false;
  const driver: DriverOptions = {
    name: host.nameOf('daq_simulator'),
    overview,
    epoch: drive.epoch,
    daqIsDone: () => isDaqDone,
    onPause: () => wake.ring(),
  };
  session?.drives(drive.execution_id, { params, sender: driver.name });
  /** Starts the tasks, unless a stop is requested before anything has begun. */
  const beginTasks = (): RunningTask[] => {
    if (overview.pendingStop() !== undefined) return [];
    const onDone = () => {
      isDaqDone = true;
      execution.notifier.announce(['end_run']);
    };
    return tasksOf(host, here, { onDone, wake }).map((task) => ({
      ...task,
      done: supervise(task, execution, (error) => lifetime.fail(error)),
    }));
  };
  return {
    /**
     * Resolves when the execution has ended, however it ended; rejects if it cannot continue here but can
     * be resumed.
     */
    done: driveToTheEnd(host, here, { driver, payloads, beginTasks }),
    /** Asks the execution to stop; `done` then settles. */
    stop: (reason: string) => requestStop(options.user, { state: 'stopped', reason }, execution),
    /** Stops driving here; `done` then settles. The next process that resumes the execution continues it. */
    leave: () => lifetime.stop(),
    /**
     * Leaves the execution as it is, to be resumed later, because this process is about to exit. Returns false
     * if the execution has ended.
     */
    leaveAtOnce() {
      // The execution has just ended, so nothing is left to continue.
      if (requireExecution(store.sql, drive.execution_id).status !== 'running') return false;
      // If this fails, the process that resumes the execution will notice that this one is gone.
      tried(() => execution.journal.stepAtOnce(leavingStep({ cause: 'interrupted' }, driver, execution)));
      return true;
    },
  };
}

type RunningTask = Task & { done: Promise<void> };

interface Driving {
  driver: DriverOptions;
  payloads: PayloadHost;
  beginTasks: () => RunningTask[];
}

async function driveToTheEnd(host: Host, here: Execution, { driver, payloads, beginTasks }: Driving) {
  const { store, session } = host;
  const { execution, lifetime, held } = here;
  const { clock, notifier, journal } = execution;
  let hasEnded = false;
  /** Records why this process stops driving, if the store can still be written. */
  const leave = async (why: Leave) => {
    const isRecorded = journal.step(leavingStep(why, driver, execution)).catch(() => false);
    await withDeadline(isRecorded, patienceMilliseconds, false);
  };
  // Commands come from other processes too; over a broker, the broker's session polls the store for them.
  const endPoll = session === undefined ? pollStore(store.db, () => notifier.announce(messageTypes)) : undefined;
  clock.enter();
  try {
    await prepareFiles(host, here);
    await sayChangedPayload(host, here, driver.name);
    const verdict = await work(host, here, driver, beginTasks());
    await payloads.close();
    lifetime.throwFault();
    if (verdict === undefined) await leave({ cause: 'interrupted' });
    else {
      await endExecution(verdict, driver, execution);
      hasEnded = true;
    }
  } catch (error) {
    const code = error instanceof SwfError ? error.code : undefined;
    await leave({ cause: 'fault', code, reason: messageOf(error).slice(0, maxReason) });
    throw error;
  } finally {
    lifetime.stop();
    clock.leave();
    endPoll?.();
    await payloads.close();
    await session?.drivesNoMore(held.execution_id, hasEnded);
  }
}

async function prepareFiles({ session }: Host, { overview, execution }: Execution) {
  const { files } = execution.agent;
  if (overview.counts().stf_count === 0) files.prepare();
  // Without a broker this process is alone, so no other process can still be writing the unfinished files.
  if (session === undefined) await files.tidy();
}

/**
 * Reports that another payload will process the slices of a resumed execution from now on, so the execution's
 * results will come from two programs.
 */
async function sayChangedPayload({ store }: Host, { held, execution, overview }: Execution, sender: string) {
  const { agent, journal, clock } = execution;
  if (agent.payload === undefined || overview.counts().slices_created === 0) return;
  const { newestPayload, payloadChange } = await import('../db/lists/tf-slices.ts');
  // No slice may have been created since the payload last changed.
  const before = payloadChange(store.sql, held.execution_id)?.now ?? newestPayload(store.sql, held.execution_id);
  const now = shortDigests([agent.payload.name, agent.payload.digest ?? []].flat().join(' '));
  if (before === undefined || before === now) return;
  const message = `since this execution was last driven, the payload has changed from ${before} to ${now}, so the results may come from more than one program`;
  await journal.step({
    sender,
    tick: clock.now(),
    says: [],
    logs: [{ level: 'WARNING', message, context: { payload_before: before, payload_now: now } }],
  });
}

/** Waits for the verdict on the execution, then lets its tasks end. */
async function work({ session }: Host, here: Execution, driver: DriverOptions, running: readonly RunningTask[]) {
  const { execution, lifetime, folder } = here;
  const verdict = await awaitVerdict(driver, execution).catch((error: unknown) => {
    lifetime.fail(error);
    return undefined;
  });
  lifetime.drain();
  // Consumers have not yet read the last messages, and may still answer them.
  if (verdict?.status === 'completed') await ended(running.filter(({ drains }) => drains === true));
  lifetime.stop();
  await ended(running);
  if (verdict !== undefined && folder !== undefined && session === undefined) await tidyOutputs(folder);
  return verdict;
}

const ended = (running: readonly RunningTask[]) =>
  withDeadline(Promise.all(running.map(({ done }) => done)), patienceMilliseconds, undefined);
