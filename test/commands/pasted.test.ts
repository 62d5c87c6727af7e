import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { storeOption, withStore } from '../../src/commands/shared/io.ts';
import { ask, connectHttp, connectStdio, runCli, startCli, startHttp, temporaryFolder } from '../helpers.ts';

describe('a sentence with commands', () => {
  it.each<[what: string, db: string | undefined, text: string, shown: string]>([
    ['names no store where none was named', undefined, 'run "swf-mcp resume a"', 'run "swf-mcp resume a"'],
    ['names the store that was named', 'my.db', 'run "swf-mcp resume a"', 'run "swf-mcp --db my.db resume a"'],
    [
      'quotes the store for the shell',
      "a b'$&.db",
      '"swf-mcp stop a"',
      String.raw`"swf-mcp --db 'a b'\''$&.db' stop a"`,
    ],
    ['names the store only once', 'my.db', '"swf-mcp --db my.db status"', '"swf-mcp --db my.db status"'],
    ['names no store for a command on another host', 'my.db', '"swf-mcp up" there', '"swf-mcp up" there'],
    ['names no store for a list on another host', 'my.db', '"swf-mcp list" on its host', '"swf-mcp list" on its host'],
    [
      'names the store if the command creates an execution',
      'my.db',
      '"swf-mcp run" creates one',
      '"swf-mcp --db my.db run" creates one',
    ],
    [
      'names the store if the command lists executions',
      'my.db',
      '"swf-mcp list" lists all',
      '"swf-mcp --db my.db list" lists all',
    ],
    [
      'names the store if the command watches for alarms',
      'my.db',
      'No "swf-mcp watch" is running',
      'No "swf-mcp --db my.db watch" is running',
    ],
  ])('%s', (_what, db, text, shown) => {
    expect(withStore(text, storeOption({ db }))).toBe(shown);
  });

  it('in a status or an error text names the store given with --db', async () => {
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
    expect(await read('status')).toContain(`"swf-mcp --db '${db}' resume stf_`);
    expect(await read('call', 'get_workflow_monitor', 'execution_id=latest')).toContain(
      String.raw`\"swf-mcp --db '${db}' resume stf_`,
    );
    expect(await read('pause', 'latest')).toContain(`"swf-mcp --db '${db}' resume stf_`);
    expect(await read('report')).toContain(`"swf-mcp --db '${db}' resume stf_`);
    expect(await read('report', '--since', '-1h')).toContain(`"swf-mcp --db '${db}' resume stf_`);
    const env = { SWF_DB: db };
    const { url, server } = await startHttp({ folder, env });
    for (const client of [await connectStdio({ folder, env }), await connectHttp(url)]) {
      const { findings } = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
      // The hand-over lists what is open.
      expect(JSON.stringify(await ask(client, 'shift_report'))).not.toContain(String.raw`\"swf-mcp resume`);
      expect(JSON.stringify(findings)).toContain(`"swf-mcp --db '${db}' resume stf_`.replaceAll('"', String.raw`\"`));
      await client.close();
    }
    server.kill('SIGTERM');
    await server.finished;
  });
});
