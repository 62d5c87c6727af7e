import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { hostedPage } from '../../mcp/html-report.ts';

/** The page as one file for a chat that hosts it. */
export function readHostedPage(packageFolder: string) {
  const read = (name: string) => readFileSync(join(packageFolder, 'dist', 'web', name), 'utf8');
  return hostedPage({ title: 'swf-mcp monitor', style: read('app.css'), script: read('hosted.js') });
}
