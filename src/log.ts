/** Levels with the numbers that the testbed's Python agents use, so that both sort alike. */
export const logLevels = { DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40, CRITICAL: 50 } as const;

export type LogLevel = keyof typeof logLevels;

export interface LogLine {
  level: LogLevel;
  message: string;
  /** Facts beside the sentence, kept as JSON. */
  context?: Record<string, unknown>;
}

export interface Log {
  write(line: LogLine): void;
}

/**
 * A log for people: one line a record, from `threshold` on, to the given writer (a program's stderr, never its stdout).
 * Line breaks in a text are shown as `\n`, so that no text can look like two records.
 */
export function createLog(threshold: LogLevel, writeLine: (line: string) => void): Log {
  return {
    write({ level, message }) {
      if (logLevels[level] < logLevels[threshold]) return;
      writeLine(`${level} ${message.replaceAll('\r', String.raw`\r`).replaceAll('\n', String.raw`\n`)}`);
    },
  };
}
