import type { Store } from '../db/opening/store.ts';
import { type Beat, type ProcessEnd, recordEnd, recordHeartbeat } from '../db/presence/agent-registry.ts';
import { noteClockSteps } from '../db/presence/clock-steps.ts';
import { noteStandstill } from '../db/presence/standstills.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { beatSeconds } from '../domain/liveness.ts';
import { messageOf } from '../lib/errors.ts';
import { steadyClock } from '../lib/time.ts';

/** Heartbeats that lie farther apart tell that a process stood still, or could not write. A machine that is busy delays one by less. */
const standstillSeconds = beatSeconds + 10;

/** Heartbeats of this process and of the agents that it hosts. */
export class Heartbeat {
  readonly #store: Store;
  readonly #processId: number;
  readonly #agents: readonly string[];
  readonly #warn: (message: string) => void;
  /** The execution that each agent has worked on since the last heartbeat. */
  readonly #worked = new Map<string, string>();
  #missed = 0;
  /** When the last heartbeat was written, by the clock of messages and by one that is never set, in milliseconds. */
  #written: { at: number; monotonic: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The last heartbeat must not be overtaken by one that waits for the store. */
  #beating: Promise<void> = Promise.resolve();

  constructor(store: Store, processId: number, agents: readonly string[], warn: (message: string) => void) {
    this.#store = store;
    this.#processId = processId;
    this.#agents = agents;
    this.#warn = warn;
  }

  /** An agent has worked: it is PROCESSING until the next heartbeat finds it idle. */
  sawWork(agent: string, executionId: string): void {
    this.#worked.set(agent, executionId);
  }

  start(): void {
    this.#beat();
    this.#timer = setInterval(() => this.#beat(), beatSeconds * 1000);
  }

  /** The last heartbeat: every agent here ends. */
  async end(ended: ProcessEnd): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    await this.#record((tx) => {
      this.#noteSteps(tx);
      recordEnd(tx, this.#processId, ended);
    });
  }

  #beat(): void {
    const beats = new Map<string, Beat>(
      this.#agents.map((name) => {
        const execution_id = this.#worked.get(name);
        return [name, { state: execution_id === undefined ? 'READY' : 'PROCESSING', execution_id }];
      }),
    );
    this.#worked.clear();
    this.#beating = this.#record((tx) => {
      recordHeartbeat(tx, this.#processId, beats);
      this.#noteSteps(tx);
      this.#noteStandstill(tx);
    });
  }

  /** Between two heartbeats that were written lies no more time than usual. */
  #noteStandstill(tx: Transaction): void {
    const now = { at: steadyClock().now(), monotonic: performance.now() };
    const before = this.#written;
    this.#written = now;
    if (before === undefined || now.monotonic - before.monotonic <= standstillSeconds * 1000) return;
    this.#warn(noteStandstill(tx, this.#processId, before.at, now.at));
  }

  #noteSteps(tx: Transaction): void {
    const steps = steadyClock().takeSteps();
    if (steps.length === 0) return;
    for (const line of noteClockSteps(tx, this.#processId, steps)) this.#warn(line);
  }

  async #record(sign: (tx: Transaction) => void): Promise<void> {
    try {
      await this.#store.write(sign);
      this.#missed = 0;
    } catch (error) {
      this.#missed += 1;
      // One that is missed may be the first sign of a fault that is told anyway; one after another is worth a word, once.
      if (this.#missed === 2) this.#warn(`heartbeats are not recorded: ${messageOf(error)}`);
    }
  }
}
