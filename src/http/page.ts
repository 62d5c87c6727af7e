import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Express, Response } from 'express';

import { sha256 } from '../lib/sha256.ts';

/** The page's files by their paths. They hold no data, so nobody needs a token for them. */
const files = {
  '/': { name: 'page.html', type: 'text/html; charset=utf-8' },
  '/app.js': { name: 'app.js', type: 'text/javascript; charset=utf-8' },
  '/app.css': { name: 'app.css', type: 'text/css; charset=utf-8' },
} as const;

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
  // Asked again each time, and mostly answered by 304: a new version is there at once.
  'Cache-Control': 'no-cache',
};

/** Serves the page. Its addresses are relative, so that it works behind a proxy's path. */
export function addPage(app: Express, folder: string): void {
  for (const [path, { name, type }] of Object.entries(files)) {
    let content: { body: Buffer; tag: string } | undefined;
    app.get(path, ({ headers: asked }, response) => {
      content ??= read(join(folder, name));
      answer(response, asked['if-none-match'], { ...content, type });
    });
  }
}

function read(path: string): { body: Buffer; tag: string } {
  const body = readFileSync(path);
  return { body, tag: `"${sha256().update(body).digest('hex').slice(0, 16)}"` };
}

function answer(
  response: Response,
  known: string | undefined,
  { body, tag, type }: { body: Buffer; tag: string; type: string },
): void {
  response.set({ ...headers, 'Content-Type': type, ETag: tag });
  if (known === tag) response.status(304).end();
  else response.send(body);
}
