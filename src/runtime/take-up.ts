import { runningOverBroker } from '../db/execution/start-message.ts';
import { type Drive, takeOver } from '../db/execution/take-over.ts';
import { fruitlessTakeUps } from '../db/execution/take-ups.ts';
import { isProcessAlive, ownerOf } from '../db/presence/leases.ts';
import { SwfError } from '../lib/errors.ts';
import { isAlive } from '../lib/process-identity.ts';
import { mostTakeUps } from '../monitoring/findings/take-up-failed.ts';
import { driverSelf } from './driver-self.ts';
import type { Host } from './host.ts';

/** How often it is looked for executions without a driver, in milliseconds. */
const lookMilliseconds = 5000;

export interface TakeUpOptions {
  /** Whether this process drives it. */
  isDriving: (executionId: string) => boolean;
  onTaken: (drive: Drive) => void;
  onFault: (error: unknown) => void;
}

/**
 * A recorder that is a service takes up executions of its namespace whose driver is gone: that of an earlier process, or its own that could not go on
 * (contract §9). One that comes to nothing again and again is left, with the finding `TAKE_UP_FAILED`.
 */
export class TakeUp {
  readonly #host: Host;
  readonly #options: TakeUpOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #left = new Set<string>();
  #isLooking = false;

  constructor(host: Host, options: TakeUpOptions) {
    this.#host = host;
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), lookMilliseconds);
    void this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { store, options, lifetime } = this.#host;
    if (this.#isLooking || lifetime.draining.aborted) return;
    this.#isLooking = true;
    try {
      for (const id of runningOverBroker(store.sql, options.config.testbed.namespace))
        if (!this.#options.isDriving(id) && this.#isWithoutDriver(id)) await this.#takeUp(id);
    } catch (error) {
      this.#options.onFault(error);
    } finally {
      this.#isLooking = false;
    }
  }

  #isWithoutDriver(executionId: string): boolean {
    const { store, processId } = this.#host;
    const owner = ownerOf(store.sql, executionId);
    return owner === undefined || owner.process_id === processId || !isProcessAlive(owner, isAlive);
  }

  async #takeUp(executionId: string): Promise<void> {
    const { store, options, processId: process_id, agents } = this.#host;
    const { log } = options;
    if (fruitlessTakeUps(store.sql, executionId) >= mostTakeUps) {
      if (!this.#left.has(executionId))
        log.write({
          level: 'ERROR',
          message: `${executionId} is left alone: it was taken up ${mostTakeUps} times in ten minutes and came to nothing; "swf-mcp status ${executionId}" tells why`,
        });
      this.#left.add(executionId);
      return;
    }
    this.#left.delete(executionId);
    try {
      const drive = await store.write((tx) =>
        takeOver(store, tx, executionId, driverSelf(options, { process_id, agents }), { isAlive }),
      );
      log.write({ level: 'WARNING', message: `${executionId} is taken up: its driver was gone` });
      this.#options.onTaken(drive);
    } catch (error) {
      // Somebody else was faster, or its parameters are of another version.
      if (!(error instanceof SwfError) || error.code.startsWith('STORE_')) throw error;
      if (!this.#left.has(executionId))
        log.write({ level: 'WARNING', message: `${executionId} is not taken up: ${error.line}` });
      this.#left.add(executionId);
    }
  }
}
