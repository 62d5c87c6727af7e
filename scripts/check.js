// Reports faults of formatting, lint and types in the files that differ from the last commit, or, with
// --all, in every file.
import { spawn, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const projects = ['.', 'src/web', 'test/web'];
const linted = ['src', 'test', 'scripts', 'bench', 'faults'];
const isAll = process.argv.includes('--all');

const git = (...words) => execFileSync('git', words, { encoding: 'utf8' }).split('\n');
const changed = isAll
  ? []
  : [...new Set([...git('diff', '--name-only', 'HEAD'), ...git('ls-files', '--others', '--exclude-standard')])].filter(
      (path) => path !== '' && existsSync(path),
    );
const lintable = changed.filter(
  (path) => linted.some((folder) => path.startsWith(`${folder}/`)) && /\.[jt]sx?$/.test(path),
);

/** The file in which the type check of a project keeps its results for the next time. */
const memory = (project) => `node_modules/.cache/types-${project.replaceAll(/\W/g, '-')}.json`;

const jobs = [
  ...(isAll || changed.length > 0 ? [['oxfmt', '--check', '--no-error-on-unmatched-pattern', ...changed]] : []),
  ...(isAll || lintable.length > 0 ? [['oxlint', '--deny-warnings', ...(isAll ? linted : lintable)]] : []),
  // Check the types of all files: a change may break other files.
  ...projects.map((project) => [
    'tsc',
    '--noEmit',
    '-p',
    project,
    '--incremental',
    '--tsBuildInfoFile',
    memory(project),
  ]),
];

const run = ([name, ...words]) =>
  new Promise((resolve) => {
    const child = spawn(`node_modules/.bin/${name}`, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
    child.on('close', (code) => resolve({ code, said: Buffer.concat(said).toString() }));
  });

const began = performance.now();
const results = await Promise.all(jobs.map(run));
for (const { code, said } of results) if (code !== 0) process.stderr.write(said);
const isFine = results.every(({ code }) => code === 0);
const of = isAll ? 'all files' : `${changed.length} changed files, and the types of all`;
console.log(`${isFine ? 'ok' : 'FAIL'}  ${of}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
process.exitCode = isFine ? 0 : 1;
