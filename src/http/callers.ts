import { timingSafeEqual } from 'node:crypto';

import { sha256 } from '../lib/sha256.ts';
import { tried } from '../lib/tried.ts';

/** Name recorded for a client that has none, such as a client with `SWF_MCP_TOKEN`. */
export const nameless = 'mcp';

export const scopes = ['read', 'note', 'control'] as const;

type Scope = (typeof scopes)[number];

/** An authorized client: the holder of a token or, if there are no tokens, any user of this machine. */
export interface Caller {
  /** The token's name; undefined if it has none. */
  name: string | undefined;
  /** Rights of this caller: to read, to write to the logbook too, or to control executions too. */
  scope: Scope;
}

export interface Token extends Caller {
  token: string;
}

const digest = (text: string) => sha256().update(text).digest();

/**
 * Finds the caller that a token belongs to; undefined for an unknown token. Compares in constant time, always
 * with every known token.
 */
export function createCallers(tokens: readonly Token[]): (given: string) => Caller | undefined {
  const known = tokens.map(({ token, ...caller }) => ({ caller, expected: digest(token) }));
  return (given) => {
    const found = digest(given);
    return known.filter(({ expected }) => timingSafeEqual(found, expected))[0]?.caller;
  };
}

/** Whether a host name or address is this machine's own, which other machines cannot reach. */
export const isLoopback = (host: string) =>
  ['localhost', '::1', '[::1]'].includes(host) || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * The host name in a `Host` header or an origin, without its port; undefined if the text is not an address.
 */
export const hostOf = (text = '') => tried(() => new URL(text.includes('://') ? text : `http://${text}`).hostname);
