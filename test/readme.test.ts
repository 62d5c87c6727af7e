import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { loadConfig } from '../src/config/load.ts';
import { knownKeys } from '../src/config/schema.ts';
import { errorCodes } from '../src/lib/errors.ts';
import { controlTools, tools } from '../src/tools/index.ts';
import { runCli, temporaryFolder } from './helpers.ts';

const readme = readFileSync('README.md', 'utf8');
const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  scripts: Record<string, string>;
};

/** The names in code style in the first column of the table under a heading. */
function firstColumn(heading: string): string[] {
  const section = readme.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name as string));
}

interface Example {
  command: string[];
  answer: string;
}

/** The commands that README shows, with the answers under them. */
const examples: Example[] = [...readme.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [line = '', ...answer] = text.trimEnd().split('\n');
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
      return { command: words, answer: answer.join('\n') };
    }),
);

/** The form of an answer: its keys and types, without what differs from run to run. */
function formOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(formOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, formOf(inner)]));
}

describe('README', () => {
  it('has a row for every tool, error code and configuration key, and no others', () => {
    const all = [...tools, ...controlTools].map(({ name }) => name);
    expect(firstColumn('What you can ask').toSorted()).toEqual(all.toSorted());
    expect(firstColumn('Troubleshooting')).toEqual([...errorCodes]);
    expect(firstColumn('Configuration').toSorted()).toEqual([...knownKeys].toSorted());
  });

  it('shows commands that work and answers of the form that they have', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    expect(examples.length).toBeGreaterThan(10);
    for (const { command, answer } of examples) {
      expect(command.slice(0, 2)).toEqual(['npx', 'swf-mcp']);
      const { code, stdout, stderr } = await runCli(command.slice(2), { folder });
      expect({ command, code, stderr: command.includes('--json') ? '' : stderr }).toEqual({
        command,
        code: 0,
        stderr: '',
      });
      if (answer !== '') expect(formOf(JSON.parse(stdout))).toEqual(formOf(JSON.parse(answer)));
    }
    const shown = new Set(examples.map(({ command }) => (command[2] === 'call' ? command[3] : command[2])));
    for (const { name } of tools) expect(shown).toContain(name);
  });

  it('shows configurations that can be used', () => {
    const blocks = [...readme.matchAll(/```toml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    expect(blocks.length).toBeGreaterThan(0);
    for (const text of blocks) {
      const workingFolder = temporaryFolder();
      writeFileSync(join(workingFolder, 'mine.toml'), text);
      writeFileSync(join(workingFolder, 'recon.sh'), '', { mode: 0o755 });
      const { warnings, isOwnNamespace, config } = loadConfig({
        name: './mine.toml',
        workingFolder,
        shippedFolder: resolve('workflows'),
      });
      expect({ warnings, isOwnNamespace }).toEqual({ warnings: [], isOwnNamespace: true });
      expect(config.worker.payload?.[0]).toBe(join(workingFolder, 'recon.sh'));
    }
  });

  it('names scripts that there are, and the version that the changelog ends with', () => {
    for (const [, script = ''] of readme.matchAll(/npm (?:run )?(start|test)/g))
      expect(packageJson.scripts).toHaveProperty(script);
    expect(readFileSync('CHANGELOG.md', 'utf8')).toMatch(new RegExp(`^## ${packageJson.version}`, 'm'));
  });
});

describe('npm start', () => {
  it('makes a run and looks at it through the server', async () => {
    const { spawnSync } = await import('node:child_process');
    const folder = temporaryFolder();
    const { status, stdout } = spawnSync(process.execPath, ['scripts/first-look.js'], {
      env: { ...process.env, SWF_DB: `${folder}/swf.db` },
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/"slices_completed": 45/);
    expect(stdout).toMatch(/"mcpServers"/);
  });
});
