import { printable } from './printable.ts';

/**
 * The closed list of errors that the user or the environment causes. Any other thrown error is a bug in this
 * program. `docs/errors.md` has one entry per code.
 */
export const errorCodes = [
  'CONFIG_NOT_FOUND',
  'CONFIG_INVALID',
  'STORE_UNAVAILABLE',
  'STORE_TOO_NEW',
  'STORE_TOO_OLD',
  'STORE_CORRUPT',
  'STORE_READ_ONLY',
  'STORE_IN_USE',
  'DATA_UNAVAILABLE',
  'BROKER_UNREACHABLE',
  'BROKER_REFUSED',
  'EXECUTION_NOT_FOUND',
  'EXECUTION_REMOVED',
  'EXECUTION_NOT_RUNNING',
  'EXECUTION_IN_USE',
  'COMMAND_PENDING',
  'AGENT_IN_USE',
  'NAMESPACE_IN_USE',
  'RUN_NOT_FOUND',
  'TOOL_NOT_FOUND',
  'ARGUMENT_INVALID',
  'CURSOR_INVALID',
  'PAYLOAD_FAILED',
  'UNAUTHORIZED',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** An error that its reader can fix: `sentence` says what was wrong, including the value, and what to do. */
export class SwfError extends Error {
  readonly code: ErrorCode;
  /** Whether a value is refused whatever the store contains. On the command line, this is a usage error. */
  isUsage = false;

  constructor(code: ErrorCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.name = 'SwfError';
    this.code = code;
  }

  /** The server is a separate bundle, so an `SwfError` may be an instance of the other bundle's class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== SwfError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof Error && value.name === 'SwfError';
  }

  /**
   * The one line that people and assistants see: `CODE: sentence`, in which unprintable characters of foreign
   * text are escaped.
   */
  get line(): string {
    return printable(`${this.code}: ${this.message}`);
  }
}

/** Returns a function that creates errors with a code, for codes that are used in several places. */
const errorsOf = (code: ErrorCode) => (sentence: string, options?: ErrorOptions) =>
  new SwfError(code, sentence, options);

export const argumentInvalid = errorsOf('ARGUMENT_INVALID');

/** `ARGUMENT_INVALID` for a value that no store would accept: not a number, not a time, or not in a list. */
export const valueInvalid = (sentence: string, options?: ErrorOptions): SwfError =>
  Object.assign(argumentInvalid(sentence, options), { isUsage: true });

export const configInvalid = errorsOf('CONFIG_INVALID');
export const dataUnavailable = errorsOf('DATA_UNAVAILABLE');
export const storeUnavailable = errorsOf('STORE_UNAVAILABLE');
export const executionInUse = errorsOf('EXECUTION_IN_USE');
export const executionNotRunning = errorsOf('EXECUTION_NOT_RUNNING');
export const brokerRefused = errorsOf('BROKER_REFUSED');
export const brokerUnreachable = errorsOf('BROKER_UNREACHABLE');

/** The special case of `STORE_UNAVAILABLE` in which no run has created the store yet, so nothing is wrong. */
export class NoStoreYet extends SwfError {
  constructor(path: string, cause?: unknown) {
    super('STORE_UNAVAILABLE', `there is no store at ${path} yet; "swf-mcp run" creates one`, { cause });
  }
}

/** The error codes of the system and of Node.js that this program distinguishes. */
type SystemCode =
  | 'EADDRINUSE'
  | 'EEXIST'
  | 'ENAMETOOLONG'
  | 'ENOENT'
  | 'EPERM'
  | 'ERR_DLOPEN_FAILED'
  | 'ERR_WORKER_OUT_OF_MEMORY';

/** Whether a value is an error, ours or the system's, with one of these codes. */
export const hasCode = (error: unknown, ...codes: readonly (ErrorCode | SystemCode)[]): error is Error =>
  error instanceof Error && 'code' in error && codes.some((code) => code === error.code);

/** Where an error was thrown, for a bug report. */
export const stackOf = (error: unknown) => (error instanceof Error && error.stack) || messageOf(error);

/** The text of an error. JavaScript allows any value to be thrown, so other values are shown as text. */
export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
