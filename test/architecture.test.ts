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
  it('has one row for each room, and no other rows', () => {
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
    ['an import of the message writer in config/', edge('config/load.ts', 'db/log/message-writer.ts')],
    ['an import of a broker session in tools/', edge('tools/list-agents.ts', 'exchange/session.ts')],
    ['an import of a broker session in agents/', edge('agents/data.ts', 'exchange/session.ts')],
    ['an import of the supervisor in db/', edge('db/queries.ts', 'runtime/supervisor.ts')],
    ['an import of the DAQ simulator process in http/', edge('http/app.ts', 'runtime/daq-process.ts')],
    ['an import of attached executions in domain/', edge('domain/plan.ts', 'runtime/attached-executions.ts')],
    ['an import of the agent process in server.ts', edge('server.ts', 'runtime/agent-process.ts')],
    ['a new file directly in src/', edge('shortcuts.ts', 'tools/index.ts')],
    ['an import of the command line in commands/', edge('commands/run.ts', 'cli.ts')],
    ['a new room without a row', edge('helpers/text.ts', 'lib/errors.ts')],
    ['a value import where only types are allowed', edge('tools/list-agents.ts', 'db/queries.ts')],
    ['a type import where nothing is allowed', edge('config/load.ts', 'db/log/message-writer.ts', true)],
  ])('refuses %s', (_, forbidden) => {
    expect(refusals([forbidden], rooms)).toEqual([expect.stringMatching(/no row|does not allow it/)]);
  });

  it('refuses a package that the room’s row does not name', () => {
    const { edges } = readSource('src/tools/x.ts', "import type { Database } from 'better-sqlite3/lib/database';");
    expect(refusals(edges, rooms)).toEqual([expect.stringContaining('the package better-sqlite3')]);
  });
});

describe('the tables of folders in src/README.md', () => {
  const folders = readFolders(readFileSync('src/README.md', 'utf8'));
  const edges = sources.flatMap((source) => source.edges);

  it('have one row for each folder inside a room, and no other rows', () => {
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

  it('refuse an import from a higher folder, and detect the resulting cycle', () => {
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

  it('form no cycle, not even through type imports', () => {
    const [a, b] = ['a', 'b'].map((name) =>
      readSource(`src/tools/${name}.ts`, `import type { x } from './${name === 'a' ? 'b' : 'a'}.ts';`),
    );
    expect(cyclesOf([a, b].filter((one) => one !== undefined))).toEqual([['src/tools/a.ts', 'src/tools/b.ts']]);
    expect(cyclesOf(sources)).toEqual([]);
  });
});

it('the page never turns text into markup or code', () => {
  const makers = /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/;
  const files = readdirSync('src/web', { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((name) => makers.test(readFileSync(join('src/web', name), 'utf8')))).toEqual([]);
});
