import { timingSafeEqual } from 'node:crypto';

import { sha256 } from '../lib/sha256.ts';

/** The name in the record of a client that has none, such as one with `SWF_MCP_TOKEN`. */
export const nameless = 'mcp';

export const scopes = ['read', 'note', 'control'] as const;

export type Scope = (typeof scopes)[number];

/** One who may ask: by a token, or everybody of this machine where there is none. */
export interface Caller {
  /** The token's name; undefined where it has none. */
  name: string | undefined;
  /** The rights of this caller: to ask, to write into the logbook too, or to control executions too. */
  scope: Scope;
}

export interface Token extends Caller {
  token: string;
}

const digest = (text: string): Buffer => sha256().update(text).digest();

/**
 * The caller that a token belongs to; undefined for a token that is none. Tokens are compared in equal time, whatever was given, and each with
 * all that there are.
 */
export function createCallers(tokens: readonly Token[]): (given: string) => Caller | undefined {
  const known = tokens.map(({ token, ...caller }) => ({ caller, expected: digest(token) }));
  return (given) => {
    const found = digest(given);
    return known.filter(({ expected }) => timingSafeEqual(found, expected))[0]?.caller;
  };
}
