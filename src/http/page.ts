import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Express, Request, Response } from 'express';

import { sha256 } from '../lib/sha256.ts';

/** The page's files by path. They hold no data, so they need no token. */
const files = {
  '/': 'page.html',
  '/app.js': 'app.js',
  '/app.css': 'app.css',
  '/print.css': 'print.css',
  '/wall.css': 'wall.css',
};

/** The parts of the page's program, which are loaded when first shown. Their names change with their content. */
const partPath = /^\/app\/[\w-]+\.js$/;

/**
 * The content security policy: nothing from other origins, nothing inline, no text as code or markup, and no
 * framing by other pages.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const headers = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // Browsers revalidate each time and usually get a 304, so a new version appears immediately.
  'Cache-Control': 'no-cache',
};

/** Serves the page. Its URLs are relative, so that it works behind a proxy under any path. */
export function addPage(app: Express, folder: string) {
  const known = new Map<string, ReturnType<typeof read>>();
  const serve = (name: string, request: Request, response: Response) => {
    const content = known.get(name) ?? read(join(folder, name));
    known.set(name, content);
    // Ask about one encoding at a time: given a list, Express would choose by the client's order of preference.
    const encoding = encodings.find((one) => request.acceptsEncodings(one) !== false) ?? 'identity';
    response.set({ ...headers, ETag: content.tag, Vary: 'Accept-Encoding' }).type(extname(name));
    if (request.headers['if-none-match'] === content.tag) return void response.status(304).end();
    if (encoding !== 'identity') response.set('Content-Encoding', encoding);
    response.send(content.bodies[encoding]);
  };
  for (const [path, name] of Object.entries(files))
    app.get(path, (request, response) => serve(name, request, response));
  app.get(partPath, (request, response) => {
    const name = request.path.slice(1);
    // A page that was opened under an older version requests parts that no longer exist.
    if (existsSync(join(folder, name))) serve(name, request, response);
    else response.status(404).set(headers).end();
  });
}

/**
 * The encoding with the smallest result comes first. A browser accepts brotli only from its own machine or over
 * TLS.
 */
const encodings = ['br', 'gzip', 'identity'] as const;

/** A file as it is sent. It is compressed only once, and therefore at the highest level. */
function read(path: string) {
  const body = readFileSync(path);
  const bodies = {
    br: brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }),
    gzip: gzipSync(body, { level: 9 }),
    identity: body,
  };
  return { bodies, tag: `W/"${sha256().update(body).digest('hex').slice(0, 16)}"` };
}
