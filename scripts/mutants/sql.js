// Changes each condition in the SQL of a room once and checks whether a test fails: npm run mutants:sql --
// FOLDER TEST… StrykerJS only empties whole statements and changes nothing inside them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [folder = '', ...tests] = process.argv.slice(2);
const results = mkdtempSync(join(tmpdir(), 'sql-mutants-'));
const memory = join(results, 'statements.json');
const trying = `${memory}.trying`;

/** How long a test may take with a changed statement, in milliseconds: a loop may never end. */
const patience = 60_000;

const words = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/mutants/sql.config.js', ...tests];
const env = { ...process.env, MUTANTS_FOLDER: folder, MUTANTS_FILE: memory, NODE_NO_WARNINGS: '1' };

/** Runs the tests. Returns the changed statement that did not end, or undefined if all ended. */
async function statementWithoutEnd() {
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const watch = setInterval(() => {
    if (!existsSync(trying) || statSync(trying).size === 0) return;
    if (Date.now() - statSync(trying).mtimeMs > patience) child.kill('SIGKILL');
  }, 1000);
  const [code, signal] = await once(child, 'close');
  clearInterval(watch);
  const tried = existsSync(trying) ? readFileSync(trying, 'utf8') : '';
  if (signal !== null && tried !== '') return tried;
  if (code !== 0) throw new Error('the tests fail without any change');
  return undefined;
}

const endless = [];
for (let found = await statementWithoutEnd(); found !== undefined; found = await statementWithoutEnd()) {
  rmSync(memory, { force: true });
  writeFileSync(trying, '');
  endless.push(found);
  writeFileSync(`${memory}.endless`, JSON.stringify(endless));
}

const statements = JSON.parse(readFileSync(memory, 'utf8'));
rmSync(results, { recursive: true });
const mutants = new Map();
// A statement that is composed in several ways contains the same condition several times. If a test detects
// one of them, that is enough.
for (const { change, isNoticed } of statements.flatMap(([, asked]) => asked.mutants))
  mutants.set(change, isNoticed || mutants.get(change) === true);
const unnoticed = [...mutants].filter(([, isNoticed]) => !isNoticed).map(([name]) => name);
for (const name of unnoticed) console.log(name);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(folder, name));
const reached = new Set(statements.map(([, { place }]) => place.slice(0, place.indexOf(':'))));
const unreached = files.filter((file) => /\bsql[<(]/.test(readFileSync(file, 'utf8')) && !reached.has(file));
for (const file of unreached) console.log(`${file}: these tests ask none of its statements`);
console.log(`${folder}: ${mutants.size - unnoticed.length} of ${mutants.size} changes are noticed`);
