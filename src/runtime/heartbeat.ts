import type { Store } from '../db/opening/store.ts';
import { type Beat, type ProcessEnd, recordEnd, recordHeartbeat } from '../db/presence/agent-registry.ts';
import { noteClockSteps, noteStandstill } from '../db/presence/incidents.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { beatSeconds } from '../domain/liveness.ts';
import { messageOf } from '../lib/errors.ts';
import type { ClockStep } from '../lib/steady-clock.ts';
import { steadyClock } from '../lib/time.ts';

/** Milliseconds by the clock of messages, and by a clock that is never set. */
interface Moment {
  at: number;
  monotonic: number;
}

/** Heartbeats farther apart than this show that a process stood still or could not write. A busy machine delays one by less. */
const standstillSeconds = beatSeconds + 10;

/** A shorter time without a message is no hole. Seconds. */
const shortestHole = 10;

/** Heartbeats of this process and of the agents that it hosts. */
export class Heartbeat {
  readonly #store: Store;
  readonly #processId: number;
  readonly #agents: readonly string[];
  readonly #warn: (message: string) => void;
  /** The execution that each agent has worked on since the last heartbeat. */
  readonly #worked = new Map<string, string>();
  #missed = 0;
  /** When the last heartbeat was written. */
  #written: Moment | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The heartbeat being written: it must not come after the last one. */
  #beating: Promise<void> = Promise.resolve();

  constructor(store: Store, processId: number, agents: readonly string[], warn: (message: string) => void) {
    this.#store = store;
    this.#processId = processId;
    this.#agents = agents;
    this.#warn = warn;
  }

  /** Notes that an agent has worked: it is PROCESSING until the next heartbeat finds it idle. */
  sawWork(agent: string, executionId: string): void {
    this.#worked.set(agent, executionId);
  }

  start(): void {
    this.#beat();
    this.#timer = setInterval(() => this.#beat(), beatSeconds * 1000);
  }

  /** Writes the last heartbeat: every agent here ends. */
  async end(ended: ProcessEnd): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    await this.#record((tx) => recordEnd(tx, this.#processId, ended));
  }

  #beat(): void {
    const beats = new Map<string, Beat>(
      this.#agents.map((name) => {
        const execution_id = this.#worked.get(name);
        return [name, { state: execution_id === undefined ? 'READY' : 'PROCESSING', execution_id }];
      }),
    );
    this.#worked.clear();
    this.#beating = this.#record((tx) => recordHeartbeat(tx, this.#processId, beats));
  }

  async #record(sign: (tx: Transaction) => void): Promise<void> {
    const steps = [...steadyClock().steps()];
    try {
      const { lines, now } = await this.#store.write((tx) => {
        sign(tx);
        return this.#incidents(tx, steps);
      });
      steadyClock().forget(steps);
      this.#written = now;
      this.#missed = 0;
      for (const line of lines) this.#warn(line);
    } catch (error) {
      this.#missed += 1;
      // One miss may be the first sign of a fault that is reported anyway; report two in a row, once.
      if (this.#missed === 2) this.#warn(`heartbeats are not recorded: ${messageOf(error)}`);
    }
  }

  /** Notes incidents since the last written heartbeat: clock steps, and more time between two heartbeats than usual. */
  #incidents(tx: Transaction, steps: readonly ClockStep[]): { lines: string[]; now: Moment } {
    const now = { at: steadyClock().now(), monotonic: performance.now() };
    const lines = steps.length === 0 ? [] : noteClockSteps(tx, this.#processId, steps);
    const before = this.#written;
    if (before === undefined || now.monotonic - before.monotonic <= standstillSeconds * 1000) return { lines, now };
    const line = noteStandstill(tx, this.#processId, [before.at, now.at], shortestHole);
    return { lines: line === undefined ? lines : [...lines, line], now };
  }
}
