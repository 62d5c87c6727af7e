/**
 * The closed list of what can go wrong by the user's or the world's doing (contract §6).
 * Everything else that is thrown is a bug of ours.
 */
export const errorCodes = [
  'CONFIG_NOT_FOUND',
  'CONFIG_INVALID',
  'STORE_UNAVAILABLE',
  'STORE_TOO_NEW',
  'STORE_TOO_OLD',
  'STORE_CORRUPT',
  'STORE_READ_ONLY',
  'DATA_UNAVAILABLE',
  'BROKER_UNREACHABLE',
  'BROKER_REFUSED',
  'EXECUTION_NOT_FOUND',
  'EXECUTION_NOT_RUNNING',
  'EXECUTION_IN_USE',
  'RUN_NOT_FOUND',
  'TOOL_NOT_FOUND',
  'ARGUMENT_INVALID',
  'CURSOR_INVALID',
  'MESSAGE_INVALID',
  'PAYLOAD_FAILED',
  'UNAUTHORIZED',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** An error that its reader can mend: `sentence` says what was wrong, with the value, and what to do. */
export class SwfError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.name = 'SwfError';
    this.code = code;
  }

  /** The one line that people and assistants see. */
  get line(): string {
    return `${this.code}: ${this.message}`;
  }
}

/** The text of whatever was thrown: JavaScript lets anything be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
