import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { parse as parseToml } from '@decimalturn/toml-patch';
import { parse as parseJson } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';

import { cliPath, type Finished, runCli, temporaryFolder } from '../../helpers.ts';

const clients = ['claude', 'cursor', 'vscode', 'codex'] as const;
type Name = (typeof clients)[number];

/** The file of the user, from the home folder, and that of a project. */
const files = {
  claude: ['.claude.json', '.mcp.json'],
  cursor: ['.cursor/mcp.json', '.cursor/mcp.json'],
  vscode: ['.config/Code/User/mcp.json', '.vscode/mcp.json'],
  codex: ['.codex/config.toml', '.codex/config.toml'],
} as const;
const keys = { claude: 'mcpServers', cursor: 'mcpServers', vscode: 'servers', codex: 'mcp_servers' } as const;

/** A file as somebody has it: with another server, settings and comments that stay. */
const usual = {
  claude: `{
  "numStartups": 7,
  "mcpServers": {
    "other": {
      "command": "x"
    }
  },
  "userID": "f3"
}
`,
  cursor: `{
    "mcpServers": {
        "other": {
            "url": "https://example.org/mcp"
        }
    }
}
`,
  vscode: `{
\t// Ours.
\t"inputs": [],
\t"servers": {
\t\t"other": {
\t\t\t"command": "x" // of the group
\t\t}, // the last one
\t},
}
`,
  codex: `# Ours.
model = "m" # this one

[mcp_servers.other]
command = "x"
args = ["a",
  "b"] # both

[profiles.p]
n = 1
`,
} as const;

class Home {
  readonly home = temporaryFolder();
  readonly project = temporaryFolder();
  readonly env = { HOME: this.home, XDG_CONFIG_HOME: '', CLAUDE_CONFIG_DIR: '', CODEX_HOME: '', SWF_DB: '' };

  cli(...args: string[]): Promise<Finished> {
    return runCli(args, { folder: this.project, env: this.env });
  }
  file(name: Name, scope: 'user' | 'project' = 'user'): string {
    return scope === 'user' ? join(this.home, files[name][0]) : join(this.project, files[name][1]);
  }
  put(name: Name, text: string): string {
    mkdirSync(dirname(this.file(name)), { recursive: true });
    writeFileSync(this.file(name), text);
    return this.file(name);
  }
}

const read = (name: Name, file: string) => {
  const text = readFileSync(file, 'utf8');
  return (name === 'codex' ? parseToml(text) : parseJson(text)) as Record<string, Record<string, unknown>>;
};
const entry = (name: Name, ...flags: string[]) => ({
  ...(name === 'codex' ? {} : { type: 'stdio' }),
  command: process.execPath,
  args: [cliPath, ...flags],
});

describe.each(clients)('swf-mcp add %s', (name) => {
  it('prints the file and the entry, and writes nothing without --yes', async () => {
    const here = new Home();
    const { code, stdout } = await here.cli('add', name);
    expect(code).toBe(0);
    expect(stdout).toContain(here.file(name));
    expect(stdout).toContain(JSON.stringify(cliPath));
    expect(stdout).not.toMatch(/remove the swf-mcp entry|in place of/);
    expect(stdout).toMatch(/nothing has been written yet; add --yes to write the file\n$/);
    expect(existsSync(here.file(name))).toBe(false);
  });

  it.each(['user', 'project'] as const)('writes the entry for a %s whose file is missing', async (scope) => {
    const here = new Home();
    expect(await here.cli('add', name, '--scope', scope, '--yes')).toMatchObject({ code: 0 });
    expect(read(name, here.file(name, scope))).toEqual({ [keys[name]]: { 'swf-mcp': entry(name) } });
  });

  it('keeps existing content, including comments, and --remove restores the file byte for byte', async () => {
    const here = new Home();
    const file = here.put(name, usual[name]);
    const before = read(name, file);
    await here.cli('--db', 'a b.db', 'add', name, '--read-only', '--yes');
    const written = entry(name, '--db', join(here.project, 'a b.db'), 'serve', '--read-only');
    expect(read(name, file)).toEqual({ ...before, [keys[name]]: { ...before[keys[name]], 'swf-mcp': written } });
    for (const line of usual[name].split('\n').filter((one) => /\/\/|#/.test(one)))
      expect(readFileSync(file, 'utf8')).toContain(line.trim());
    expect(await here.cli('add', name, '--remove', '--yes')).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8').trimEnd()).toBe(usual[name].trimEnd());
  });

  it('replaces an earlier entry, says so if there is nothing to do, and keeps permissions and links', async () => {
    const here = new Home();
    const file = here.put(name, usual[name]);
    chmodSync(file, 0o644);
    const kept = join(here.home, 'kept');
    writeFileSync(kept, usual[name], { mode: 0o640 });
    await here.cli('--db', '/data/1.db', 'add', name, '--yes');
    await here.cli('--db', '/data/2.db', 'add', name, '--yes');
    expect(read(name, file)[keys[name]]?.['swf-mcp']).toEqual(entry(name, '--db', '/data/2.db'));
    expect(statSync(file).mode & 0o777).toBe(0o644);
    const again = await here.cli('--db', '/data/2.db', 'add', name, '--yes');
    expect(again.stdout).toMatch(/already has this swf-mcp entry; nothing to do\n$/);
    await here.cli('add', name, '--remove', '--yes');
    expect((await here.cli('add', name, '--remove')).stdout).toMatch(/has no swf-mcp entry; nothing to do\n$/);
    const linked = new Home();
    mkdirSync(dirname(linked.file(name)), { recursive: true });
    symlinkSync(kept, linked.file(name));
    await linked.cli('add', name, '--yes');
    expect(lstatSync(linked.file(name)).isSymbolicLink()).toBe(true);
    expect(read(name, kept)[keys[name]]?.['swf-mcp']).toEqual(entry(name));
  });

  it('leaves alone a file that it cannot read or change', async () => {
    const here = new Home();
    const file = here.put(name, name === 'codex' ? 'mcp_servers = { other = { command = "x" } }\n[' : '{ "a": ');
    const before = readFileSync(file, 'utf8');
    const { code, stderr } = await here.cli('add', name, '--yes');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^CONFIG_INVALID: \S*(json|toml) /) });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

describe('swf-mcp add', () => {
  it.each(['null', '[]', '3'])('refuses JSON whose list of servers is %s', async (list) => {
    const here = new Home();
    const text = `{ "mcpServers": ${list} }`;
    const file = here.put('cursor', text);
    const { code, stderr } = await here.cli('add', 'cursor', '--yes');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^CONFIG_INVALID: .*"mcpServers"/) });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  const earlier = {
    command: 'old',
    args: ['--token', 'hunter2'],
    startup_timeout_sec: 30,
    headers: { Authorization: 'Bearer hunter2' },
    env: { SWF_DB: '/old.db', ACTIVEMQ_PASSWORD: 'hunter2' },
  };
  it.each([
    ['cursor', JSON.stringify({ mcpServers: { 'swf-mcp': earlier } })],
    [
      'codex',
      '[mcp_servers.swf-mcp]\ncommand = "old"\nargs = ["--token", "hunter2"]\nstartup_timeout_sec = 30\nheaders = { Authorization = "Bearer hunter2" }\n\n[mcp_servers.swf-mcp.env]\nSWF_DB = "/old.db"\nACTIVEMQ_PASSWORD = "hunter2"\n',
    ],
  ] as const)(
    'keeps user settings in an earlier entry of %s, and names the settings that change, but not their values',
    async (name, text) => {
      const here = new Home();
      const file = here.put(name, text);
      const { stdout } = await here.cli('--db', '/new.db', 'add', name, '--yes');
      const expected = {
        ...entry(name, '--db', '/new.db'),
        startup_timeout_sec: 30,
        headers: { Authorization: 'Bearer hunter2' },
        env: { ACTIVEMQ_PASSWORD: 'hunter2' },
      };
      expect(read(name, file)[keys[name]]?.['swf-mcp']).toEqual(expected);
      expect(stdout).not.toContain('hunter2');
      expect(stdout).toContain(`changes command: ${JSON.stringify(process.execPath)}\n`);
      expect(stdout).toContain('changes args: [');
      expect(stdout).toContain('removes env.SWF_DB\nkeeps startup_timeout_sec, headers, env.ACTIVEMQ_PASSWORD\n');
      expect((await here.cli('--db', '/new.db', 'add', name)).stdout).toMatch(
        /already has this swf-mcp entry; nothing to do\n$/,
      );
    },
  );

  it('keeps only the environment variables of an earlier entry if that entry does not start a server', async () => {
    const here = new Home();
    const remote = { url: 'https://x.org', headers: { Authorization: 'Bearer hunter2' }, env: { A: 'b' } };
    const file = here.put('cursor', JSON.stringify({ mcpServers: { 'swf-mcp': remote } }));
    const { stdout } = await here.cli('add', 'cursor', '--yes');
    expect(read('cursor', file)['mcpServers']?.['swf-mcp']).toEqual({ ...entry('cursor'), env: { A: 'b' } });
    expect(stdout).toContain('adds command: ');
    expect(stdout).toContain('removes url, headers\nkeeps env.A\n');
    expect(stdout).not.toContain('hunter2');
  });

  it.each(['\n', '\r\n'])(
    'keeps the comment before the next table, and the line endings of the file: %j',
    async (eol) => {
      const here = new Home();
      const own = ['[mcp_servers."swf-mcp"]', 'command = "x"', '[mcp_servers.swf-mcp.env]', 'A = "b"'];
      const others = ['# about next', '[profiles.x]', 'n = 1', ''];
      const file = here.put('codex', [...own, ...others].join(eol));
      await here.cli('add', 'codex', '--yes');
      const written = readFileSync(file, 'utf8');
      expect(written.startsWith(others.join(eol))).toBe(true);
      expect(written.replaceAll(eol, '')).not.toMatch(/[\r\n]/);
      await here.cli('add', 'codex', '--remove', '--yes');
      expect(readFileSync(file, 'utf8').trimEnd()).toBe(others.join(eol).trimEnd());
    },
  );

  it('writes the store from $SWF_DB into the entry', async () => {
    const here = new Home();
    here.env.SWF_DB = '/data/swf.db';
    await here.cli('add', 'cursor', '--yes');
    expect(read('cursor', here.file('cursor'))['mcpServers']?.['swf-mcp']).toEqual(
      entry('cursor', '--db', '/data/swf.db'),
    );
  });

  it('uses the client folders that the environment names', async () => {
    const here = new Home();
    const [claude, codex] = [temporaryFolder(), temporaryFolder()];
    Object.assign(here.env, { CLAUDE_CONFIG_DIR: claude, CODEX_HOME: codex, XDG_CONFIG_HOME: here.project });
    for (const name of clients) await here.cli('add', name, '--yes');
    expect(existsSync(join(claude, '.claude.json'))).toBe(true);
    expect(existsSync(join(codex, 'config.toml'))).toBe(true);
    expect(existsSync(join(here.project, 'Code/User/mcp.json'))).toBe(true);
  });

  it('exits with a usage error if the client is unknown', async () => {
    expect(await new Home().cli('add', 'emacs')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Allowed choices are claude, cursor, vscode, codex/),
    });
  });
});
