import { timingSafeEqual } from 'node:crypto';

import { sha256 } from '../lib/sha256.ts';
import { tried } from '../lib/tried.ts';

/** The name to record for a client without a name, such as one that uses `SWF_MCP_TOKEN`. */
export const nameless = 'mcp';

export const scopes = ['read', 'note', 'control'] as const;

type Scope = (typeof scopes)[number];

/** An authorized client: the holder of a token or, if there are no tokens, any user of this machine. */
export interface Caller {
  /** The token's name; undefined if the token has none. */
  name: string | undefined;
  /** The rights of this caller: read; read and write to the logbook; or also control executions. */
  scope: Scope;
}

export interface Token extends Caller {
  token: string;
}

const digest = (text: string) => sha256().update(text).digest();

/**
 * Finds the caller that a token belongs to; undefined for an unknown token. Always compares with every
 * known token, in constant time.
 */
export function createCallers(tokens: readonly Token[]): (given: string) => Caller | undefined {
  const known = tokens.map(({ token, ...caller }) => ({ caller, expected: digest(token) }));
  return (given) => {
    const found = digest(given);
    return known.filter(({ expected }) => timingSafeEqual(found, expected))[0]?.caller;
  };
}

/** Whether a host name or address is a loopback one, which other machines cannot reach. */
export const isLoopback = (host: string) =>
  ['localhost', '::1', '[::1]'].includes(host) || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * The host name in a `Host` header or an origin, without its port; undefined if the text is not an address.
 */
export const hostOf = (text = '') => tried(() => new URL(text.includes('://') ? text : `http://${text}`).hostname);
