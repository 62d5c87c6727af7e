import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  cyclesOf,
  type Edge,
  folderOf,
  folderRefusals,
  folderRings,
  readFolders,
  readRooms,
  readSource,
  readSources,
  refusals,
  roomOf,
} from '../scripts/source-tree.ts';

const rooms = readRooms(readFileSync('docs/architecture.md', 'utf8'));
const sources = readSources('src');

const edge = (from: string, to: string, isType = false): Edge => ({
  from: `src/${from}`,
  to: `src/${to}`,
  isPackage: false,
  isType,
});

describe('the table of rooms in docs/architecture.md', () => {
  it('has a row for each room, and no others', () => {
    const inUse = new Set(sources.map(({ path }) => path.split('/')[1] ?? ''));
    expect([...rooms.keys()].toSorted()).toEqual([...inUse].toSorted());
  });

  it('allows every existing import', () => {
    expect(
      refusals(
        sources.flatMap(({ edges }) => edges),
        rooms,
      ),
    ).toEqual([]);
  });

  it.each([
    ['a configuration that records', edge('config/load.ts', 'db/log/message-writer.ts')],
    ['a tool that sends', edge('tools/list-agents.ts', 'exchange/session.ts')],
    ['an agent with a broker session', edge('agents/data.ts', 'exchange/session.ts')],
    ['a store that supervises', edge('db/queries.ts', 'runtime/supervisor.ts')],
    ['an HTTP route that starts a DAQ simulator', edge('http/app.ts', 'runtime/daq-process.ts')],
    ['a rule that knows who works', edge('domain/plan.ts', 'runtime/attached-executions.ts')],
    ['a server that starts agents', edge('server.ts', 'runtime/agent-process.ts')],
    ['a new file loose in src/', edge('shortcuts.ts', 'tools/index.ts')],
    ['a command that knows the command line', edge('commands/run.ts', 'cli.ts')],
    ['a new room without a row', edge('helpers/text.ts', 'lib/errors.ts')],
    ['a value where only types are allowed', edge('tools/list-agents.ts', 'db/queries.ts')],
    ['a type import where nothing is allowed', edge('config/load.ts', 'db/log/message-writer.ts', true)],
  ])('refuses %s', (_, forbidden) => {
    expect(refusals([forbidden], rooms)).toEqual([expect.stringMatching(/no row|does not allow it/)]);
  });

  it('refuses a package that it does not allow', () => {
    const { edges } = readSource('src/tools/x.ts', "import type { Database } from 'better-sqlite3/lib/database';");
    expect(refusals(edges, rooms)).toEqual([expect.stringContaining('the package better-sqlite3')]);
  });
});

describe('the tables of folders in src/README.md', () => {
  const folders = readFolders(readFileSync('src/README.md', 'utf8'));
  const edges = sources.flatMap((source) => source.edges);

  it('have a row for each folder of a room with folders, and no others', () => {
    const withFolders = new Set(
      sources.filter(({ path }) => path.split('/').length > 3).map(({ path }) => roomOf(path)),
    );
    const inUse = new Set(
      sources.filter(({ path }) => withFolders.has(roomOf(path))).map(({ path }) => folderOf(path)),
    );
    expect([...folders.keys()].toSorted()).toEqual([...inUse].toSorted());
  });

  it('allow every existing import', () => {
    expect(folderRefusals(edges, folders)).toEqual([]);
  });

  it('refuse an import of a higher folder, and the rings that it makes are found', () => {
    const up = edge('db/sqlite/connection.ts', 'db/lists/list-query.ts');
    expect(folderRefusals([up], folders)).toEqual([expect.stringContaining('`db/sqlite`')]);
    expect(folderRings([...edges, up]).length).toBeGreaterThan(0);
    expect(folderRings(edges)).toEqual([]);
  });
});

describe('imports', () => {
  it.each([
    ["import { a } from './b.ts';", false],
    ["import type { a } from './b.ts';", true],
    ["import { type a } from './b.ts';", true],
    ["import { type a, b } from './b.ts';", false],
    ["import './b.ts';", false],
    ["export * from './b.ts';", false],
    ["export type { a } from './b.ts';", true],
    ["const b = await import('./b.ts');", false],
    ["type A = import('./b.ts').A;", true],
  ])('are found in %s', (text, isType) => {
    expect(readSource('src/tools/a.ts', text).edges).toEqual([
      { from: 'src/tools/a.ts', to: 'src/tools/b.ts', isPackage: false, isType },
    ]);
  });

  it('form no cycle, even of types', () => {
    const [a, b] = ['a', 'b'].map((name) =>
      readSource(`src/tools/${name}.ts`, `import type { x } from './${name === 'a' ? 'b' : 'a'}.ts';`),
    );
    expect(cyclesOf([a, b].filter((one) => one !== undefined))).toEqual([['src/tools/a.ts', 'src/tools/b.ts']]);
    expect(cyclesOf(sources)).toEqual([]);
  });
});

it('the page makes no markup and no code from text', () => {
  const makers = /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/;
  const files = readdirSync('src/web', { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((name) => makers.test(readFileSync(join('src/web', name), 'utf8')))).toEqual([]);
});
