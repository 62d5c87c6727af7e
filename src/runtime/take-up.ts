import { randomUUID } from 'node:crypto';

import { parseRecordedConfig } from '../config/load.ts';
import { type Drive, takeOver } from '../db/driving/take-over.ts';
import { requireExecution } from '../db/execution/find-execution.ts';
import { runningOverBroker, startMessage } from '../db/execution/start-message.ts';
import { fruitlessTakeUps } from '../db/execution/take-ups.ts';
import { noteApplied, noteRefused, waitingCommands } from '../db/log/commands.ts';
import { heldBy } from '../db/log/held.ts';
import { isProcessAlive, ownerOf } from '../db/presence/leases.ts';
import { SwfError } from '../lib/errors.ts';
import { isAlive } from '../lib/process-identity.ts';
import { utcNow } from '../lib/time.ts';
import { messageIdOf } from '../messages/identity.ts';
import type { Message } from '../messages/message.ts';
import { maxTakeUps } from '../monitoring/findings/drivers.ts';
import { requireOwnFiles } from './data-folder.ts';
import { driverSelf, type Host } from './host.ts';

/** How often to check for executions without a driver, in milliseconds. */
const lookMilliseconds = 5000;

interface TakeUpOptions {
  isDriving: (executionId: string) => boolean;
  onTaken: (drive: Drive) => void;
}

/**
 * Lets a recorder that is a service resume executions of its namespace whose driver is gone: that of an earlier process, or its own that could not go
 * on. An execution that comes to nothing again and again is left, with the finding `TAKE_UP_FAILED`.
 */
export class TakeUp {
  readonly #host: Host;
  readonly #options: TakeUpOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #left = new Set<string>();
  #look: Promise<void> | undefined;

  constructor(host: Host, options: TakeUpOptions) {
    this.#host = host;
    this.#options = options;
    const look = () => {
      this.#look ??= this.#lookAround().finally(() => (this.#look = undefined));
    };
    this.#timer = setInterval(look, lookMilliseconds);
    look();
  }

  /** Resolves when no execution is being resumed any longer. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#look;
  }

  async #lookAround() {
    const { store, namespace, lifetime } = this.#host;
    try {
      for (const id of runningOverBroker(store.sql, namespace)) {
        if (lifetime.draining.aborted) return;
        if (!this.#options.isDriving(id) && this.#isWithoutDriver(id)) await this.#takeUp(id);
      }
    } catch (error) {
      lifetime.fail(error);
    }
  }

  #isWithoutDriver(executionId: string): boolean {
    const { store, processId } = this.#host;
    const owner = ownerOf(store.sql, executionId);
    return owner === undefined || owner.process_id === processId || !isProcessAlive(owner, isAlive);
  }

  async #takeUp(executionId: string) {
    const { store, options } = this.#host;
    const { log } = options;
    // An execution to be stopped is resumed only to be ended, so it does not matter how often it came to nothing.
    const stop = waitingCommands(store.sql, executionId, ['stop_workflow'])[0]?.message_id;
    const requests = waitingCommands(store.sql, executionId, ['resume_workflow']).map(messageIdOf);
    if (stop === undefined && requests.length === 0 && fruitlessTakeUps(store.sql, executionId) >= maxTakeUps) {
      const message = `${executionId} is left alone: it was taken up ${maxTakeUps} times in ten minutes and came to nothing; "swf-mcp status ${executionId}" tells why`;
      return this.#leave(executionId, { level: 'ERROR', message });
    }
    try {
      const { drive, isPaused } = await this.#takeOver(executionId, { stop, requests });
      this.#left.delete(executionId);
      const pause = isPaused ? '; it stays paused' : '';
      log.write({ level: 'WARNING', message: `${executionId} is taken up: its driver was gone${pause}` });
      this.#options.onTaken(drive);
    } catch (error) {
      // Another process was faster, its parameters are of another version, or its files are missing.
      if (!(error instanceof SwfError) || error.code.startsWith('STORE_')) throw error;
      const { line } = error;
      await store.write((tx) => {
        for (const id of requests) noteRefused(tx, id, 'REFUSED', line);
      });
      this.#leave(executionId, { level: 'WARNING', message: `${executionId} is not taken up: ${line}` });
    }
  }

  /** The pause that stays in force: nobody has ended it, so a crash must not end it. */
  #pauseOf(executionId: string): Message<'pause_workflow'> | undefined {
    const { sql } = this.#host.store;
    const waiting = waitingCommands(sql, executionId, ['pause_workflow', 'resume_workflow']).at(-1);
    if (waiting !== undefined) return waiting.msg_type === 'pause_workflow' ? waiting : undefined;
    const held = heldBy(sql, executionId);
    return held === undefined ? undefined : { ...held, command_id: randomUUID(), timestamp: utcNow() };
  }

  /** `stop` and `requests` are ids of pending commands. */
  #takeOver(executionId: string, { stop, requests }: { stop: string | undefined; requests: readonly string[] }) {
    const { store, options, processId: process_id, agents } = this.#host;
    const { sql } = store;
    const config = parseRecordedConfig(startMessage(sql, executionId).params, executionId);
    if (stop === undefined) requireOwnFiles(store, requireExecution(sql, executionId), config);
    const driver = driverSelf(options, { process_id, agents });
    return store.write((tx) => {
      const pause = stop === undefined ? this.#pauseOf(executionId) : undefined;
      const follows = stop ?? (pause === undefined ? undefined : messageIdOf(pause));
      const drive = takeOver(store, tx, executionId, driver, { isAlive, follows });
      if (stop === undefined) for (const id of requests) noteApplied(tx, id);
      // For a pause that is pending already, this adds no second row.
      if (pause !== undefined) store.messages.record(tx, pause);
      return { drive, isPaused: pause !== undefined };
    });
  }

  /** Logs why an execution is left, once. */
  #leave(executionId: string, line: { level: 'WARNING' | 'ERROR'; message: string }) {
    if (!this.#left.has(executionId)) this.#host.options.log.write(line);
    this.#left.add(executionId);
  }
}
