import express, { type NextFunction, type Request, type Response } from 'express';

import { printable } from '../lib/printable.ts';
import { tried } from '../lib/tried.ts';
import { type Caller, createCallers, hostOf, isLoopback, type Token } from './callers.ts';

/** Answers with an error in the JSON that JSON-RPC clients expect: they read `message`. */
export function refuse(response: Response, status: number, code: number, message: string) {
  response.status(status).json({ jsonrpc: '2.0', error: { code, message: printable(message) }, id: null });
}

/**
 * Whether an origin is this server's own page: the same scheme, host and port as the request. Another port on
 * this machine belongs to another program, whose pages must not read the answers.
 */
const isOurs = (origin: string, { protocol, host }: Request) =>
  tried(() => new URL(origin).origin === new URL(`${protocol}://${host}`).origin) ?? false;

/**
 * A server that forbids caching and content sniffing, unless a route sets other headers. It refuses requests that a
 * foreign web page could send through a browser on this machine: a `Host` that is not ours (DNS rebinding), or an
 * `Origin` other than the request's scheme, host and port. Behind a proxy these are the forwarded values.
 * @param anyHost whether to accept any name for this server, since a token keeps strangers out
 */
export function guardedApp(anyHost: boolean) {
  const app = express();
  app.disable('x-powered-by');
  app.use((request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
    const host = hostOf(request.host);
    const { origin } = request.headers;
    if (host === undefined || (!anyHost && !isLoopback(host)))
      refuse(
        response,
        403,
        -32_000,
        `UNAUTHORIZED: the host ${quoted(request.host ?? '')} is not this server; use 127.0.0.1 or localhost`,
      );
    else if (origin !== undefined && !isOurs(origin, request))
      refuse(response, 403, -32_000, `UNAUTHORIZED: requests from the origin ${quoted(origin)} are not served`);
    else next();
  });
  return app;
}

/** A header's text, quoted for an answer. */
const quoted = (text: string) => JSON.stringify(text.slice(0, 200));

/** The caller of every request if there are no tokens. */
const anybody: Caller = { name: undefined, scope: 'control' };

/**
 * Requires a bearer token and remembers its owner; if there are no tokens, requires none.
 * @param unauthorized answers a request without one of these tokens
 */
export function requireToken(tokens: readonly Token[], unauthorized = refuseStranger) {
  const callerBy = createCallers(tokens);
  return (request: Request, response: Response, next: NextFunction) => {
    const [, given] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    const caller = tokens.length === 0 ? anybody : given === undefined ? undefined : callerBy(given);
    if (caller !== undefined) {
      callers.set(request, caller);
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Bearer');
    unauthorized(response, given === undefined ? 'no bearer token was given' : 'the bearer token is wrong');
  };
}

const refuseStranger = (response: Response, why: string) =>
  refuse(
    response,
    401,
    -32_001,
    `UNAUTHORIZED: ${why}; send "Authorization: Bearer …" with the token from SWF_MCP_TOKEN or from a line of SWF_MCP_TOKEN_FILE`,
  );

const callers = new WeakMap<Request, Caller>();

/** The caller of a request that has passed `requireToken`. */
export function callerOf(request: Request) {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('a route that should require the token is open');
  return caller;
}

/**
 * The client that limits and turns apply to: the token's name, whatever the address; without a token, the
 * network of the address.
 */
export function clientOf(request: Request) {
  const { name } = callerOf(request);
  return name === undefined ? `from ${networkOf(request.ip ?? '')}` : `token ${name}`;
}

/** Whether a request comes from this machine; through a proxy on this machine, all requests do. */
export const isOfThisMachine = ({ ip = '' }: Request) => networkOf(ip) === 'loopback';

/**
 * Groups addresses of which one machine can have any number: loopback addresses, and addresses of an IPv6
 * network, whose first four groups are equal.
 */
function networkOf(address: string) {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (isLoopback(plain)) return 'loopback';
  const zeros = Math.max(0, 9 - plain.split(':').length);
  return plain
    .replace('::', `:${'0:'.repeat(zeros)}`)
    .split(':')
    .slice(0, 4)
    .join(':');
}
