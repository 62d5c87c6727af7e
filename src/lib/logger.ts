import { printable } from './printable.ts';
import { withPlainTimes } from './words.ts';

/** Levels with the numbers that the testbed's Python agents use, so that their lines and ours sort alike. */
export const logLevels = { DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40, CRITICAL: 50 } as const;

export type LogLevel = keyof typeof logLevels;

export interface LogLine {
  level: LogLevel;
  message: string;
  /** Facts that accompany the sentence, stored as JSON. */
  context?: Record<string, unknown>;
}

export interface Log {
  write(line: LogLine): void;
}

/**
 * A log for people: one line for each call.
 * @param threshold lines below this level are left out
 * @param writeLine takes one line without its newline; must not write to stdout, which is reserved for
 *   answers
 */
export const createLog = (threshold: LogLevel, writeLine: (line: string) => void): Log => ({
  write({ level, message }) {
    if (logLevels[level] >= logLevels[threshold]) writeLine(`${level} ${withPlainTimes(printable(message))}`);
  },
});
