import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

import { type Costs, measureCosts } from './costs.ts';
import { median } from './figure.ts';
import { bytesAMessage, type Contended, type Plain, runContended, runPlain } from './pipeline.ts';
import { cli } from './processes.ts';

/**
 * Compares the pipeline and the starts of this build with another build's, each on its own store schema, in
 * interleaved pairs: npm run bench:pairs -- OTHER/dist/cli.js [ROUNDS]. A ratio is the median over the
 * rounds, since the machine may be faster in one round than in another.
 */
const [other = '', given = '5'] = process.argv.slice(2);
if (other === '') throw new Error('give the dist/cli.js of the other build');
const rounds = Number(given);
const stfs = 1000;
/** How many starts a figure is the median of. */
const starts = 9;

interface Side {
  bare: Plain[];
  filed: Plain[];
  contended: Contended[];
  /** The wall time of starts, by command, in milliseconds. */
  starts: Record<string, number[]>;
}

const sides: [string, Side][] = [other, cli].map((program) => [
  resolve(program),
  { bare: [], filed: [], contended: [], starts: {} },
]);
for (let round = 0; round < rounds; round += 1) {
  for (const [program, side] of sides) {
    side.bare.push(await runPlain(stfs, { program, files: false }));
    side.filed.push(await runPlain(stfs, { program, files: true }));
    side.contended.push(await runContended(stfs, { program }));
    const { store } = side.bare.at(-1) as Plain;
    for (const args of [['status'], ['call', 'get_workflow_monitor', '{"execution_id":"latest"}'], ['--version']])
      (side.starts[args[0] ?? ''] ??= []).push(startOf(program, ['--db', store, ...args]));
  }
}

/** The median wall time of a command from a cold start to its end, in milliseconds. */
function startOf(program: string, args: readonly string[]): number {
  const times = Array.from({ length: starts }, () => {
    const began = performance.now();
    const { status } = spawnSync(process.execPath, [program, ...args]);
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
    return performance.now() - began;
  });
  return median(times);
}

const [theirs, ours] = sides.map(([, side]) => side) as [Side, Side];

/** Prints a figure for both sides, and the median of their ratios. */
function tell(figure: string, of: (side: Side) => number[]): void {
  const [a, b] = [of(theirs), of(ours)];
  const ratios = b.map((value, index) => value / (a[index] ?? NaN));
  const shown = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
  console.log(
    `${figure.padEnd(40)} ${shown(median(a)).padStart(8)} ${shown(median(b)).padStart(8)}   ratio ${median(ratios).toFixed(3)}`,
  );
}

tell('messages/s without files', ({ bare }) => bare.map(({ rate }) => rate));
tell('messages/s with files', ({ filed }) => filed.map(({ rate }) => rate));
tell('bytes a message', ({ bare }) => bare.map(bytesAMessage));
tell('lock hold p99, ms', ({ contended }) => contended.map(({ hold }) => hold.p99));
tell('lock hold longest, ms', ({ contended }) => contended.map(({ hold }) => hold.max));
tell('event loop delay p99, ms', ({ contended }) => contended.map(({ loop }) => loop.p99));
tell('wait of another writer p95, ms', ({ contended }) => contended.map(({ wait }) => wait.p95));
tell('wait of another writer longest, ms', ({ contended }) => contended.map(({ wait }) => wait.max));
for (const command of Object.keys(ours.starts))
  tell(`${command} from a cold start, ms`, (side) => side.starts[command] ?? []);
const [before, now]: [Costs, Costs] = [await measureCosts(resolve(other)), await measureCosts()];
for (const [what, cost] of Object.entries(now))
  console.log(
    `${what.padEnd(52)} ${String(before[what])} ${cost}   ratio ${(cost / (before[what] ?? NaN)).toFixed(3)}`,
  );
