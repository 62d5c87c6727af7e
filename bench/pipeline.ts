import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../test/folder.ts';
import { bytesByTable } from './bytes.ts';
import { competeWith } from './competing-writer.ts';
import { below, type Figure, median } from './figure.ts';
import { batch, insertFrozenRows } from './frozen-rows.ts';
import { hook, runMeasured } from './processes.ts';

/** A run at full speed. */
export interface Plain {
  /** Messages a second. */
  rate: number;
  /** Peak memory, in MB. */
  peak: number;
  messages: number;
  store: string;
}

export async function runPlain(stfs: number, { program, files }: { program?: string; files: boolean }): Promise<Plain> {
  const store = join(temporaryFolder(), 'swf.db');
  const { answer, peak } = await runMeasured(argsOf(stfs, store, files), program === undefined ? {} : { program });
  const messages = answer['messages'] ?? NaN;
  return { rate: messages / (answer['duration_seconds'] ?? NaN), peak, messages, store };
}

/** A run at full speed beside another process that writes to its store. In milliseconds. */
export interface Contended {
  /** How long a write transaction holds the lock. */
  hold: { p99: number; max: number };
  /** How long the event loop of the run stands still. */
  loop: { p99: number; max: number };
  /** How long the other process waits. */
  wait: { p95: number; max: number };
}

export async function runContended(stfs: number, { program }: { program?: string }): Promise<Contended> {
  const folder = temporaryFolder();
  const store = join(folder, 'swf.db');
  const [holdFile, loopFile] = [join(folder, 'hold.json'), join(folder, 'loop.json')];
  const other = competeWith(store);
  await runMeasured(argsOf(stfs, store, false), {
    ...(program === undefined ? {} : { program }),
    hooks: [hook('lock-hold'), hook('loop-delay')],
    env: { SWF_LOCK_HOLD: holdFile, SWF_LOOP_DELAY: loopFile },
  });
  const wait = await other.stop();
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as { p99: number; max: number };
  return { hold: read(holdFile), loop: read(loopFile), wait };
}

function argsOf(stfs: number, store: string, files: boolean): string[] {
  const args = ['--db', store, 'run', '--speed', 'max', '--json', '--stf-count', String(stfs)];
  return files ? args : [...args, '--set', 'data.write_files=false'];
}

export const bytesAMessage = ({ store, messages }: Pick<Plain, 'store' | 'messages'>): number =>
  statSync(store).size / messages;

/**
 * A run at full speed, in messages a second, beside raw inserts of frozen rows, and the run's delays beside
 * another writer.
 */
export async function benchPipeline({ stfs = 1000, rounds = 3 }: { stfs?: number; rounds?: number } = {}): Promise<{
  figures: Figure[];
  store: string;
}> {
  const bare: Plain[] = [];
  const filed: Plain[] = [];
  const contended: Contended[] = [];
  const floors: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    filed.push(await runPlain(stfs, { files: true }));
    bare.push(await runPlain(stfs, { files: false }));
    contended.push(await runContended(stfs, {}));
    floors.push(insertFrozenRows(stfs));
  }
  const last = bare.at(-1) as Plain;
  printBytes(last);
  const floor = { what: `raw inserts of the rows of a5aaed1, ${batch} a commit`, value: median(floors) };
  const ours = (of: (one: Contended) => number): number => median(contended.map(of));
  const figures: Figure[] = [
    {
      figure: `pipeline of ${stfs} STFs without files (median of ${rounds})`,
      unit: 'messages/s',
      ours: median(bare.map(({ rate }) => rate)),
      floor,
      aim: { says: '≥ 10,000/s', holds: (one) => one.ours >= 10_000 },
      usual: 0.25,
    },
    {
      figure: `pipeline of ${stfs} STFs with files`,
      unit: 'messages/s',
      ours: median(filed.map(({ rate }) => rate)),
      floor,
      usual: 0.14,
    },
    {
      figure: 'peak memory of the run',
      unit: 'MB',
      ours: Math.max(...bare.map(({ peak }) => peak)),
      aim: below(250, 'MB'),
    },
    { figure: 'bytes a message in the store', unit: 'B', ours: bytesAMessage(last), aim: below(800, 'B') },
    {
      figure: 'lock held by a transaction, p99, beside another writer',
      unit: 'ms',
      ours: ours(({ hold }) => hold.p99),
      aim: below(10, 'ms'),
    },
    { figure: 'longest hold', unit: 'ms', ours: ours(({ hold }) => hold.max) },
    { figure: 'event loop of the run stands still, p99', unit: 'ms', ours: ours(({ loop }) => loop.p99) },
    { figure: 'wait of the other writer, p95', unit: 'ms', ours: ours(({ wait }) => wait.p95) },
    { figure: 'longest wait', unit: 'ms', ours: ours(({ wait }) => wait.max) },
  ];
  return { figures, store: last.store };
}

const shownTables = 12;

function printBytes({ store, messages }: Plain): void {
  const tables = bytesByTable(store, messages).slice(0, shownTables);
  console.log(`Bytes a message: ${tables.map(({ name, bytes }) => `${name} ${bytes}`).join(', ')}\n`);
}
