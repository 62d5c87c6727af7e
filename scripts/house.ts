import { readFileSync } from 'node:fs';

import { cyclesOf, folderRefusals, folderRings, readFolders, readRooms, readSources, refusals } from './source-tree.ts';

/** Prints sizes and counts of the source code. Fails if one exceeds its limit. */
const maxFileLines = 250;
const maxFunctionLines = 60;
const maxFiles = 600;
const maxNodes = 378_000;
const maxNodesPerLine = 6.3;
const maxWideLines = 3000;

/** The table of commands is one long function. */
const longTables = new Set(['createProgram']);

const sources = readSources('src');
const edges = sources.flatMap((source) => source.edges);
const sumOf = (figure: 'lines' | 'nodes' | 'wideLines'): number =>
  sources.reduce((sum, source) => sum + source[figure], 0);
const allLines = sumOf('lines');
const nodes = sumOf('nodes');
const loose = sources.map(({ path }) => path).filter((path) => /^src\/[^/]+$/.test(path));
const longFiles = sources.filter(({ lines }) => lines > maxFileLines);
const functions = sources.flatMap((source) => source.functions);
const longFunctions = functions.filter(({ name, lines }) => lines > maxFunctionLines && !longTables.has(name));
const cycles = cyclesOf(sources);
const refused = [
  ...refusals(edges, readRooms(readFileSync('docs/architecture.md', 'utf8'))),
  ...folderRefusals(edges, readFolders(readFileSync('src/README.md', 'utf8'))),
];
const rings = folderRings(edges);

const figures: [what: string, found: number, most: number, which: string[]][] = [
  ['files', sources.length, maxFiles, []],
  ['nodes of syntax', nodes, maxNodes, []],
  ['nodes per line', Number((nodes / allLines).toFixed(2)), maxNodesPerLine, []],
  ['lines over 110 columns', sumOf('wideLines'), maxWideLines, []],
  ['files loose in src/', loose.length, 2, loose],
  [`files over ${maxFileLines} lines`, longFiles.length, 0, longFiles.map(({ path, lines }) => `${path} ${lines}`)],
  [
    `functions over ${maxFunctionLines} lines`,
    longFunctions.length,
    0,
    longFunctions.map(({ file, line, name, lines }) => `${file}:${line} ${name} ${lines}`),
  ],
  ['rings of imports, types included', cycles.length, 0, cycles.map((cycle) => cycle.join(' → '))],
  ['rings of folders', rings.length, 0, rings.map((ring) => ring.join(' → '))],
  ['imports that docs/architecture.md and src/README.md do not allow', refused.length, 0, refused],
];

console.log(`${allLines} lines, ${functions.length} functions`);
let isFine = true;
for (const [what, found, most, which] of figures) {
  const fits = found <= most;
  isFine &&= fits;
  console.log(`${fits ? 'ok  ' : 'FAIL'}  ${what}: ${found} (at most ${most})`);
  if (!fits) for (const one of which) console.log(`      ${one}`);
}
process.exitCode = isFine ? 0 : 1;
