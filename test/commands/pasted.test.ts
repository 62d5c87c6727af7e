import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { withStore } from '../../src/commands/shared/io.ts';
import { runCli, startCli, temporaryFolder } from '../helpers.ts';

describe('the commands in a text', () => {
  it.each<[what: string, db: string | undefined, text: string, shown: string]>([
    ['name no store where none was named', undefined, 'run "swf-mcp resume a"', 'run "swf-mcp resume a"'],
    ['name the store that was named', 'my.db', 'run "swf-mcp resume a"', 'run "swf-mcp --db my.db resume a"'],
    ['quote it for the shell', "a b'$&.db", '"swf-mcp up"', String.raw`"swf-mcp --db 'a b'\''$&.db' up"`],
    [
      'name it once',
      'my.db',
      '"swf-mcp --db my.db up" or "swf-mcp list"',
      '"swf-mcp --db my.db up" or "swf-mcp --db my.db list"',
    ],
    ['are not the name of the program', 'my.db', 'swf-mcp records', 'swf-mcp records'],
  ])('%s', (_what, db, text, shown) => {
    expect(withStore(text, { db })).toBe(shown);
  });

  it('of status, report and errors name the store of --db', async () => {
    const folder = temporaryFolder();
    const db = join(folder, 'a store.db');
    const run = startCli(['--db', db, 'run', '--speed', '1'], { folder });
    await run.saw(/execution stf_/);
    run.child.kill('SIGKILL');
    await run.finished;
    const read = async (...words: string[]) => {
      const { stdout, stderr } = await runCli(['--db', db, ...words], { folder });
      return stdout + stderr;
    };
    expect(await read('status', 'no-such-run')).not.toMatch(/"swf-mcp (?!--db)/);
    for (const text of [await read('status'), await read('report')]) {
      expect(text).toContain(`"swf-mcp --db '${db}' resume stf_`.trimEnd());
      expect(text).not.toMatch(/"swf-mcp (?!--db)/);
    }
  });
});
