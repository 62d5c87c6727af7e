import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Express, Request, Response } from 'express';

import { sha256 } from '../lib/sha256.ts';

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

/** The page's files by path. They hold no data, so they need no token. */
const files: Readonly<Record<string, { name: string; type: string }>> = {
  '/': { name: 'page.html', type: 'text/html; charset=utf-8' },
  '/app.js': { name: 'app.js', type: script },
  '/app.css': { name: 'app.css', type: style },
  '/print.css': { name: 'print.css', type: style },
  '/wall.css': { name: 'wall.css', type: style },
};

/** Parts of the program, loaded when first shown. Their names change with their content. */
const partPath = /^\/app\/[\w-]+\.js$/;

/** Nothing from elsewhere, nothing inline, no text becomes code or markup, and no other page may frame it. */
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
  // Revalidated each time, mostly by a 304: a new version appears at once.
  'Cache-Control': 'no-cache',
};

/** Serves the page. Its addresses are relative, so that it works behind a proxy's path. */
export function addPage(app: Express, folder: string): void {
  const known = new Map<string, ReturnType<typeof read>>();
  const serve = (name: string, type: string, request: Request, response: Response): void => {
    const content = known.get(name) ?? read(join(folder, name));
    known.set(name, content);
    response.set({ ...headers, 'Content-Type': type, ETag: content.tag });
    if (request.headers['if-none-match'] === content.tag) response.status(304).end();
    else response.send(content.body);
  };
  for (const [path, { name, type }] of Object.entries(files))
    app.get(path, (request, response) => serve(name, type, request, response));
  app.get(partPath, (request, response) => {
    const name = request.path.slice(1);
    // A page opened under an older version asks for parts that no longer exist.
    if (existsSync(join(folder, name))) serve(name, script, request, response);
    else response.status(404).set(headers).end();
  });
}

function read(path: string) {
  const body = readFileSync(path);
  return { body, tag: `"${sha256().update(body).digest('hex').slice(0, 16)}"` };
}
