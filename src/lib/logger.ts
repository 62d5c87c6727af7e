import { printable } from './printable.ts';
import { withPlainTimes } from './words.ts';

/** Levels with the numbers that the testbed's Python agents use, so that both sort alike. */
export const logLevels = { DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40, CRITICAL: 50 } as const;

export type LogLevel = keyof typeof logLevels;

export interface LogLine {
  level: LogLevel;
  message: string;
  /** Facts besides the sentence, stored as JSON. */
  context?: Record<string, unknown>;
}

export interface Log {
  write(line: LogLine): void;
}

/**
 * A log for people: one line per record.
 * @param threshold lines below this level are left out
 * @param writeLine takes one line without its line end; must not write to stdout, which belongs to answers
 */
export const createLog = (threshold: LogLevel, writeLine: (line: string) => void): Log => ({
  write({ level, message }) {
    if (logLevels[level] >= logLevels[threshold]) writeLine(`${level} ${withPlainTimes(printable(message))}`);
  },
});
