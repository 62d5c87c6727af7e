// Runs each test once as it is, then once for each changed condition of each statement that it asked: see sql.js.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { TestRunner } from 'vitest';

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

/** Every statement that differs from this one in one condition. An assignment after SET is none. */
function* mutantsOf(text) {
  for (const [operator, other] of changes)
    for (const { 0: found, index: at } of text.matchAll(operator)) {
      const clause = text
        .slice(0, at)
        .match(/\b(SET|WHERE|ON|CASE|HAVING|SELECT|AND|WHEN)\b/g)
        ?.at(-1);
      if (found === ' = ' && clause === 'SET') continue;
      const change = `${text.slice(Math.max(0, at - 40), at + found.length + 30).replaceAll(/\s+/g, ' ')} — ${found.trim()} → ${other.trim()}`;
      yield { change, text, mutated: text.slice(0, at) + other + text.slice(at + found.length), isNoticed: false };
    }
}

const folder = process.env.MUTANTS_FOLDER;
const memory = process.env.MUTANTS_FILE;
/** The mutants of each statement, by its text. */
const known = new Map(existsSync(memory) ? JSON.parse(readFileSync(memory, 'utf8')) : []);
const realTimeout = setTimeout;
/** Longest that a test may take with a changed statement, in milliseconds. */
const limit = 5000;

let asked = new Set();
let active;

globalThis.statementOf = (text) => {
  if (active !== undefined) return text === active.text ? active.mutated : text;
  if (!known.has(text)) {
    Error.stackTraceLimit = 30;
    const callers = new Error('where').stack.match(/src\/[\w/.-]+\.ts:\d+/g) ?? [];
    const place = callers.find((caller) => !caller.startsWith('src/db/sqlite/')) ?? '';
    known.set(text, place.startsWith(folder) ? [...mutantsOf(text)].map((mutant) => ({ ...mutant, place })) : []);
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

/** Makes anew what a test begins with. */
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
    const mutants = [...asked].flatMap((text) => known.get(text) ?? []).filter(({ isNoticed }) => !isNoticed);
    if (mutants.length === 0) return;
    if (!(await passes(work))) {
      console.error(`does not pass twice, so it shows nothing: ${test.name}`);
      return;
    }
    for (const mutant of mutants) {
      active = mutant;
      mutant.isNoticed = !(await passes(work));
      active = undefined;
    }
  }

  onAfterRunFiles() {
    super.onAfterRunFiles?.();
    writeFileSync(memory, JSON.stringify([...known]));
  }
}
