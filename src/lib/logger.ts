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
 * Control characters in a text are shown as escapes, so that no text can look like two records or move a cursor.
 */
export function createLog(threshold: LogLevel, writeLine: (line: string) => void): Log {
  return {
    write({ level, message }) {
      if (logLevels[level] < logLevels[threshold]) return;
      writeLine(`${level} ${printable(message)}`);
    },
  };
}

/** A text as one line for a terminal: control and direction characters become escapes. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code === 0x0a ? String.raw`\n` : `\\u{${code.toString(16)}}`;
  });
}
