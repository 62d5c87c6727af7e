// Bundles the command line into dist/, and puts the licences of the bundled packages beside it. With
// --fresh, removes everything from earlier builds.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { build } from 'esbuild';

/**
 * Servers run from here for days and load parts late, so the parts of earlier builds are kept for a day, in
 * milliseconds.
 */
const kept = 24 * 3_600_000;

if (process.argv.includes('--fresh')) rmSync('dist', { recursive: true, force: true });
mkdirSync('dist', { recursive: true });
const made = `dist/making-${process.pid}`;
rmSync(made, { recursive: true, force: true });
mkdirSync(made);

/** The files of the previous build. They are kept for a day from now. */
const before = existsSync('dist/build.json') ? JSON.parse(readFileSync('dist/build.json', 'utf8')).files : [];
for (const path of before) if (existsSync(path)) touch(path);

const common = {
  outdir: made,
  bundle: true,
  // Chunks, so that each command loads only what it needs.
  splitting: true,
  chunkNames: 'chunk-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // A starting server reads half the text. Names are kept, for people who read a stack trace.
  minifyWhitespace: true,
  minifySyntax: true,
  // Its binary is compiled on the machine where it is installed.
  external: ['better-sqlite3'],
  // The SDKs use ajv to check what a server requests from its client, which our server never does. It would
  // be a fifth of the loaded code.
  alias: {
    ajv: './scripts/nothing.js',
    'ajv-formats': './scripts/nothing.js',
    '@modelcontextprotocol/server/_shims': './scripts/shims.js',
    // Its CommonJS code loads its parts in a way that cannot be bundled.
    'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
  },
  // Bundled CommonJS packages load Node's own modules by `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
};

/**
 * Builds the process, the server, the other commands and rarely called code separately. Built together, the
 * server would load at its start a dozen small chunks that it shares with some command.
 * @param folder the folder of the parts, as the importer sees it
 */
const apart = (folder) => ({
  name: 'apart',
  setup({ onResolve }) {
    onResolve(
      {
        filter:
          /\/(serve|command-line|status|call|tool-services|write-logbook|ask-process|hosted-page|create-tables)\.ts$/,
      },
      ({ kind, path }) =>
        kind === 'dynamic-import' ? { path: `./${folder}${basename(path, '.ts')}.js`, external: true } : undefined,
    );
  },
});

/**
 * Commands below src/commands that are loaded together. A separate entry for each would split their common
 * code into more chunks, each of which makes a start half a millisecond longer.
 */
const groups = {
  services: [
    'services/agent',
    'services/up',
    'services/unit',
    'services/ready',
    'services/request',
    'services/watch',
    'serve/serve-files',
    'serve/open',
  ],
  drive: ['drive/run', 'drive/control', 'shared/start-process'],
  upkeep: [
    'upkeep/check',
    'upkeep/strict',
    'upkeep/backup',
    'upkeep/prune',
    'upkeep/upgrade',
    'export/export-command',
    'doctor/doctor',
  ],
  observe: ['observe/observe', 'observe/read-monitor', 'observe/check', 'observe/contract', 'observe/recordings'],
  reports: ['ask/report', 'ask/plan', 'ask/config', 'ask/ask-tool', 'logbook/logbook'],
  tables: [
    'tables/table-command',
    'tables/summarize-command',
    'tables/trace-command',
    'tables/tools',
    'tables/filters',
  ],
};
const commands = resolve('src/commands');
const groupOf = new Map(
  Object.entries(groups).flatMap(([group, names]) => names.map((name) => [join(commands, `${name}.ts`), group])),
);

/**
 * Loads the whole group of a file that is imported on demand. Throws if two files of a group export the
 * same name, since neither export would be found.
 */
const together = {
  name: 'together',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      const group = kind === 'dynamic-import' ? groupOf.get(resolve(resolveDir, path)) : undefined;
      return group === undefined ? undefined : { path: group, namespace: 'group' };
    });
    onLoad({ filter: /./, namespace: 'group' }, ({ path }) => {
      const names = groups[path].flatMap((name) =>
        [
          ...readFileSync(join(commands, `${name}.ts`), 'utf8').matchAll(
            /^export (?:async )?(?:function|const|class) (\w+)/gm,
          ),
        ].map(([, found]) => found),
      );
      const twice = names.find((name, place) => names.indexOf(name) !== place);
      if (twice !== undefined) throw new Error(`two files of the group ${path} export ${twice}; rename one`);
      const contents = groups[path].map((name) => `export * from './${name}.ts';`).join('\n');
      return { contents, resolveDir: commands };
    });
  },
};

const entries = [
  { serve: 'src/commands/serve/serve.ts' },
  { 'command-line': 'src/commands/command-line.ts', 'checkpoint-thread': 'src/db/sqlite/checkpoint-thread.ts' },
  { status: 'src/commands/ask/status.ts' },
  { call: 'src/commands/ask/call.ts' },
  // Loaded by its name, like the thread for checkpoints.
  { 'query-process': 'src/db/query-store/query-process.ts' },
  { 'tool-services': 'src/commands/control/tool-services.ts' },
  { 'write-logbook': 'src/commands/control/write-logbook.ts' },
  { 'ask-process': 'src/db/query-store/ask-process.ts' },
  { 'create-tables': 'src/db/opening/create-tables.ts' },
  { 'hosted-page': 'src/commands/serve/hosted-page.ts' },
  // A thread for the HTTP server.
  { 'long-call-thread': 'src/commands/serve/long-call-thread.ts' },
];
const builds = [];
for (const entryPoints of entries)
  builds.push(
    await build({
      ...common,
      entryPoints,
      plugins: 'command-line' in entryPoints ? [apart(''), together] : [apart('')],
    }),
  );

// The parts of each build have a folder of their own, so that a process never mixes two builds.
const parts = `parts-${digestOf(made)}`;
if (existsSync(join('dist', parts))) rmSync(made, { recursive: true });
else renameSync(made, join('dist', parts));
touch(join('dist', parts));

// The process itself comes last, in one step: every process started from then on is from this build.
const cli = await build({
  ...common,
  outdir: 'dist',
  entryPoints: { cli: 'src/cli.ts' },
  plugins: [apart(`${parts}/`)],
  write: false,
});
builds.push(cli);
for (const { path, contents } of cli.outputFiles.toReversed()) {
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
}

const page = await buildPage();
builds.push(...page);

const outputsOf = ({ metafile }) => Object.keys(metafile.outputs);
const files = [join('dist', parts), ...[cli, ...page].flatMap(outputsOf), 'dist/web/page.html'];
writeFileSync('dist/build.json', JSON.stringify({ parts, files }));
for (const folder of ['dist', 'dist/web', 'dist/web/app']) removeOld(folder, new Set(files));
writeFileSync('dist/THIRD-PARTY-NOTICES.txt', notices(builds.flatMap(({ metafile }) => Object.keys(metafile.inputs))));

/** A digest of a folder's files and their names. */
function digestOf(folder) {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).toSorted()) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 12);
}

function touch(path) {
  const now = new Date();
  utimesSync(path, now, now);
}

/** Removes files of earlier builds from a folder, a day after they were replaced. */
function removeOld(folder, current) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const { mtimeMs = Infinity } = statSync(path, { throwIfNoEntry: false }) ?? {};
    const isOld = Date.now() - mtimeMs > kept;
    if (isOld && !current.has(path) && /^(parts-|making-|chunk-)|-[A-Z\d]{8}\.js$/.test(name))
      rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Builds the page: for a server in parts, which it sends when they are opened; for a chat and for a report
 * in one file.
 */
async function buildPage() {
  const options = {
    bundle: true,
    minify: true,
    target: 'es2022',
    charset: 'utf8',
    // Short calls for elements make the page a tenth smaller.
    tsconfigRaw: { compilerOptions: { jsx: 'react', jsxFactory: 'h', jsxFragmentFactory: 'Fragment' } },
    outdir: 'dist/web',
    metafile: true,
    logLevel: 'warning',
  };
  const inject = ['src/web/jsx.ts'];
  const built = [
    await build({
      ...options,
      entryPoints: { app: 'src/web/style.css', print: 'src/web/print.css', wall: 'src/web/wall.css' },
    }),
    await build({
      ...options,
      inject,
      define: { isServed: 'true' },
      entryPoints: { app: 'src/web/live.tsx' },
      format: 'esm',
      splitting: true,
      // A part's name changes with its content, so a page that is open while its server is upgraded never
      // mixes versions.
      chunkNames: 'app/[name]-[hash]',
    }),
    await build({
      ...options,
      inject,
      define: { isServed: 'false' },
      entryPoints: { hosted: 'src/web/hosted.tsx', report: 'src/web/report.tsx' },
      format: 'iife',
    }),
  ];
  copyFileSync('src/web/page.html', 'dist/web/page.html');
  return built;
}

/** The licence text of every package that is bundled, even in part. */
function notices(inputs) {
  const folders = inputs
    .map((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
    .filter((folder) => folder !== undefined);
  return [...new Set(folders)]
    .toSorted()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      return `${name} ${version} (${license})\n\n${licenceText(folder) ?? 'The package has no licence file; its package.json names the licence above.'}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

function licenceText(folder) {
  if (!existsSync(folder)) return undefined;
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name));
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8').trim();
}
