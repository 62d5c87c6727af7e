import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { onPath } from '../../../src/lib/file-system.ts';
import { cliPath, runCliProcess, temporaryFolder } from '../../helpers.ts';

/** Together 800 MB, so they are not among the packages of test/clients. */
const packages = { claude: '@anthropic-ai/claude-code', codex: '@openai/codex' };
const places = `${resolve('test/clients/node_modules/.bin')}:${process.env['PATH']}`;

describe.each(['claude', 'codex'] as const)('swf-mcp add %s', (name) => {
  const program = onPath(name, places);
  if (program === undefined)
    console.log(`${name} is not asked what it reads: npm install --no-save --prefix test/clients ${packages[name]}`);

  it.skipIf(program === undefined)(
    'writes an entry that the client itself can read, and removes it again',
    { timeout: 120_000 },
    async () => {
      const folder = temporaryFolder();
      const env = { HOME: folder, CLAUDE_CONFIG_DIR: '', CODEX_HOME: '', PATH: places };
      const list = (): string =>
        execFileSync(program as string, ['mcp', 'list'], {
          cwd: folder,
          env: { ...process.env, ...env },
          encoding: 'utf8',
        });
      const store = join(folder, 'my swf.db');
      expect(await runCliProcess(['--db', store, 'add', name, '--yes'], { folder, env })).toMatchObject({ code: 0 });
      expect(list()).toMatch(/swf-mcp/);
      expect(list()).toContain(`${cliPath} --db ${store}`);
      // Claude Code also starts the server.
      if (name === 'claude') expect(list()).toMatch(/Connected/);
      expect(await runCliProcess(['add', name, '--remove', '--yes'], { folder, env })).toMatchObject({ code: 0 });
      expect(list()).not.toMatch(/swf-mcp:|swf-mcp {2}/);
    },
  );
});
