import { setImmediate as nextTurn } from 'node:timers/promises';

import type { LogLine } from '../lib/logger.ts';
import type { Draft } from '../messages/message.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import { type Agent, type ExecutionContext, typesRead, handlePatiently } from './agent.ts';
import type { LoggedMessage } from './ports.ts';

/** The most log messages to read at a time, so that nothing queues in memory. */
const batchSize = 256;

/** How far a consumer has read, in the log or among the messages that took effect late. */
interface Place {
  /** The name of the cursor. */
  role: string;
  /** The recorded cursor, which only steps move. */
  cursor: number;
  /** The highest sequence that this process has read. It may be ahead of the cursor, which skips messages without consequences. */
  seen: number;
  /** Messages without consequences since the cursor moved. */
  skipped: number;
}

/**
 * Lets an agent read the log after its cursor until the execution is stopped, or to the end of the log once it drains. Each message with its
 * consequences is one step. Throws `AgentFailure` if the agent keeps failing on a message, `DATA_UNAVAILABLE` if the disk fails, and the errors of
 * `Journal.step`.
 */
export const consumeLog = (agent: Agent, name: string, execution: ExecutionContext): Promise<void> =>
  new LogConsumer(agent, name, execution).run();

class LogConsumer {
  readonly #who: { agent: Agent; name: string };
  readonly #execution: ExecutionContext;
  readonly #types: ReadonlySet<MessageType>;
  readonly #place: Place;
  readonly #latePlace: Place;

  constructor(agent: Agent, name: string, execution: ExecutionContext) {
    this.#who = { agent, name };
    this.#execution = execution;
    this.#types = typesRead(agent);
    this.#place = this.#placeOf(agent.type);
    this.#latePlace = this.#placeOf(`${agent.type}/late`);
  }

  async run(): Promise<void> {
    const { notifier, lifetime } = this.#execution;
    const { draining, stopped } = lifetime;
    while (!stopped.aborted) {
      const mark = notifier.mark(this.#types);
      // Checked before reading the log, so that everything recorded before the drain is read.
      const isLast = draining.aborted;
      const most = await this.#readOn();
      if (isLast && most === 0) return;
      if (most < batchSize && !draining.aborted) await notifier.news(draining, this.#types, mark);
      else await nextTurn();
    }
  }

  /** Reads and handles the next messages. Returns the size of the larger batch. */
  async #readOn(): Promise<number> {
    const { journal } = this.#execution;
    const { reads } = this.#who.agent;
    const batch = journal.read(reads, this.#place.seen, batchSize);
    this.#place.seen = batch.seen;
    await this.#take(batch.messages, this.#place);
    const late = journal.readLate(reads, this.#latePlace.seen, batchSize);
    this.#latePlace.seen = late.seen;
    await this.#take(late.messages, this.#latePlace);
    return Math.max(batch.messages.length, late.messages.length);
  }

  #placeOf(role: string): Place {
    const cursor = this.#execution.journal.cursor(role);
    return { role, cursor, seen: cursor, skipped: 0 };
  }

  /**
   * Handles messages in order. Each step starts from the cursor that the previous step sets, so a refused step also refuses the steps after it. Steps
   * are awaited together, so that they share commits.
   */
  async #take(messages: readonly LoggedMessage[], place: Place) {
    const { journal, lifetime } = this.#execution;
    const steps: Promise<boolean>[] = [];
    let hasFailed = false;
    try {
      for (const { seq, message } of messages) {
        if (lifetime.stopped.aborted || hasFailed) break;
        if (seq <= place.cursor) continue;
        const logs: LogLine[] = [];
        const says = await handlePatiently(this.#who, message, this.#execution.agent, logs);
        place.skipped += 1;
        // Without consequences the cursor may lag a while: rereading such messages does nothing.
        if (says.length === 0 && logs.length === 0 && place.skipped < batchSize) continue;
        const recording = this.#record(seq, place, says, logs);
        // Awaited below; until then, a failure must not count as unhandled.
        recording.catch(() => {
          hasFailed = true;
        });
        steps.push(recording);
      }
    } finally {
      // Submitted steps are recorded, whatever happens to the messages after them.
      const recorded = await Promise.all(steps);
      // Another process does the same work and has already done this part.
      if (recorded.includes(false)) place.cursor = place.seen = journal.cursor(place.role);
    }
  }

  #record(to: number, place: Place, says: Draft[], logs: LogLine[]): Promise<boolean> {
    const { journal, clock } = this.#execution;
    const cursor = { role: place.role, from: place.cursor, to };
    place.cursor = to;
    place.skipped = 0;
    return journal.step({ sender: this.#who.name, tick: clock.now(), says, logs, cursor });
  }
}
