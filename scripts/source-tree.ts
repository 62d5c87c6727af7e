import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { parseSync, Visitor } from 'oxc-parser';

/**
 * One import: which file imports what from where. A package is given by name, a file by its path from the
 * project's root.
 */
export interface Edge {
  from: string;
  to: string;
  isPackage: boolean;
  /** Whether it imports only types, of which nothing is left when the program runs. */
  isType: boolean;
}

interface SourceFunction {
  file: string;
  name: string;
  /** The line where it begins. */
  line: number;
  lines: number;
}

interface SourceFile {
  path: string;
  lines: number;
  /** The number of lines of more than 110 columns. */
  wideLines: number;
  /** The number of syntax nodes: how much there is to read, independent of line breaks. */
  nodes: number;
  edges: Edge[];
  functions: SourceFunction[];
}

/** Every TypeScript file below a folder, with its imports and functions. */
export function readSources(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => /\.tsx?$/.test(path))
    .toSorted()
    .map((path) => readSource(path, readFileSync(path, 'utf8')));
}

export function readSource(path: string, text: string): SourceFile {
  const { module, program, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const edges: Edge[] = [];
  const add = (specifier: string, isType: boolean): void => {
    // Lint restricts Node's modules, room by room.
    if (specifier.startsWith('node:')) return;
    const isPackage = !specifier.startsWith('.');
    edges.push({ from: path, to: isPackage ? packageOf(specifier) : fileOf(path, specifier), isPackage, isType });
  };
  for (const { moduleRequest, entries } of module.staticImports)
    add(moduleRequest.value, entries.length > 0 && entries.every(({ isType }) => isType));
  for (const { entries } of module.staticExports)
    for (const { moduleRequest, isType } of entries) if (moduleRequest !== null) add(moduleRequest.value, isType);
  for (const { moduleRequest } of module.dynamicImports)
    add(text.slice(moduleRequest.start + 1, moduleRequest.end - 1), false);
  const functions: SourceFunction[] = [];
  const measure = (node: { start: number; end: number }, name: string): void => {
    const line = text.slice(0, node.start).split('\n').length;
    functions.push({ file: path, name, line, lines: text.slice(node.start, node.end).split('\n').length });
  };
  new Visitor({
    TSImportType: ({ source }) => add(source.value, true),
    FunctionDeclaration: (node) => measure(node, node.id?.name ?? 'function'),
    FunctionExpression: (node) => measure(node, node.id?.name ?? 'method'),
    ArrowFunctionExpression: (node) => measure(node, 'arrow function'),
  }).visit(program);
  const lines = text.trimEnd().split('\n');
  const wideLines = lines.filter(({ length }) => length > 110).length;
  return { path, lines: lines.length, wideLines, nodes: nodesOf(program), edges, functions };
}

/** The number of syntax nodes in a part of a tree. */
function nodesOf(part: unknown): number {
  if (typeof part !== 'object' || part === null) return 0;
  const own = 'type' in part && typeof part.type === 'string' ? 1 : 0;
  return Object.values(part).reduce((sum: number, child: unknown) => sum + nodesOf(child), own);
}

const fileOf = (from: string, specifier: string): string => normalize(join(dirname(from), specifier));

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** The room of a file below `src/`: its folder, or the file itself if it is in none. */
export const roomOf = (path: string): string => path.split('/')[1] ?? path;

/**
 * The folder of a file within its room, such as `db/lists`; `db/*` for files directly in the room. A room
 * without folders has none.
 */
export const folderOf = (path: string): string => {
  const [, room = '', folder = '', file] = path.split('/');
  return `${room}/${file === undefined ? '*' : folder}`;
};

/** The tables of folders in `src/README.md`: the folders of its room that each may import. */
export const readFolders = (markdown: string): Map<string, ReadonlySet<string>> =>
  new Map(
    markdown
      .split('\n')
      .map((line) => /^\| `([\w-]+\/(?:\*|[\w-]+))` +\| (.*?) *\| .*\|$/.exec(line))
      .filter((match) => match !== null)
      .map(([, folder = '', allowed = '']) => [
        folder,
        new Set([...allowed.matchAll(/`([\w*-]+)`/g)].map(([, name = '']) => `${folder.split('/')[0]}/${name}`)),
      ]),
  );

/** Imports from one folder of a room into another, including type imports. */
const folderEdges = (edges: readonly Edge[]): Edge[] =>
  edges.filter(
    ({ from, to, isPackage }) =>
      !isPackage && to.startsWith('src/') && roomOf(from) === roomOf(to) && folderOf(from) !== folderOf(to),
  );

/** The imports between folders that the tables do not allow, one sentence each. */
export const folderRefusals = (edges: readonly Edge[], folders: ReadonlyMap<string, ReadonlySet<string>>): string[] =>
  folderEdges(edges)
    .filter(({ from, to }) => folders.get(folderOf(from))?.has(folderOf(to)) !== true)
    .map(({ from, to }) => `${from} imports ${to}: the row \`${folderOf(from)}\` of src/README.md does not allow it`);

/** Circles of folders that import each other, including type imports, whatever the tables say. */
export function folderRings(edges: readonly Edge[]): string[][] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of folderEdges(edges))
    next.set(folderOf(from), (next.get(folderOf(from)) ?? new Set()).add(folderOf(to)));
  return ringsOf(new Map([...next].map(([folder, others]) => [folder, [...others]])));
}

/** A row of the table in `docs/architecture.md`. */
interface Room {
  name: string;
  rooms: ReadonlyMap<string, 'values' | 'types'>;
  /** Every room except these. */
  allBut?: ReadonlySet<string>;
  packages: ReadonlySet<string>;
}

/** The table of rooms. Throws an `Error` if the page has no such table. */
export function readRooms(markdown: string): Map<string, Room> {
  const rows = markdown
    .split('\n')
    .map((line) => /^\| `([\w.-]+)` +\| (.*?) *\| (.*?) *\|$/.exec(line))
    .filter((match) => match !== null);
  if (rows.length === 0) throw new Error('there is no table of rooms');
  return new Map(
    rows.map(([, name = '', rooms = '', packages = '']) => {
      const named = [...rooms.matchAll(/`([\w.]+)`( \(types\))?/g)];
      const isAllBut = rooms.startsWith('every room but');
      return [
        name,
        {
          name,
          rooms: new Map(
            isAllBut ? [] : named.map(([, room = '', types]) => [room, types === undefined ? 'values' : 'types']),
          ),
          ...(isAllBut ? { allBut: new Set(named.map(([, room = '']) => room)) } : {}),
          packages: new Set([...packages.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one)),
        },
      ];
    }),
  );
}

/** The imports that the table does not allow, one sentence each, with the row that would have to change. */
export function refusals(edges: readonly Edge[], rooms: ReadonlyMap<string, Room>): string[] {
  return edges.flatMap(({ from, to, isPackage, isType }) => {
    const home = roomOf(from);
    const row = rooms.get(home);
    if (row === undefined) return [`${from}: the room \`${home}\` has no row in docs/architecture.md`];
    const target = isPackage ? to : roomOf(to);
    if (!isPackage && target === home) return [];
    // The version is the only thing of ours outside src/.
    if (to === 'package.json' && home === 'cli.ts') return [];
    const allowed = isPackage ? row.packages.has(target) || isTypesOf(target, isType) : mayImport(row, target, isType);
    if (allowed) return [];
    const what = `${isType ? 'types of ' : ''}${isPackage ? 'the package ' : ''}${target}`;
    return [`${from} imports ${what} (${to}): the row \`${home}\` of docs/architecture.md does not allow it`];
  });
}

/** Type declarations for a package that does not include its own. */
const isTypesOf = (name: string, isType: boolean): boolean => isType && name.startsWith('@types/');

function mayImport({ rooms, allBut }: Room, target: string, isType: boolean): boolean {
  if (allBut !== undefined) return !allBut.has(target);
  const allowed = rooms.get(target);
  return allowed === 'values' || (allowed === 'types' && isType);
}

/** Circles of files that import each other, including type imports; each as a list of its files. */
export function cyclesOf(sources: readonly SourceFile[]): string[][] {
  return ringsOf(new Map(sources.map(({ path, edges }) => [path, edges.map(({ to }) => to)])));
}

function ringsOf(next: ReadonlyMap<string, readonly string[]>): string[][] {
  const state = new Map<string, 'open' | 'done'>();
  const found: string[][] = [];
  const walk = (path: string, trail: string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      found.push(trail.slice(trail.indexOf(path)));
      return;
    }
    state.set(path, 'open');
    for (const to of next.get(path) ?? []) if (next.has(to)) walk(to, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of next.keys()) walk(path, []);
  return found;
}
