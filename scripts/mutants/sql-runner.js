// Runs each test once as it is, then once for each changed condition of each statement that the test
// executed: see sql.js.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { TestRunner } from 'vitest';

/**
 * Where this runner writes the statement that it is trying, and where sql.js writes the statements that
 * never ended.
 */
const { MUTANTS_FOLDER: folder, MUTANTS_FILE: memory } = process.env;
const [trying, endlessOnes] = [`${memory}.trying`, `${memory}.endless`];
const endless = new Set(existsSync(endlessOnes) ? JSON.parse(readFileSync(endlessOnes, 'utf8')) : []);

/** Each operator and its replacement. In SQL here, operators stand between spaces. */
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

/**
 * Where in the source a statement's condition comes from, as `path:line: text`: the match nearest to the
 * call. Undefined for constants from other rooms.
 */
function originOf(place, text, at, end) {
  const [path, line] = place.split(':');
  const source = readFileSync(path, 'utf8');
  for (const [from, to] of [
    [at - 12, end],
    [at, end + 12],
  ]) {
    const part = text.slice(Math.max(0, from), to).trim();
    const pattern = part.split(/\s+/).map((word) => word.replaceAll(/[^\w]/g, String.raw`\$&`));
    const lines = [...source.matchAll(new RegExp(pattern.join(String.raw`\s+`), 'g'))].map(
      ({ index }) => source.slice(0, index).split('\n').length,
    );
    const [nearest] = lines.toSorted((a, b) => Math.abs(a - line) - Math.abs(b - line));
    if (nearest !== undefined) return `${path}:${nearest}: ${text.slice(Math.max(0, at - 12), end + 12)}`;
  }
  return undefined;
}

/**
 * Every statement that differs from this one in one condition of its source. An assignment after SET is not
 * a condition.
 */
function* mutantsOf(text, place) {
  for (const [operator, other] of changes)
    for (const { 0: found, index: at } of text.matchAll(operator)) {
      const clause = text
        .slice(0, at)
        .match(/\b(SET|WHERE|ON|CASE|HAVING|SELECT|AND|WHEN)\b/g)
        ?.at(-1);
      const end = at + found.length;
      const origin = originOf(place, text, at, end);
      if (origin === undefined || (found === ' = ' && clause === 'SET')) continue;
      const mutated = text.slice(0, at) + other + text.slice(end);
      const change = `${origin.replaceAll(/\s+/g, ' ')} — ${found.trim()} → ${other.trim()}`;
      yield { change, text, mutated, isNoticed: endless.has(mutated) };
    }
}

/** For each statement, by its text: the place that executed it first, and its mutants. */
const known = new Map(existsSync(memory) ? JSON.parse(readFileSync(memory, 'utf8')) : []);
const realTimeout = setTimeout;
/** How long a test may take with a changed statement, in milliseconds. */
const limit = 5000;

let asked = new Set();
let active;

globalThis.statementOf = (text) => {
  if (active !== undefined) return text === active.text ? active.mutated : text;
  if (!known.has(text)) {
    Error.stackTraceLimit = 30;
    const callers = new Error('where').stack.match(/src\/[\w/.-]+\.ts:\d+/g) ?? [];
    const place = callers.find((caller) => !caller.startsWith('src/db/sqlite/')) ?? '';
    known.set(text, { place, mutants: place.startsWith(`${folder}/`) ? [...mutantsOf(text, place)] : [] });
  }
  asked.add(text);
  return text;
};

async function passes(work) {
  try {
    await Promise.race([work(), new Promise((_, fail) => realTimeout(() => fail(new Error('too long')), limit))]);
    return true;
  } catch {
    return false;
  }
}

/** Recreates what a test starts with. */
async function beginAgain(test) {
  const suites = [];
  for (
    let suite = test.suite ?? test.file;
    suite !== undefined;
    suite = suite === test.file ? undefined : (suite.suite ?? test.file)
  )
    suites.unshift(suite);
  for (const suite of suites)
    for (const hook of TestRunner.getSuiteHooks(suite).beforeEach) await hook(test.context, suite);
}

export default class SqlRunner extends TestRunner {
  async runTask(test) {
    const first = TestRunner.getTestFn(test);
    asked = new Set();
    await first();
    const work = async () => {
      await beginAgain(test);
      await first();
    };
    const mutants = [...asked].flatMap((text) => known.get(text)?.mutants ?? []).filter(({ isNoticed }) => !isNoticed);
    if (mutants.length === 0) return;
    if (!(await passes(work))) {
      console.error(`does not pass twice, so it shows nothing: ${test.name}`);
      return;
    }
    for (const mutant of mutants) {
      writeFileSync(trying, mutant.mutated);
      active = mutant;
      mutant.isNoticed = !(await passes(work));
      active = undefined;
    }
    writeFileSync(trying, '');
  }

  onAfterRunFiles() {
    super.onAfterRunFiles?.();
    writeFileSync(memory, JSON.stringify([...known]));
  }
}
