import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { keysTable } from '../scripts/docs/keys-table.ts';
import { messageTables, telemetryTables } from '../scripts/docs/messages.ts';
import { loadConfig } from '../src/config/load.ts';
import { summaryKeys } from '../src/domain/summary-words.ts';
import { sliceHeaders, wireHeaders } from '../src/exchange/wire.ts';
import { errorCodes } from '../src/lib/errors.ts';
import { prompts } from '../src/mcp/prompts.ts';
import { findingRules } from '../src/monitoring/findings/index.ts';
import { everyTool } from '../src/tools/index.ts';
import { cliPath, runCli, temporaryFolder } from './helpers.ts';
import { isMissing } from './programs.ts';

const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  scripts: Record<string, string>;
};

/** Every page that people read. */
const pages: readonly string[] = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...['docs', 'docs/decisions', 'examples', 'src', 'src/web'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
];

const read = (page: string): string => readFileSync(page, 'utf8');

/** The names in code style in the first column of the tables of a page, or of one of its sections. */
function firstColumn(page: string, heading?: string): string[] {
  const sections = read(page).split(/^## /m);
  const text =
    heading === undefined ? sections.join('\n') : (sections.find((section) => section.startsWith(heading)) ?? '');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name as string));
}

const blocksOf = (page: string, language: string): string[] =>
  [...read(page).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, block = '']) => block);

/** The headings of a page, as GitHub's links name them. */
const headingsOf = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );

/** The commands that a page shows in its console blocks, as words. */
const commandsOf = (page: string): string[][] =>
  blocksOf(page, 'console')
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith('$ '))
    .map((line) =>
      [
        ...line
          .slice(2)
          .replace(/ +# .*$/, '')
          .matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g),
      ].map(([, single, double, plain]) => single ?? double ?? plain ?? ''),
    );

describe('the pages', () => {
  it.each(pages)('show commands that work: %s', async (page) => {
    const folder = temporaryFolder();
    for (const command of commandsOf(page)) {
      expect(command.slice(0, 2)).toEqual(['npx', 'swf-mcp']);
      const { code, stderr } = await runCli(command.slice(2), { folder });
      const isQuiet = !command.includes('--json');
      expect({ command, code, stderr: isQuiet ? stderr : '' }).toEqual({ command, code: 0, stderr: '' });
    }
  });

  it.each(pages)('have no broken links: %s', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const isBroken = (link: string): boolean => {
      const [path = '', heading] = link.split('#');
      const file = path === '' ? page : resolve(dirname(page), path);
      return !existsSync(file) || (heading !== undefined && !headingsOf(file).includes(heading));
    };
    expect(links.filter((link) => !/^[a-z]+:/.test(link) && isBroken(link))).toEqual([]);
  });

  it.each(pages)('show valid configurations: %s', (page) => {
    for (const text of blocksOf(page, 'toml')) {
      const workingFolder = temporaryFolder();
      writeFileSync(join(workingFolder, 'mine.toml'), text);
      writeFileSync(join(workingFolder, 'recon.sh'), '', { mode: 0o755 });
      const { warnings, isOwnNamespace } = loadConfig({
        name: './mine.toml',
        workingFolder,
        shippedFolder: resolve('workflows'),
      });
      expect({ warnings, isOwnNamespace }).toEqual({ warnings: [], isOwnNamespace: true });
    }
  });

  it.each(pages)('show valid JSON: %s', (page) => {
    for (const text of blocksOf(page, 'json')) expect(() => JSON.parse(text) as unknown).not.toThrow();
  });

  it('name only existing scripts, and the changelog has the current version', () => {
    for (const page of pages)
      for (const [, script = ''] of read(page).matchAll(
        /npm (?:run )?(start|test|[a-z]+:[a-z-]+|docs|house|faults|bench|histories)\b/g,
      ))
        expect(packageJson.scripts).toHaveProperty([script]);
    expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## ${packageJson.version}`, 'm'));
  });
});

describe('the guarantees', () => {
  it('all name an existing test', () => {
    const rows = read('docs/guarantees.md')
      .split('\n')
      .filter((line) => /^\| (?!event|---)/.test(line));
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      const [, file = '', , title] = /\| `(test\/[\w/.-]+(?:\.test|-suite)\.ts)`(: “(.+?)”)? *\|$/.exec(row) ?? [];
      expect({ row, file, isThere: existsSync(file) }).toEqual({ row, file, isThere: true });
      if (title !== undefined) expect(read(file).replaceAll(String.raw`\'`, "'")).toContain(title);
    }
  });
});

describe('the README', () => {
  it('has a link to every page of docs/', () => {
    const text = read('README.md');
    for (const page of readdirSync('docs').filter((name) => name.endsWith('.md')))
      expect(text).toContain(`docs/${page}`);
  });

  it('is at most 100 lines long, and names tools that exist', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(101);
    const all = everyTool.map(({ name }): string => name);
    const named = firstColumn('README.md', 'Ask your assistant');
    expect(named).toHaveLength(5);
    expect(named.filter((name) => !all.includes(name))).toEqual([]);
  });
});

describe('the lists in docs/', () => {
  it('name every tool and no others, and say which tools take as_of', () => {
    const all = everyTool.map(({ name }) => name);
    expect(firstColumn('docs/asking.md', 'All tools').toSorted()).toEqual(all.toSorted());
    const withMoment = [...read('docs/asking.md').matchAll(/^\| `(\w+)` .*\| yes +\|$/gm)].map(([, name]) => name);
    expect(withMoment.toSorted()).toEqual(
      everyTool.flatMap(({ name, takesMoment }) => (takesMoment === true ? [name] : [])).toSorted(),
    );
  });

  it('name every prompt and its arguments', () => {
    expect(firstColumn('docs/assistants.md', 'Prompts')).toEqual(prompts.map(({ name }) => name));
    const rows = read('docs/assistants.md').split('\n');
    for (const prompt of prompts) {
      const row = rows.find((line) => line.startsWith(`| \`${prompt.name}\``)) ?? '';
      const missing = prompt.arguments.filter(({ name }) => !row.includes(`\`${name}\``));
      expect({ prompt: prompt.name, missing }).toEqual({ prompt: prompt.name, missing: [] });
    }
  });

  it('name only existing codes on the troubleshooting page', () => {
    const codes = new Set<string>([...errorCodes, ...findingRules.map(({ code }) => code), 'NO_PAYLOAD']);
    const named = [...read('docs/troubleshooting.md').matchAll(/`([A-Z]+_[A-Z_]+)`/g)].map(
      ([, code]) => code as string,
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((code) => !codes.has(code) && !code.startsWith('SWF_'))).toEqual([]);
  });

  it('name every error code, finding and command, and no others, and every store table', () => {
    expect(firstColumn('docs/errors.md')).toEqual([...errorCodes]);
    const codesWithout = (part: string) => findingRules.filter(({ needs }) => needs !== part).map(({ code }) => code);
    expect(firstColumn('docs/monitor.md', 'Findings')).toEqual(codesWithout('heard'));
    expect(firstColumn('docs/monitor.md', 'Findings of observed executions')).toEqual(codesWithout('driving'));
    const help = spawnSync(process.execPath, [cliPath, '--help'], { encoding: 'utf8' }).stdout;
    const commands = [...help.matchAll(/^ {2}([a-z][a-z-]*)(?: \[options\]| [[<]|\s{2})/gm)].map(
      ([, name]) => name as string,
    );
    const shown = firstColumn('docs/command-line.md').flatMap(
      (text) => /^swf-mcp ([a-z][a-z-]*)/.exec(text)?.[1] ?? [],
    );
    expect(shown.toSorted()).toEqual(commands.filter((name) => name !== 'help').toSorted());
    const schema = readFileSync('test/golden/schema.sql', 'utf8');
    const tables = [...schema.matchAll(/^CREATE (?:VIRTUAL )?TABLE (\w+)/gm)]
      .map(([, name]) => name as string)
      .filter((name) => !/_words_|'/.test(name));
    const told = read('docs/store.md');
    expect(tables.filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
  });

  it('name every key by which rows can be summarized', () => {
    const rows = read('docs/asking.md')
      .split('\n')
      .filter((line) => line.startsWith('| `') && line.includes('`hour`'));
    const named = rows.map((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    expect(named).toEqual(Object.entries(summaryKeys).map(([what, keys]) => [what, ...keys]));
  });

  // The formatter may pad the cells.
  const plain = (text: string): string => text.replaceAll(/ {2,}/g, ' ').replaceAll(/-{3,}/g, '---');

  it('describe every configuration key as the schema does', () => {
    expect(plain(read('docs/configuration.md'))).toContain(plain(keysTable()));
  });

  it('describe every message as the vocabulary does, and every sent header', () => {
    const page = read('docs/messages.md');
    expect(plain(page)).toContain(plain(messageTables()));
    expect(plain(page)).toContain(plain(telemetryTables()));
    const facts = { message_id: 'm', namespace: 'n', run_id: '1', execution_id: 'e', store_id: 's' };
    const headers = { ...wireHeaders({ ...facts, message_type: 'slice' }), ...sliceHeaders({ tf_filename: 'f' }) };
    expect(Object.keys(headers).filter((name) => !page.includes(`| \`${name}\` `))).toEqual([]);
  });

  it.each([
    ['How `slices_per_sample` travels', 12],
    ['How a `slice_result` travels', 9],
  ])('name, under "%s", at most %i files, all of which exist', (heading, most) => {
    const section =
      read('docs/architecture.md')
        .split(/^## /m)
        .find((text) => text.startsWith(heading)) ?? '';
    const files = [...section.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file]) => file as string);
    expect(files.length).toBeGreaterThan(4);
    expect(files.length).toBeLessThanOrEqual(most);
    expect(files.filter((file) => !existsSync(join('src', file)))).toEqual([]);
  });

  it('name only existing files of src/', () => {
    for (const page of ['docs/architecture.md', 'docs/store.md', 'CONTRIBUTING.md']) {
      const named = [...read(page).matchAll(/`((?:src\/)?[a-z]+(?:\/[a-z0-9-]+)+\.ts)`/g)].map(
        ([, file]) => file as string,
      );
      const missing = named.filter((file) => !existsSync(file) && !existsSync(join('src', file)));
      expect({ page, missing }).toEqual({ page, missing: [] });
    }
  });
});

describe('the examples', () => {
  it.skipIf(isMissing('python3'))('include a payload in Python that runs on every slice', async () => {
    const folder = temporaryFolder();
    cpSync('examples', join(folder, 'examples'), { recursive: true });
    const file = './examples/payload-python/payload.toml';
    const run = await runCli(['run', file, '--stf-count', '2', '--speed', 'max', '--json'], { folder });
    expect(JSON.parse(run.stdout)).toMatchObject({ slices_completed: 30, slices_failed: 0 });
    const { stdout } = await runCli(['call', 'list_tf_slices', '{"execution_id":"latest","limit":1}'], { folder });
    expect(JSON.parse(stdout)).toMatchObject({ items: [{ outputs: [{ name: 'result.json' }] }] });
  });

  it('include a script that calls the tools through the MCP SDK', async () => {
    const folder = temporaryFolder();
    await runCli(['run', '--stf-count', '1', '--speed', 'max'], { folder });
    const { status, stdout } = spawnSync(process.execPath, ['examples/script-with-the-sdk/ask.js'], {
      env: { ...process.env, SWF_DB: join(folder, 'swf.db') },
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: 'stf_datataking-tester-0001: completed, finished, 100 % of the run\n',
    });
  });
});

describe('npm start', () => {
  it('performs a run, reads it through the server, and prints commands that work', async () => {
    const folder = temporaryFolder();
    const { status, stdout } = spawnSync(process.execPath, ['scripts/first-look.js'], {
      env: { ...process.env, SWF_DB: `${folder}/swf.db` },
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /get_workflow_monitor says: stf_\S+ is completed, 45 of 45 TF slices are done, and nothing is wrong\./,
    );
    expect(stdout.split('\n').length).toBeLessThan(60);
    expect(stdout).toMatch(/"mcpServers"/);
    const printed = [...stdout.matchAll(/^ {2}npx swf-mcp (.*)$/gm)].map(([, words = '']) => words.split(' '));
    expect(printed).toEqual([
      ['add', 'claude', '--db', `${folder}/swf.db`, '--yes'],
      ['status'],
      ['open'],
      ['run', '--speed', '20'],
    ]);
    // Without `--yes` nothing is written. `open` serves until it is interrupted; it has its own tests.
    for (const words of [printed[0]?.slice(0, -1) ?? [], printed[1] ?? [], [...(printed[3] ?? []), '--stf-count', '1']])
      expect(await runCli(words, { folder })).toMatchObject({ code: 0, stderr: '' });
  });
});
