import { createHash } from 'node:crypto';

/** The parts of a single-file page: its style, its program, and the answers that it shows. */
interface HtmlParts {
  title: string;
  style: string;
  script: string;
  /** The answers; undefined for a page that requests its data. */
  data?: unknown;
}

/** JSON that is safe in HTML: no text in it can end the element that holds it. */
const jsonInHtml = (data: unknown) =>
  JSON.stringify(data)
    .replaceAll('<', String.raw`\u003C`)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** A self-contained file, which may use only its own style and program. The same parts always give the same bytes. */
export function htmlReport(parts: HtmlParts) {
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(parts.script)}`,
    `style-src ${hashOf(parts.style)} 'unsafe-hashes'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return page(parts, `<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">`);
}

/** The page as one file, for a chat that hosts it under the chat's own policy. */
export const hostedPage = (parts: Omit<HtmlParts, 'data'>) => page(parts, '');

const page = ({ title, style, script, data }: HtmlParts, policy: string) =>
  [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    policy,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    '</head><body><div id="app"></div>',
    '<noscript>This page needs JavaScript.</noscript>',
    data === undefined ? '' : `<script type="application/json" id="data">${jsonInHtml(data)}</script>`,
    `<script>${script}</script>`,
    '</body></html>',
  ]
    .filter((line) => line !== '')
    .join('\n');
