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

/** Throws if a client asks for a page of a list: lists are sent whole. */
export function refuseCursor(method: string, params: { cursor?: string | undefined } | undefined): void {
  if (params?.cursor !== undefined) throw invalidParams(`${method} is one page; leave cursor out`);
}
