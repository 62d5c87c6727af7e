// Bundles the command line into dist/, with the licences of what is bundled beside it. With --fresh, nothing of an earlier build stays.
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

/** Servers run from here for days and load parts late, so those of an earlier build stay for a day. */
const kept = 24 * 3_600_000;

if (process.argv.includes('--fresh')) rmSync('dist', { recursive: true, force: true });
mkdirSync('dist', { recursive: true });
const made = `dist/making-${process.pid}`;
rmSync(made, { recursive: true, force: true });
mkdirSync(made);

/** The names of what the build before consists of. Its day begins now. */
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
  // A server that starts reads half the text. Names stay, for those who read a stack trace.
  minifyWhitespace: true,
  minifySyntax: true,
  // Its binary is compiled for the machine that it is installed on.
  external: ['better-sqlite3'],
  // The SDKs check by it what a server asks of its client, which ours never does: a fifth of what would be loaded.
  alias: {
    ajv: './scripts/nothing.js',
    'ajv-formats': './scripts/nothing.js',
    '@modelcontextprotocol/server/_shims': './scripts/shims.js',
    // Its CommonJS text asks for its parts in a way that cannot be bundled.
    'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
  },
  // Bundled CommonJS packages ask for Node's own modules by require.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
};

/**
 * The process, the server, the other commands and what few calls need are built apart: together, the start of the server would load a dozen small chunks that it has in
 * common with one command or another.
 * @param folder the folder of the parts, as seen from the importer
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

/** Commands that are loaded together, below src/commands: a separate entry for each would split what commands share into more chunks, and each costs a start half a millisecond. */
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

/** Loads the whole group of a file that is imported on demand. Throws if two of its files export one name, since neither would be found. */
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
  // Loaded by its name, as the thread of checkpoints is.
  { 'query-process': 'src/db/query-store/query-process.ts' },
  { 'tool-services': 'src/commands/control/tool-services.ts' },
  { 'write-logbook': 'src/commands/control/write-logbook.ts' },
  { 'ask-process': 'src/db/query-store/ask-process.ts' },
  { 'create-tables': 'src/db/opening/create-tables.ts' },
  { 'hosted-page': 'src/commands/serve/hosted-page.ts' },
  // A thread of the HTTP server.
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

// Parts of another build are in another folder, so that a process never mixes two builds.
const parts = `parts-${digestOf(made)}`;
if (existsSync(join('dist', parts))) rmSync(made, { recursive: true });
else renameSync(made, join('dist', parts));
touch(join('dist', parts));

// The process itself comes last, and at once: from then on, what starts is of this build.
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

/** A digest of the files of a folder and their names. */
function digestOf(folder) {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).toSorted()) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 12);
}

function touch(path) {
  const now = new Date();
  utimesSync(path, now, now);
}

/** Removes what earlier builds left in a folder, a day after another build took its place. */
function removeOld(folder, current) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const { mtimeMs = Infinity } = statSync(path, { throwIfNoEntry: false }) ?? {};
    const isOld = Date.now() - mtimeMs > kept;
    if (isOld && !current.has(path) && /^(parts-|making-|chunk-)|-[A-Z\d]{8}\.js$/.test(name))
      rmSync(path, { recursive: true, force: true });
  }
}

/** The page: for a server in parts, which it sends when they are opened; within a chat, and as a report, in one file. */
async function buildPage() {
  const options = {
    bundle: true,
    minify: true,
    target: 'es2022',
    charset: 'utf8',
    // Short calls for elements are a tenth less of the page.
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
      // A part of another version has another name: a page that is open while its server is renewed mixes none.
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

/** The licence text of every package of which anything is in the bundle. */
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
