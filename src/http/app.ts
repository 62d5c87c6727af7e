import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import * as z from 'zod';

import type { Queries } from '../db/queries.ts';
import { maxAuthor, maxNote } from '../domain/logbook-words.ts';
import { workflowParamsOf } from '../domain/params.ts';
import { hasCode, NoStoreYet, SwfError } from '../lib/errors.ts';
import type { Log } from '../lib/logger.ts';
import { allPrintable } from '../lib/printable.ts';
import { tried } from '../lib/tried.ts';
import { nameless, type Token } from './callers.ts';
import { createTurns } from './calls.ts';
import { callerOf, clientOf, guardedApp, refuse, requireToken } from './guard.ts';
import { compressed, createMcpAnswerer, type McpOptions } from './mcp.ts';
import type { Metrics } from './metrics.ts';
import { addPage } from './page.ts';

export interface AppOptions extends McpOptions {
  queries: () => Queries;
  metrics: Metrics;
  /** Undefined if no client may mark alarms as seen. */
  markSeen: MarkSeen | undefined;
  /**
   * Every request except the health check must carry one of these tokens; without tokens, none is required.
   */
  tokens: readonly Token[];
  /** Whether requests may use host names other than this machine's loopback names. */
  anyHost: boolean;
  /** Whether a proxy in front of the server reports the original request and client in `X-Forwarded-…`. */
  behindProxy: boolean;
  pageFolder: string;
  log: Log;
}

/** Larger requests are refused: no tool needs one. */
const bodyLimit = '4mb';

/**
 * The HTTP server: the health check is open to everyone; all routes in `addRoutes` require the token, so a
 * route added there is closed by default.
 */
export function createApp(options: AppOptions) {
  const app = guardedApp(options.anyHost);
  // In a chain of proxies, trust only the last one, which is ours.
  app.set('trust proxy', options.behindProxy ? 1 : false);
  app.get('/healthz', (_, response) => answerHealth(response, options.queries));
  addPage(app, options.pageFolder);
  // Clients look here for other ways to log in. The answer, that there are none, needs no token.
  app.use('/.well-known', answerNothing);
  app.use(requireToken(options.tokens));
  addRoutes(app, options);
  app.use(answerNothing);
  app.use(onError(options.log));
  return app;
}

function answerNothing({ originalUrl }: Request, response: Response) {
  const path = originalUrl.split('?', 1)[0] ?? '';
  refuse(response, 404, -32_601, `there is nothing at ${path.slice(0, 200)}; MCP is at /mcp`);
}

/** Every route that requires the token. */
function addRoutes(app: Express, options: AppOptions) {
  const { metrics, queries, markSeen } = options;
  const turn = createTurns();
  /** Makes a request wait for its turn, as each MCP message does. */
  const inTurn: RequestHandler = async (request, _, next) => {
    await turn(clientOf(request));
    next();
  };
  const readBody = (limit: string) => express.json({ limit, type: () => true, strict: false });
  app.post('/mcp', compressed(), readBody(bodyLimit), createMcpAnswerer(options, turn));
  app.all('/mcp', (_, response) => {
    response.setHeader('Allow', 'POST');
    refuse(response, 405, -32_000, 'this server keeps no sessions: send every request with POST');
  });
  app.get('/metrics', inTurn, (_, response) => {
    response.type('text/plain; version=0.0.4; charset=utf-8').send(metrics.text(tried(queries), Date.now()));
  });
  // Parameters of an execution, for programs that know only its id.
  app.get('/workflow-executions/:id', inTurn, (request: Request<{ id: string }>, response) =>
    answerParameters(request.params.id, response, queries),
  );
  // For tokens that may write to the logbook.
  app.post('/alarms/seen', inTurn, readBody(seenLimit), (request, response) => {
    if (markSeen === undefined || callerOf(request).scope === 'read') return refuse(response, 403, -32_000, refusal);
    return answerSeen(request, response, markSeen);
  });
}

function answerHealth(response: Response, queries: () => Queries) {
  try {
    const asked = queries();
    // Reading only a store's age may not reveal that the store is damaged, so read an execution too.
    asked.executions({}, { order: 'newest', limit: 1, uncounted: true });
    response.json(allPrintable({ status: 'ok', store_id: asked.storeId(), data_as_of: asked.dataAsOf() }));
  } catch (error) {
    // Before the first run there is no store to read, which is not an error.
    const isMissing = error instanceof NoStoreYet;
    // Anyone may request the health check, so its answer names no paths.
    response.status(isMissing ? 200 : 503).json({
      status: isMissing ? 'ok' : 'error',
      store: isMissing ? 'none yet' : error instanceof SwfError ? error.code : 'cannot be read',
    });
  }
}

function answerParameters(id: string, response: Response, queries: () => Queries) {
  try {
    const asked = queries();
    const execution = asked.execution(id);
    const { run_number, end_time } = execution;
    const params = asked.knownParams(execution);
    response.json(
      allPrintable({
        execution_id: execution.execution_id,
        workflow_name: execution.workflow_name,
        namespace: execution.namespace,
        executed_by: execution.executed_by,
        status: execution.status,
        ...(run_number === null ? {} : { run_id: String(run_number), run_number }),
        start_time: execution.start_time,
        ...(end_time === null ? {} : { end_time }),
        // The workflow's parameters only: no broker, no paths, no secrets.
        parameter_values: params === undefined ? {} : workflowParamsOf(params),
      }),
    );
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    const isGone = hasCode(error, 'EXECUTION_NOT_FOUND', 'EXECUTION_REMOVED');
    refuse(response, isGone ? 404 : 503, -32_602, error.line);
  }
}

/** Reports errors in a request as JSON, like every other answer, and our own bugs only to the operator. */
function onError(log: Log): ErrorRequestHandler {
  return (
    error: { type?: string; limit?: number; status?: number; stack?: string; message?: string },
    _,
    response,
    next,
  ) => {
    if (response.headersSent) next(error);
    else if (error.type === 'entity.parse.failed') refuse(response, 400, -32_700, 'the body is not JSON');
    else if (error.type === 'entity.too.large')
      refuse(response, 413, -32_600, `the body is larger than ${error.limit} bytes`);
    else if (error instanceof SwfError) refuse(response, 503, -32_603, error.line);
    else if (error.status !== undefined && error.status < 500)
      refuse(response, error.status, -32_600, error.message ?? 'the request cannot be read');
    else {
      log.write({ level: 'ERROR', message: `bug in the HTTP server: ${error.stack ?? error.message ?? ''}` });
      refuse(response, 500, -32_603, "an internal error in swf-mcp; the server's log has the details");
    }
  };
}

/** Records that a person has seen an alarm. Throws `ARGUMENT_INVALID` if `alarm` names no alarm. */
type MarkSeen = (
  alarm: string,
  by: { author: string; sender: string; text: string | undefined },
) => Promise<{ alarm_id: string; seen_by: string; is_over: boolean; is_new: boolean }>;

const refusal =
  'UNAUTHORIZED: marking an alarm as seen needs a token whose scope is note or control; in a terminal, use "swf-mcp alarms seen ID"';

/** The largest accepted body, which may hold a note. */
const seenLimit = '32kb';

const seenBody = z.strictObject({
  alarm_id: z.string().min(1).max(3000),
  text: z.string().trim().min(1).max(maxNote).optional(),
  /** The person on whose behalf the request is sent, if this is not the person whom the token names. */
  requested_by: z.string().trim().min(1).max(maxAuthor).optional(),
});

async function answerSeen(request: Request, response: Response, markSeen: MarkSeen) {
  const { name: sender = nameless } = callerOf(request);
  const { data } = seenBody.safeParse(request.body);
  if (data === undefined)
    return refuse(response, 400, -32_602, 'give {"alarm_id":"…"}, optionally with text and requested_by');
  try {
    const { alarm_id, text, requested_by = sender } = data;
    response.json(allPrintable(await markSeen(alarm_id, { author: requested_by, sender, text })));
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    refuse(response, error.code === 'ARGUMENT_INVALID' ? 404 : 503, -32_602, error.line);
  }
}
