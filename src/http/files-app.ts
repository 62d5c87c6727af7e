import { lstat } from 'node:fs/promises';
import { join } from 'node:path';

import type { NextFunction, Request, Response } from 'express';

import { guardedApp, requireToken } from './guard.ts';

interface FilesAppOptions {
  /** The folder of all executions' data files. */
  folder: string;
  /** The token that every request must carry; if undefined, none is required. */
  token: string | undefined;
}

/** Names of executions and files: without a leading dot. */
const namePattern = /^(?!\.)[^/\\]{1,255}$/;

/** File name endings that mark files still being written. */
const unfinishedPattern = /\.(?:part|fetching)$/;

/**
 * Serves the data files of executions, read-only, at `/{execution_id}/{filename}`, with byte ranges and strong
 * ETags that change with the file. Lists nothing and follows no links.
 */
export function createFilesApp({ folder, token }: FilesAppOptions) {
  // Without a token, a web page could send requests through a browser on this machine.
  const app = guardedApp(token !== undefined);
  app.get('/healthz', (_, response) => void response.json({ status: 'ok' }));
  const tokens = token === undefined ? [] : [{ name: undefined, scope: 'read' as const, token }];
  app.use(requireToken(tokens, refuseStranger), onlyRead);
  app.get('/:execution/:filename', (request: FileRequest, response) => answerFile(folder, request, response));
  app.use((_, response) => refuse(response, 404, 'there is nothing here; files are at /EXECUTION_ID/FILENAME'));
  app.use(refuseBroken);
  return app;
}

/**
 * Answers a request whose address cannot be decoded, such as /%zz; express's own answer would show paths on
 * this machine.
 */
function refuseBroken(_: unknown, __: Request, response: Response, next: NextFunction) {
  if (response.headersSent) next();
  else refuse(response, 400, 'the address cannot be read');
}

const refuse = (response: Response, status: number, sentence: string) =>
  void response.status(status).type('text/plain').send(`${sentence}\n`);

const refuseStranger = (response: Response) =>
  refuse(response, 401, 'send "Authorization: Bearer …" with the value of SWF_FILES_TOKEN');

function onlyRead({ method }: Request, response: Response, next: NextFunction) {
  if (method === 'GET' || method === 'HEAD') return next();
  response.setHeader('Allow', 'GET, HEAD');
  refuse(response, 405, 'files can only be read');
}

type FileRequest = Request<{ execution: string; filename: string }>;

async function answerFile(folder: string, { params }: FileRequest, response: Response) {
  const { execution, filename } = params;
  const facts = await factsOf(folder, execution, filename);
  if (facts === undefined) return refuse(response, 404, 'there is no such file here');
  const { ino, size, mtimeNs } = facts;
  response.setHeader('ETag', `"${[ino, size, mtimeNs].map((part) => part.toString(36)).join('-')}"`);
  response.type('application/octet-stream');
  const options = { root: join(folder, execution), etag: false, cacheControl: false };
  response.sendFile(filename, options, (error: SendError | undefined) => {
    // A client that has disconnected needs no answer.
    if (error === undefined || response.headersSent) return;
    if (error.headers !== undefined) response.set(error.headers);
    if (error.status === 416) refuse(response, 416, 'the file does not have these bytes');
    else refuse(response, 404, 'the file is no longer here');
  });
}

/** An error from `send`, the package with which express sends files. */
interface SendError extends Error {
  status?: number;
  headers?: Record<string, string>;
}

/**
 * The facts about a file; undefined unless it is a regular file in a real folder, since a link could lead
 * anywhere.
 */
async function factsOf(folder: string, execution: string, filename: string) {
  if (!namePattern.test(execution) || !namePattern.test(filename) || unfinishedPattern.test(filename)) return undefined;
  try {
    const above = await lstat(join(folder, execution));
    const file = await lstat(join(folder, execution, filename), { bigint: true });
    return above.isDirectory() && file.isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}
