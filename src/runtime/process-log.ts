import { createLogLineWriter, type LogLineWriter } from '../db/log/log-lines.ts';
import type { Store } from '../db/opening/store.ts';
import type { Log, LogLevel, LogLine } from '../lib/logger.ts';

/** A process's own log, besides its agents': to people at once, and into the store for later readers. */
export class ProcessLog {
  readonly #store: Store;
  readonly #log: Log;
  readonly #writeLine: LogLineWriter;
  #speaker: string | undefined;

  constructor(store: Store, log: Log, logLevel: LogLevel) {
    this.#store = store;
    this.#log = log;
    this.#writeLine = createLogLineWriter(logLevel);
  }

  /** From now on, also writes to the store's log, under this agent's name. */
  speakAs(agent: string): void {
    this.#speaker = agent;
  }

  warn(message: string): void {
    const line: LogLine = { level: 'WARNING', message };
    this.#log.write(line);
    const agent = this.#speaker;
    if (agent === undefined || !this.#store.db.open) return;
    // An unwritable store has been reported by then.
    this.#store.write((tx) => this.#writeLine(tx, line, { agent })).catch(() => {});
  }
}
