import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { temporaryFolder } from '../folder.ts';
import { type HistoryRow, replay } from './log-file.ts';
import { outcomeOf } from './outcome.ts';

const folder = resolve('test/histories');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.log.jsonl'))
  .map((name) => name.replace(/\.log\.jsonl$/, ''));

describe('the recorded log of a real execution', () => {
  it('exists for at least five kinds of run', () => {
    expect(names.length).toBeGreaterThanOrEqual(5);
  });

  it.each(names)('of %s still leads to the same counts, states, files, attempts, audit and findings', async (name) => {
    const lines = readFileSync(join(folder, `${name}.log.jsonl`), 'utf8')
      .trimEnd()
      .split('\n');
    const path = join(temporaryFolder(), 'again.db');
    await replay(
      lines.map((line) => JSON.parse(line) as HistoryRow),
      path,
    );
    expect(outcomeOf(path)).toEqual(JSON.parse(readFileSync(join(folder, `${name}.expected.json`), 'utf8')));
  });
});
