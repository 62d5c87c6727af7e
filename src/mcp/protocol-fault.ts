import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';

/** A protocol error in our words alone: the SDK's own class prefixes its name and code, and clients do so again. */
export class ProtocolFault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** An error for a client's wrong params. */
export const invalidParams = (message: string): ProtocolFault => new ProtocolFault(ErrorCode.InvalidParams, message);
