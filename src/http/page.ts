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

/** Parts of the program, loaded when first shown. Their names change with their content. */
const partPath = /^\/app\/[\w-]+\.js$/;

/**
 * Nothing from other origins, nothing inline, no text becomes code or markup, and no other page may frame it.
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
  // Revalidated each time, usually with a 304: a new version appears at once.
  'Cache-Control': 'no-cache',
};

/** Serves the page. Its addresses are relative, so that it works behind a proxy's path. */
export function addPage(app: Express, folder: string) {
  const known = new Map<string, ReturnType<typeof read>>();
  const serve = (name: string, request: Request, response: Response) => {
    const content = known.get(name) ?? read(join(folder, name));
    known.set(name, content);
    // One at a time: asked for the best of a list, Express prefers the client's order.
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
    // A page opened under an older version asks for parts that no longer exist.
    if (existsSync(join(folder, name))) serve(name, request, response);
    else response.status(404).set(headers).end();
  });
}

/** The smallest first. A browser takes brotli only from its own machine or over TLS. */
const encodings = ['br', 'gzip', 'identity'] as const;

/** A file as it is sent. It is compressed only once, so at the highest level. */
function read(path: string) {
  const body = readFileSync(path);
  const bodies = {
    br: brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }),
    gzip: gzipSync(body, { level: 9 }),
    identity: body,
  };
  return { bodies, tag: `W/"${sha256().update(body).digest('hex').slice(0, 16)}"` };
}
