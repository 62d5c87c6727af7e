// Changes each condition of the SQL of a room once and looks whether a test fails: npm run mutants:sql -- FOLDER TEST…
// StrykerJS empties a statement as a whole and changes nothing in it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [folder = '', ...tests] = process.argv.slice(2);
const results = mkdtempSync(join(tmpdir(), 'sql-mutants-'));
const memory = join(results, 'statements.json');
const words = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/mutants/sql.config.js', ...tests];
const env = { ...process.env, MUTANTS_FOLDER: folder, MUTANTS_FILE: memory, NODE_NO_WARNINGS: '1' };
const { status } = spawnSync(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'inherit'] });
if (status !== 0) throw new Error('the tests fail without any change');

const statements = JSON.parse(readFileSync(memory, 'utf8'));
rmSync(results, { recursive: true });
const mutants = new Map();
// A statement that is put together in several ways has the same condition several times: one of them noticed is enough.
for (const { place, change, isNoticed } of statements.flatMap(([, some]) => some)) {
  const name = `${place}: ${change}`;
  mutants.set(name, isNoticed || mutants.get(name) === true);
}
const unnoticed = [...mutants].filter(([, isNoticed]) => !isNoticed).map(([name]) => name);
for (const name of unnoticed) console.log(name);
const files = statSync(folder).isFile()
  ? [folder]
  : readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name));
const reached = new Set([...mutants.keys()].map((name) => name.slice(0, name.indexOf(':'))));
const unreached = files.filter((file) => /\bsql[<(]/.test(readFileSync(file, 'utf8')) && !reached.has(file));
for (const file of unreached) console.log(`${file}: no condition of it is asked by these tests`);
console.log(`${folder}: ${mutants.size - unnoticed.length} of ${mutants.size} changes are noticed`);
