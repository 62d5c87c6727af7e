import { readFileSync, writeFileSync } from 'node:fs';

import { answersPage, makeAnswers } from './docs/answers.ts';
import { keysTable } from './docs/keys-table.ts';
import { drawLiveView } from './docs/live-view.ts';
import { messageTables, telemetryTables } from './docs/messages.ts';

/** Generates the parts of the docs that come from the program: npm run docs. */
fill('docs/configuration.md', 'keys', keysTable());
fill('docs/messages.md', 'messages', messageTables());
fill('docs/messages.md', 'telemetry', telemetryTables());
writeFileSync('docs/answers.md', answersPage(makeAnswers()));
writeFileSync('docs/live-view.svg', await drawLiveView());

/** Puts a generated part between its two marks on a page. */
function fill(page: string, part: string, made: string): void {
  const marks = new RegExp(`(<!-- ${part}: npm run docs -->\\n\\n)[\\s\\S]*?(<!-- end of ${part} -->)`);
  const text = readFileSync(page, 'utf8');
  writeFileSync(
    page,
    text.replace(marks, (_, begin: string, end: string) => `${begin}${made}\n\n${end}`),
  );
}
