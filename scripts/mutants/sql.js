// Changes each condition of the SQL of a room once and looks whether a test fails: npm run mutants:sql -- FOLDER TEST…
// StrykerJS empties a statement as a whole and changes nothing in it.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Each operator, and its replacement. Operators stand between spaces, as the SQL here is written. */
const changes = [
  [/ <= /g, ' < '],
  [/ < /g, ' <= '],
  [/ >= /g, ' > '],
  [/ > /g, ' >= '],
  [/ <> /g, ' = '],
  [/ = /g, ' <> '],
  [/ AND /g, ' OR '],
  [/ OR /g, ' AND '],
  [/ IS NULL/g, ' IS NOT NULL'],
  [/ IS NOT NULL/g, ' IS NULL'],
  [/ NOT IN /g, ' IN '],
  [/ NOT EXISTS /g, ' EXISTS '],
  [/\bmin\(/g, 'max('],
  [/\bmax\(/g, 'min('],
  [/ DESC\b/g, ' ASC'],
];

/** The texts in quotes of a source that are SQL, with their places. */
const statementsOf = (source) =>
  [...source.matchAll(/`[^`]*`|'(?:[^'\\\n]|\\.)*'/g)].filter(([text]) =>
    /\b(?:SELECT|UPDATE|DELETE|INSERT|WHERE|FROM|AND|OR|EXISTS)\b|(?:=|<|>|<>|<=|>=) [?$]|\bIS (?:NOT )?NULL\b/.test(
      text,
    ),
  );

/** Every source that differs from this one in one condition. An assignment after SET is none. */
function* mutantsOf(source) {
  for (const { 0: text, index } of statementsOf(source))
    for (const [operator, other] of changes)
      for (const { 0: found, index: at } of text.matchAll(operator)) {
        const clause = text
          .slice(0, at)
          .match(/\b(SET|WHERE|ON|CASE|HAVING|SELECT|AND|WHEN)\b/g)
          ?.at(-1);
        if (found === ' = ' && clause === 'SET') continue;
        const place = index + at;
        yield {
          mutated: source.slice(0, place) + other + source.slice(place + found.length),
          line: source.slice(0, place).split('\n').length,
          change: `${text.slice(Math.max(0, at - 30), at + found.length + 20).replaceAll(/\s+/g, ' ')} — ${found.trim()} → ${other.trim()}`,
        };
      }
}

const [folder = '', ...tests] = process.argv.slice(2);
const files = statSync(folder).isFile()
  ? [folder]
  : readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name));
/** Whether a test fails, or none ends. */
function isNoticed() {
  const words = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'fast', '--bail', '1', ...tests];
  const limits = ['--testTimeout', '20000', '--reporter', 'dot'];
  return spawnSync(process.execPath, [...words, ...limits], { timeout: 120_000 }).status !== 0;
}

if (isNoticed()) throw new Error('the tests fail or take more than two minutes without any change');
let [tried, unnoticed] = [0, 0];
for (const file of files) {
  const source = readFileSync(file, 'utf8');
  const restore = () => {
    writeFileSync(file, source);
    process.exit(130);
  };
  process.on('SIGINT', restore);
  try {
    for (const { mutated, line, change } of mutantsOf(source)) {
      writeFileSync(file, mutated);
      tried += 1;
      if (isNoticed()) continue;
      unnoticed += 1;
      console.log(`${file}:${line}: ${change}`);
    }
  } finally {
    writeFileSync(file, source);
    process.off('SIGINT', restore);
  }
}
console.log(`${folder}: ${tried - unnoticed} of ${tried} changes are noticed`);
