import { readFileSync, writeFileSync } from 'node:fs';

import { answersPage, makeAnswers } from './docs/answers.ts';
import { keysTable } from './docs/keys-table.ts';
import { drawLiveView } from './docs/live-view.ts';

/** Makes the parts of the docs that come from the program: npm run docs. */
const configuration = 'docs/configuration.md';
const keys = /(<!-- keys: npm run docs -->\n\n)[\s\S]*?(<!-- end of keys -->)/;
writeFileSync(
  configuration,
  readFileSync(configuration, 'utf8').replace(
    keys,
    (_, begin: string, end: string) => `${begin}${keysTable()}\n\n${end}`,
  ),
);
writeFileSync('docs/answers.md', answersPage(makeAnswers()));
writeFileSync('docs/live-view.svg', await drawLiveView());
