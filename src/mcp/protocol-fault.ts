import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';

/** An error of the protocol, in our words alone: the SDK's own class puts its name and code before them, and clients do so again. */
export class ProtocolFault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Params that a client has wrong. */
export const invalidParams = (message: string): ProtocolFault => new ProtocolFault(ErrorCode.InvalidParams, message);

/** Throws where a list is asked for a page: each is given whole. */
export function refuseCursor(method: string, params: { cursor?: string | undefined } | undefined): void {
  if (params?.cursor !== undefined) throw invalidParams(`${method} is one page; leave cursor out`);
}
