import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';

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
import { change, list, read, register } from './objects.ts';
import type { Answer, Body } from './resource.ts';
import { resources } from './resources.ts';

export interface StandInOptions {
  store: Store;
  /** Writes must carry it; if undefined, no token is required. */
  token: string | undefined;
  say: (line: string) => void;
  /** Called with each call and its answer, without secrets. */
  onCall: (call: RestLine) => void;
}

/** Definitions of workflows are ten thousand characters long, and messages may be longer. Of strangers only short log lines are taken. */
const bodyLimit = { trusted: '4mb', stranger: '64kb' };

/** Their programs give a handful: each name is looked up in every object. */
const maxNames = 20;

/**
 * Stands in for swf-monitor: answers the calls that programs of the testbed make in a run, with or without the prefix of a site, and records what they
 * state before it answers. Source: `docs/testbed.md`.
 */
export function createStandIn(options: StandInOptions): Express {
  const app = guardedApp(options.token !== undefined);
  // A value in a query is text: `a[b]=1` is not an object.
  app.set('query parser', 'simple');
  app.use(refuseManyNames);
  const { store } = options;
  const isTrusted = trustOf(options);
  const requireToken = tokenCheck(options, isTrusted);
  const reading = (limit: string): RequestHandler => express.json({ limit, type: () => true, strict: false });
  const [ofTrusted, ofStrangers] = [reading(bodyLimit.trusted), reading(bodyLimit.stranger)];
  const readBody: RequestHandler = (request, ...rest) =>
    (isTrusted(request) ? ofTrusted : ofStrangers)(request, ...rest);
  const api = express.Router();
  const route = (
    method: 'get' | 'post' | 'patch',
    path: string,
    answer: Answering,
    isOpen = method === 'get',
  ): void => {
    // The body of a stranger is not read before.
    api[method](`/${path}`, ...(isOpen ? [] : [requireToken]), readBody, refuseDeep, answered(options, answer));
  };
  for (const { method, path, isOpen, answer } of calls) {
    const asked: Answering = (request, at) => {
      const question = { body: bodyOf(request), query: queryOf(request), at };
      // A read needs no turn among the writers.
      return method === 'GET'
        ? answer({ sql: store.sql } as Transaction, question)
        : store.write((tx) => answer(tx, question));
    };
    route(method === 'GET' ? 'get' : 'post', path, asked, isOpen);
  }
  for (const resource of resources) {
    const [all, one] = [resource.path, `${resource.path}/:id`];
    const writing = (request: Request, at: string) => ({ resource, body: bodyOf(request), at });
    route('get', all, (request) => list(store.sql, resource, queryOf(request), urlOf(request)));
    route('get', one, ({ params }) => read(store.sql, resource, String(params['id'])));
    route('post', all, (request, at) => store.write((tx) => register(tx, writing(request, at))));
    route('patch', one, (request, at) =>
      store.write((tx) => change(tx, writing(request, at), String(request.params['id']))),
    );
  }
  app.use(['/api', '/swf-monitor/api'], api);
  app.use((_, response) => void response.status(404).json({ detail: 'Not found.' }));
  app.use(onError(options));
  return app;
}

/** Refuses deeply nested bodies: code that walks through a body must return. */
const refuseDeep: RequestHandler = ({ body }, response, next) => {
  if (isShallow(body)) next();
  else response.status(400).json({ detail: ['The body is nested too deep.'] });
};

const refuseManyNames: RequestHandler = ({ query }, response, next) => {
  if (Object.keys(query).length <= maxNames) next();
  else response.status(400).json({ detail: [`A query has at most ${maxNames} names.`] });
};

type Answering = (request: Request, at: string) => Answer | Promise<Answer>;

function answered({ onCall }: StandInOptions, answer: Answering): RequestHandler {
  return async (request, response) => {
    const at = new Date().toISOString();
    const { status, body, isCut = false } = await answer(request, at);
    if (isCut) response.set('warning', `299 swf-mcp "only the newest ${maxListed} are listed: ask for one run"`);
    response.status(status).json(body);
    const { method, originalUrl, headers } = request;
    const [scheme] = /^\w+/.exec(headers.authorization ?? '') ?? [];
    onCall({
      t: at,
      method,
      path: originalUrl.split('?', 1)[0] ?? '',
      query: maskValue(queryOf(request)),
      auth: scheme ?? null,
      body: maskValue(request.body ?? null),
      status,
      answer: maskValue(body),
    });
  };
}

/** Masked at once: nothing that is kept, answered or recorded has a secret. */
const bodyOf = ({ body }: Request): Body => maskValue(objectOf(body)) as Body;

/** If a name comes twice, the last value counts. The simple parser gives only texts. */
const queryOf = ({ query }: Request): Record<string, string> =>
  Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, (Array.isArray(value) ? value.at(-1) : value) as string]),
  );

/** The address of a request, without its query. */
const urlOf = ({ protocol, headers, originalUrl }: Request): string =>
  `${protocol}://${headers.host ?? ''}${originalUrl.split('?', 1)[0] ?? ''}`;

const givenIn = ({ headers }: Request): string =>
  /^(?:Token|Bearer) +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';

/** Whether a request carries the token, where one is required. */
function trustOf({ token }: StandInOptions): (request: Request) => boolean {
  if (token === undefined) return () => true;
  const callerBy = createCallers([{ name: undefined, scope: 'control', token }]);
  return (request) => callerBy(givenIn(request)) !== undefined;
}

/** An agent with a wrong token retries forever and never starts: reports that once, where an operator looks. */
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
        `WARNING a program at ${ip ?? 'an unknown address'} ${given === '' ? 'sends no token' : 'sends a wrong token'}, and is refused; agents of the testbed try again for ever: give them the value of SWF_MONITOR_TOKEN`,
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
      // Their programs wait and try again.
      response.status(503).json({ detail: 'The store takes nothing at this moment.' });
    }
  };
}
