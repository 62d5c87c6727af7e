import { awaitVerdict, type DriverOptions, endExecution, type Leave, leavingStep } from '../agents/driver.ts';
import type { Drive } from '../db/driving/take-over.ts';
import { requireExecution, requireOwn } from '../db/execution/find-execution.ts';
import { executionParams } from '../db/execution/params.ts';
import { pollStore } from '../db/sqlite/store-poller.ts';
import type { Speed } from '../domain/params.ts';
import { withDeadline } from '../lib/deadline.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import { tried } from '../lib/tried.ts';
import { messageTypes } from '../messages/vocabulary.ts';
import { createPayloadHost, type PayloadHost } from '../payload/host.ts';
import { tidyOutputs } from '../payload/outputs.ts';
import { tasksOf } from './execution-tasks.ts';
import { type Execution, openHere } from './execution.ts';
import type { Host } from './host.ts';
import { requestStop, supervise, type Task, createWakeSignal, type WakeSignal } from './supervisor.ts';

/** How long to wait for tasks that are to stop: a hanging one (on a file system that does not answer) must not keep the execution from ending. */
const patienceMilliseconds = 4000;

/** How much of an error `driver_ended` takes. */
const maxReason = 2000;

/** An execution that this process drives to its end, with the agents of its host. */
export class DrivenExecution {
  /** Resolves when the execution has ended, in whatever way; rejects if it could not go on here and can be resumed. */
  readonly done: Promise<void>;
  readonly #host: Host;
  readonly #execution: Execution;
  readonly #driver: DriverOptions;
  readonly #wake: WakeSignal;
  /** Its own host: nothing of an execution may remain when it has ended. */
  readonly #payloads: PayloadHost;
  #isDaqDone = false;

  /** @param speed by default, the recorded one */
  constructor(host: Host, drive: Drive, speed?: Speed) {
    const { sql } = host.store;
    const recorded = executionParams(sql, requireOwn(requireExecution(sql, drive.execution_id), 'be driven'));
    const params = speed === undefined ? recorded : { ...recorded, speed };
    const held = { ...drive, isOverBroker: host.session !== undefined };
    this.#host = host;
    this.#payloads = createPayloadHost(host.options.environment);
    this.#execution = openHere(host, held, params, { lifetime: host.lifetime.child(), payloads: this.#payloads });
    this.#wake = createWakeSignal(this.#execution.lifetime.stopped);
    this.#driver = {
      name: host.nameOf('daq_simulator'),
      overview: this.#execution.overview,
      epoch: drive.epoch,
      daqIsDone: () => this.#isDaqDone,
      onPause: () => this.#wake.ring(),
    };
    host.session?.drives(drive.execution_id, { params, sender: this.#driver.name });
    this.done = this.#driveToTheEnd();
  }

  /** Asks the execution to stop; `done` follows. */
  stop(reason: string): Promise<void> {
    return requestStop(this.#host.options.user, { state: 'stopped', reason }, this.#execution.execution);
  }

  /** Stops driving here; `done` follows. The next process that resumes the execution goes on with it. */
  leave(): void {
    this.#execution.lifetime.stop();
  }

  /** Leaves the execution as it is, to be resumed, because this process ends at once. Returns false if it has ended. */
  leaveAtOnce(): boolean {
    const { execution, held } = this.#execution;
    // It has just ended: nothing is left to go on with.
    if (requireExecution(this.#host.store.sql, held.execution_id).status !== 'running') return false;
    // If this fails, the process that resumes it will find that this one is gone.
    tried(() => execution.journal.stepAtOnce(leavingStep({ cause: 'interrupted' }, this.#driver, execution)));
    return true;
  }

  async #driveToTheEnd() {
    const { store, session } = this.#host;
    const { execution, lifetime, held } = this.#execution;
    let hasEnded = false;
    const { clock, notifier } = execution;
    // Commands come from other processes too; over a broker its session polls for them.
    const endPoll = session === undefined ? pollStore(store.db, () => notifier.announce(messageTypes)) : undefined;
    clock.enter();
    try {
      await this.#prepareFiles();
      const verdict = await this.#work();
      await this.#payloads.close();
      lifetime.throwFault();
      if (verdict === undefined) await this.#leave({ cause: 'interrupted' });
      else {
        await endExecution(verdict, this.#driver, execution);
        hasEnded = true;
      }
    } catch (error) {
      const code = error instanceof SwfError ? error.code : undefined;
      await this.#leave({ cause: 'fault', code, reason: messageOf(error).slice(0, maxReason) });
      throw error;
    } finally {
      lifetime.stop();
      clock.leave();
      endPoll?.();
      await this.#payloads.close();
      await session?.drivesNoMore(held.execution_id, hasEnded);
    }
  }

  /** Records why this process stops driving, if the store can still be written. */
  async #leave(why: Leave) {
    const { execution } = this.#execution;
    const isRecorded = execution.journal.step(leavingStep(why, this.#driver, execution)).catch(() => false);
    await withDeadline(isRecorded, patienceMilliseconds, false);
  }

  async #prepareFiles() {
    const { overview, execution } = this.#execution;
    const { files } = execution.agent;
    if (overview.counts().stf_count === 0) files.prepare();
    // Without a broker this process is alone: half-written files are nobody's work in hand.
    if (this.#host.session !== undefined) return;
    await files.tidy();
  }

  /** Runs all tasks until the execution is judged, then lets them end. */
  async #work() {
    const { execution, lifetime } = this.#execution;
    const running = this.#beginTasks();
    const verdict = await awaitVerdict(this.#driver, execution).catch((error: unknown) => {
      lifetime.fail(error);
      return undefined;
    });
    lifetime.drain();
    // Consumers have yet to read the last messages, and may answer them.
    if (verdict?.status === 'completed') await ended(running.filter(({ drains }) => drains === true));
    lifetime.stop();
    await ended(running);
    const { folder } = this.#execution;
    if (verdict !== undefined && folder !== undefined && this.#host.session === undefined) await tidyOutputs(folder);
    return verdict;
  }

  /** Starts no tasks if a stop is requested before anything has begun. */
  #beginTasks(): (Task & { done: Promise<void> })[] {
    const { overview, execution, lifetime } = this.#execution;
    if (overview.pendingStop() !== undefined) return [];
    const onDone = () => {
      this.#isDaqDone = true;
      execution.notifier.announce(['end_run']);
    };
    return tasksOf(this.#host, this.#execution, { onDone, wake: this.#wake }).map((task) => ({
      ...task,
      done: supervise(task, execution, (error) => lifetime.fail(error)),
    }));
  }
}

const ended = (running: readonly { done: Promise<void> }[]): Promise<unknown> =>
  withDeadline(Promise.all(running.map(({ done }) => done)), patienceMilliseconds, undefined);
