import { timingSafeEqual } from 'node:crypto';

import type { NextFunction, Request, Response } from 'express';

import { sha256 } from '../lib/sha256.ts';

/** Names of this machine for itself. */
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export const isLoopback = (host: string): boolean =>
  loopback.has(host) || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** An error as JSON, in the form that JSON-RPC clients expect: they read `message`. */
export function refuse(response: Response, status: number, code: number, message: string): void {
  response.status(status).json({ jsonrpc: '2.0', error: { code, message }, id: null });
}

/** A host name out of a `Host` header or an origin, without its port; undefined where there is none. */
function hostOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return new URL(text.includes('://') ? text : `http://${text}`).hostname;
  } catch {
    return undefined;
  }
}

/**
 * Whether an origin is the page that this server gave: the same host and the same port as were asked. Another port of this
 * machine is another program, and nothing that it shows may read the answers. The scheme may be that of a proxy in front.
 */
function isOurs(origin: string, host: string): boolean {
  if (!/^https?:\/\//.test(origin)) return false;
  try {
    const { protocol, host: from } = new URL(origin);
    // Read with the same scheme, so that a port that goes without saying is the same port.
    return from === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}

/**
 * Refuses what a web page of somebody else's could send through a browser on this machine: a `Host` that is not ours (DNS
 * rebinding), or an `Origin` that is not the host and port that were asked.
 * @param anyHost where a token keeps strangers out, any name of this server will do
 */
export function refuseForeign(anyHost: boolean) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const host = hostOf(request.headers.host);
    if (host === undefined || (!anyHost && !isLoopback(host))) {
      refuse(
        response,
        403,
        -32_000,
        `UNAUTHORIZED: the host ${JSON.stringify(request.headers.host ?? '')} is not this server; ask for 127.0.0.1 or localhost`,
      );
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined && !isOurs(origin, request.headers.host ?? '')) {
      refuse(
        response,
        403,
        -32_000,
        `UNAUTHORIZED: requests from the origin ${JSON.stringify(origin.slice(0, 200))} are not served`,
      );
      return;
    }
    next();
  };
}

const digest = (text: string): Buffer => sha256().update(text).digest();

/** Asks for the bearer token; without one nobody is asked. */
export function requireToken(token: string | undefined) {
  const expected = token === undefined ? undefined : digest(token);
  return (request: Request, response: Response, next: NextFunction): void => {
    const [, given] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    // Of equal length whatever was given, and compared in equal time.
    if (expected === undefined || (given !== undefined && timingSafeEqual(digest(given), expected))) {
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Bearer');
    refuse(
      response,
      401,
      -32_001,
      `UNAUTHORIZED: ${given === undefined ? 'no bearer token was given' : 'the bearer token is wrong'}; send "Authorization: Bearer …" with the value of SWF_MCP_TOKEN`,
    );
  };
}
