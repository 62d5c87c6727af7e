import { createLogLineWriter, type LogLineWriter } from '../db/log/log-lines.ts';
import type { Store } from '../db/opening/store.ts';
import type { Log, LogLevel, LogLine } from '../lib/logger.ts';

/** The log of a process itself, beside its agents: to people at once, and into the store for those who ask later. */
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

  /** From now on the store's log has it too, under this agent's name. */
  speakAs(agent: string): void {
    this.#speaker = agent;
  }

  warn(message: string): void {
    const line: LogLine = { level: 'WARNING', message };
    this.#log.write(line);
    const agent = this.#speaker;
    if (agent === undefined || !this.#store.db.open) return;
    // A store that cannot be written has been told of by then.
    this.#store.write((tx) => this.#writeLine(tx, line, { agent })).catch(() => {});
  }
}
