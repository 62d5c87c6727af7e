import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { upgradeStore } from '../../../src/db/maintenance/upgrade.ts';
import { temporaryFolder } from '../../helpers.ts';

const versions = readdirSync('test/stores').flatMap((name) => /^(\d+)\.db\.br$/.exec(name)?.slice(1).map(Number) ?? []);
function storeOf(version: number): string {
  const path = join(temporaryFolder(), 'swf.db');
  writeFileSync(path, brotliDecompressSync(readFileSync(`test/stores/${version}.db.br`)), { mode: 0o600 });
  return path;
}
describe('x', () => {
  it.each(versions)('%i', async (version) => {
    const path = storeOf(version);
    const said: string[] = [];
    const t = performance.now();
    const done = await upgradeStore(path, (line) => said.push(line));
    console.log(performance.now() - t, said, done, path);
    writeFileSync(`/tmp/h/u57-new-${version}.db`, readFileSync(path));
  });
});
