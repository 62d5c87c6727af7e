import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

/** A file server in this process, and the requests that it received. */
export interface FileHost {
  /** Its address, with `/` at its end. */
  root: string;
  asked: { url: string; range?: string; authorization?: string; ifRange?: string }[];
}

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** Answers each request by the next of `answers`, and all further ones by the last. */
export async function fileHost(...answers: [Answer, ...Answer[]]): Promise<FileHost> {
  const asked: FileHost['asked'] = [];
  const server = createServer((request, response) => {
    const { range, authorization, 'if-range': ifRange } = request.headers;
    asked.push({
      url: request.url ?? '',
      ...(range === undefined ? {} : { range }),
      ...(authorization === undefined ? {} : { authorization }),
      ...(ifRange === undefined ? {} : { ifRange: String(ifRange) }),
    });
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    answer?.(response, request);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { root: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

/** Answers with a file, or with the range that is asked for. */
export const serves =
  (content: Uint8Array, headers: Record<string, string> = {}): Answer =>
  (response, request) => {
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined) return void response.writeHead(200, headers).end(content);
    if (Number(from) >= content.length) return void response.writeHead(416).end();
    response.writeHead(206, headers).end(content.subarray(Number(from), to === '' ? undefined : Number(to) + 1));
  };

/** Answers without a file. */
export const refuses =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(status, headers).end('no file');

/** Sends the first bytes of what was asked for, and breaks the connection. */
export const breaksAfter =
  (bytes: number, content: Uint8Array, headers: Record<string, string> = {}): Answer =>
  (response, request) => {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from === 0 ? 200 : 206, { ...headers, 'content-length': String(content.length - from) });
    response.write(content.subarray(from, from + bytes), () => response.destroy());
  };
