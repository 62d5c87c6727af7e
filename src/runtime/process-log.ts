import { createLogLineWriter } from '../db/log/log-lines.ts';
import type { Store } from '../db/opening/store.ts';
import type { Log, LogLevel, LogLine } from '../lib/logger.ts';

/** A process's own log, besides its agents': to people at once, and into the store for later readers. */
export function createProcessLog(store: Store, log: Log, logLevel: LogLevel) {
  const writeLine = createLogLineWriter(logLevel);
  let agent: string | undefined;
  return {
    /** From now on, also writes to the store's log, under this agent's name. */
    speakAs(name: string): void {
      agent = name;
    },
    warn(message: string): void {
      const line: LogLine = { level: 'WARNING', message };
      log.write(line);
      const speaker = agent;
      if (speaker === undefined || !store.db.open) return;
      // An unwritable store has been reported by then.
      store.write((tx) => writeLine(tx, line, { agent: speaker })).catch(() => {});
    },
  };
}

export type ProcessLog = ReturnType<typeof createProcessLog>;
