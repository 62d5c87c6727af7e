import express, { type ErrorRequestHandler, type Request, type RequestHandler } from 'express';

import type { Store } from '../db/opening/store.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { maxListed } from '../db/stand-in/objects.ts';
import { createCallers } from '../http/callers.ts';
import { guardedApp } from '../http/guard.ts';
import { messageOf } from '../lib/errors.ts';
import { isShallow } from '../observed/body.ts';
import { maskValue } from '../observed/body.ts';
import { objectOf } from '../observed/reading/values.ts';
import type { RestLine } from '../observed/recording-lines.ts';
import { calls } from './calls.ts';
import { callsOf } from './objects.ts';
import type { Body, Call } from './resource.ts';
import { resources } from './resources.ts';

interface StandInOptions {
  store: Store;
  /** The token that writes must carry; undefined if none is required. */
  token: string | undefined;
  say: (line: string) => void;
  /** Called with each call and its answer, without secrets. */
  onCall: (call: RestLine) => void;
}

/**
 * Workflow definitions run to ten thousand characters, and messages may be longer. Callers without a token
 * may only send short log lines.
 */
const bodyLimit = { trusted: '4mb', stranger: '64kb' };

/**
 * Maximum number of names in a query, since each is looked up in every object. The testbed's programs send a
 * handful.
 */
const maxNames = 20;

/**
 * Stands in for swf-monitor: answers the calls that programs of the testbed make during a run, with or without
 * a site's prefix, and records what they report before answering. Source: `docs/swf-monitor.md`.
 */
export function createStandIn(options: StandInOptions) {
  const app = guardedApp(options.token !== undefined);
  // A value in a query string is text: `a[b]=1` is not an object.
  app.set('query parser', 'simple');
  app.use(refuseManyNames);
  const isTrusted = trustOf(options);
  const requireToken = tokenCheck(options, isTrusted);
  const reading = (limit: string): RequestHandler => express.json({ limit, type: () => true, strict: false });
  const [ofTrusted, ofStrangers] = [reading(bodyLimit.trusted), reading(bodyLimit.stranger)];
  const readBody: RequestHandler = (request, ...rest) =>
    (isTrusted(request) ? ofTrusted : ofStrangers)(request, ...rest);
  const api = express.Router();
  for (const call of [...calls, ...resources.flatMap(callsOf)]) {
    const isOpen = call.isOpen ?? call.method === 'GET';
    // The token is checked before the body is read.
    const checks = [...(isOpen ? [] : [requireToken]), readBody, refuseDeep];
    const method = call.method.toLowerCase() as 'get' | 'post' | 'patch';
    api[method](`/${call.path}`, ...checks, answered(options, call));
  }
  app.use(['/api', '/swf-monitor/api'], api);
  app.use((_, response) => void response.status(404).json({ detail: 'Not found.' }));
  app.use(onError(options));
  return app;
}

const refuseUnless =
  (isFine: (request: Request) => boolean, detail: string): RequestHandler =>
  (request, response, next) => {
    if (isFine(request)) next();
    else response.status(400).json({ detail: [detail] });
  };

/** Refuses deeply nested bodies, since code that walks through a body recursively must not overflow the stack. */
const refuseDeep = refuseUnless(({ body }) => isShallow(body), 'The body is nested too deeply.');

const refuseManyNames = refuseUnless(
  ({ query }) => Object.keys(query).length <= maxNames,
  `A query may have at most ${maxNames} names.`,
);

function answered({ store, onCall }: StandInOptions, { method, answer }: Call): RequestHandler {
  return async (request, response) => {
    const at = new Date().toISOString();
    const query = queryOf(request);
    const [path = ''] = request.originalUrl.split('?', 1);
    const question = {
      // Masked immediately, so that nothing stored, answered or recorded contains a secret.
      body: maskValue(objectOf(request.body)) as Body,
      query,
      at,
      id: String(request.params['id']),
      url: `${request.protocol}://${request.headers.host ?? ''}${path}`,
    };
    const {
      status,
      body,
      isCut = false,
    } = method === 'GET'
      ? answer({ sql: store.sql } as Transaction, question)
      : await store.write((tx) => answer(tx, question));
    if (isCut) response.set('warning', `299 swf-mcp "only the newest ${maxListed} are listed: request one run"`);
    response.status(status).json(body);
    const [scheme = null] = /^\w+/.exec(request.headers.authorization ?? '') ?? [];
    onCall({
      t: at,
      method: request.method,
      path,
      query: maskValue(query),
      auth: scheme,
      body: maskValue(request.body ?? null),
      status,
      answer: maskValue(body),
    });
  };
}

/** If a name occurs twice, the last value is used. The simple parser returns only strings. */
const queryOf = ({ query }: Request): Record<string, string> =>
  Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, (Array.isArray(value) ? value.at(-1) : value) as string]),
  );

const givenIn = ({ headers }: Request) => /^(?:Token|Bearer) +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';

/** Whether a request carries the token, if one is required. */
function trustOf({ token }: StandInOptions): (request: Request) => boolean {
  if (token === undefined) return () => true;
  const callerBy = createCallers([{ name: undefined, scope: 'control', token }]);
  return (request) => callerBy(givenIn(request)) !== undefined;
}

/**
 * An agent with a wrong token retries forever and never starts, so report this once, where an operator looks.
 */
function tokenCheck({ say }: StandInOptions, isTrusted: (request: Request) => boolean): RequestHandler {
  let isSaid = false;
  return (request, response, next) => {
    if (isTrusted(request)) {
      next();
      return;
    }
    const { ip } = request;
    const given = givenIn(request);
    if (!isSaid)
      say(
        `WARNING a program at ${ip ?? 'an unknown address'} ${given === '' ? 'sent no token' : 'sent a wrong token'}, and was refused; the testbed's agents retry forever: give them the value of SWF_MONITOR_TOKEN`,
      );
    isSaid = true;
    response.setHeader('WWW-Authenticate', 'Token');
    response
      .status(401)
      .json({ detail: given === '' ? 'Authentication credentials were not provided.' : 'Invalid token.' });
  };
}

function onError({ say }: StandInOptions): ErrorRequestHandler {
  return (error: { type?: string; status?: number }, _, response, next) => {
    if (response.headersSent) next(error);
    else if (error.status !== undefined && error.status < 500)
      response.status(error.status).json({
        detail: error.type === 'entity.parse.failed' ? 'The body is not JSON.' : messageOf(error),
      });
    else {
      say(`ERROR a call could not be recorded: ${messageOf(error)}`);
      // On this status, the testbed's programs wait and retry.
      response.status(503).json({ detail: 'The store cannot be written at the moment.' });
    }
  };
}
