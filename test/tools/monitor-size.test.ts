import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, it } from 'vitest';

import { temporaryFolder } from '../folder.ts';
import { ask, connectInProcess, runCli } from '../helpers.ts';
import { type HistoryRow, replay } from '../histories/log-file.ts';

/** A store for each recorded log, of own and observed runs. */
async function recordedStores(): Promise<string[]> {
  const own = readdirSync('test/histories').filter((name) => name.endsWith('.log.jsonl'));
  const replayed = own.map(async (name) => {
    const path = join(temporaryFolder(), 'swf.db');
    const lines = readFileSync(join('test/histories', name), 'utf8').trimEnd().split('\n');
    await replay(
      lines.map((line) => JSON.parse(line) as HistoryRow),
      path,
    );
    return path;
  });
  const heard = ['F-1', 'F-2', 'H-1', 'H-2'].map(async (name) => {
    const folder = temporaryFolder();
    await runCli(['observe', '--from', resolve('test/recordings', name, 'bus.jsonl.gz')], { folder });
    return join(folder, 'swf.db');
  });
  return Promise.all([...replayed, ...heard]);
}

it('a monitor answer takes at most 1,200 tokens for half of the recorded runs, and 2,000 for any', async () => {
  const sizes: number[] = [];
  for (const path of await recordedStores()) {
    const answer = await ask(await connectInProcess(path), 'get_workflow_monitor', { execution_id: 'latest' });
    sizes.push(encode(JSON.stringify(answer)).length);
  }
  const inOrder = sizes.toSorted((a, b) => a - b);
  expect(inOrder[Math.floor(inOrder.length / 2)]).toBeLessThanOrEqual(1200);
  expect(inOrder.at(-1)).toBeLessThanOrEqual(2000);
});
