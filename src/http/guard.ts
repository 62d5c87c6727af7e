import type { NextFunction, Request, Response } from 'express';

import { printable } from '../lib/printable.ts';
import { type Caller, createCallers, type Token } from './callers.ts';

/** Names of this machine for itself. */
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export const isLoopback = (host: string): boolean =>
  loopback.has(host) || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** An error as JSON, in the form that JSON-RPC clients expect: they read `message`. */
export function refuse(response: Response, status: number, code: number, message: string): void {
  response.status(status).json({ jsonrpc: '2.0', error: { code, message: printable(message) }, id: null });
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
 * Whether an origin is the page that this server gave: the same scheme, host and port as were asked. Another port of this
 * machine is another program, and nothing that it shows may read the answers.
 */
function isOurs(origin: string, { protocol, host }: Request): boolean {
  try {
    return new URL(origin).origin === new URL(`${protocol}://${host}`).origin;
  } catch {
    return false;
  }
}

/**
 * Refuses what a web page of somebody else's could send through a browser on this machine: a `Host` that is not ours (DNS
 * rebinding), or an `Origin` that is not the scheme, host and port that were asked. Behind a proxy these are what it forwards.
 * @param anyHost where a token keeps strangers out, any name of this server will do
 */
export function refuseForeign(anyHost: boolean) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const host = hostOf(request.host);
    if (host === undefined || (!anyHost && !isLoopback(host))) {
      refuse(
        response,
        403,
        -32_000,
        `UNAUTHORIZED: the host ${quoted(request.host ?? '')} is not this server; ask for 127.0.0.1 or localhost`,
      );
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined && !isOurs(origin, request)) {
      refuse(response, 403, -32_000, `UNAUTHORIZED: requests from the origin ${quoted(origin)} are not served`);
      return;
    }
    next();
  };
}

/** Answers are for the one who asks, and are what they say they are. A route may say otherwise. */
export function sayNotToKeep(_: Request, response: Response, next: NextFunction): void {
  response.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  next();
}

/** The text of a header, as part of an answer. */
const quoted = (text: string): string => JSON.stringify(text.slice(0, 200));

/** One who may ask without a token, where there is none. */
const anybody: Caller = { name: undefined, scope: 'control' };

/** Asks for a bearer token and remembers whose it is; without any token nobody is asked. */
export function requireToken(tokens: readonly Token[]) {
  const callerBy = createCallers(tokens);
  return (request: Request, response: Response, next: NextFunction): void => {
    const [, given] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    const caller = tokens.length === 0 ? anybody : given === undefined ? undefined : callerBy(given);
    if (caller !== undefined) {
      callers.set(request, caller);
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Bearer');
    refuse(
      response,
      401,
      -32_001,
      `UNAUTHORIZED: ${given === undefined ? 'no bearer token was given' : 'the bearer token is wrong'}; send "Authorization: Bearer …" with the value of SWF_MCP_TOKEN or of a line of SWF_MCP_TOKEN_FILE`,
    );
  };
}

const callers = new WeakMap<Request, Caller>();

/** The caller of a request that has passed `requireToken`. */
export function callerOf(request: Request): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('a route is open that should ask for the token');
  return caller;
}

/** One client, for whom limits and turns are counted: the name of a token, wherever it comes from; without one a network of addresses. */
export function clientOf(request: Request): string {
  const { name } = callerOf(request);
  return name === undefined ? `from ${networkOf(request.ip ?? '')}` : `token ${name}`;
}

/** Addresses that one machine can have as many of as it likes: those of its loopback, and of an IPv6 network. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (isLoopback(plain)) return 'loopback';
  return plain.includes(':') ? plain.split(':').slice(0, 4).join(':') : plain;
}
