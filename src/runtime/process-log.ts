import { createLogWriter } from '../db/lists/logs.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import { type Log, type LogLevel, type LogLine } from '../lib/logger.ts';

/** What a process has to say of itself beside its agents: to people at once, and into the store for whoever asks later. */
export interface Voice {
  warn(message: string): void;
  /** From now on the store's log has it too, under this agent's name. */
  speakAs(agent: string): void;
}

export function createVoice(store: Store, log: Log, logLevel: LogLevel): Voice {
  const writeLog = createLogWriter(preparer(store.db), logLevel);
  let speaker: string | undefined;
  return {
    warn(message) {
      const line: LogLine = { level: 'WARNING', message };
      log.write(line);
      if (speaker === undefined || !store.db.open) return;
      const agent = speaker;
      // A store that cannot be written has been told of by then.
      store.write(() => writeLog(line, { agent })).catch(() => {});
    },
    speakAs(agent) {
      speaker = agent;
    },
  };
}
