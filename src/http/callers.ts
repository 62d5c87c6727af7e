import { timingSafeEqual } from 'node:crypto';

import { sha256 } from '../lib/sha256.ts';

/** One who may ask: by a token, or everybody of this machine where there is none. */
export interface Caller {
  /** The token's name; undefined where it has none. */
  name: string | undefined;
  /** Whether the tools that change something are for this caller too. */
  scope: 'read' | 'control';
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
