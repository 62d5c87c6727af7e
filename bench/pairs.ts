import { resolve } from 'node:path';

import { median } from './figure.ts';
import { bytesAMessage, type Contended, type Plain, runContended, runPlain } from './pipeline.ts';
import { cli } from './processes.ts';

/**
 * The pipeline of this build beside that of another one, in interleaved pairs: npm run bench:pairs -- OTHER/dist/cli.js [ROUNDS]. A ratio is the
 * median of the ratios of the rounds, since the machine may be faster in one than in another.
 */
const [other = '', given = '5'] = process.argv.slice(2);
if (other === '') throw new Error('give the dist/cli.js of the other build');
const rounds = Number(given);
const stfs = 1000;

interface Side {
  bare: Plain[];
  filed: Plain[];
  contended: Contended[];
}

const sides: [string, Side][] = [other, cli].map((program) => [
  resolve(program),
  { bare: [], filed: [], contended: [] },
]);
for (let round = 0; round < rounds; round += 1) {
  for (const [program, side] of sides) {
    side.bare.push(await runPlain(stfs, { program, files: false }));
    side.filed.push(await runPlain(stfs, { program, files: true }));
    side.contended.push(await runContended(stfs, { program }));
  }
}

const [theirs, ours] = sides.map(([, side]) => side) as [Side, Side];

/** One figure of both sides, and the median of their ratios. */
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
