import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { recordHeard } from '../../../src/db/observed/heard-messages.ts';
import { openReader } from '../../../src/db/opening/open-reader.ts';
import { openStore } from '../../../src/db/opening/open-store.ts';
import type { Moment } from '../../../src/db/past/moment.ts';
import { createPastStore } from '../../../src/db/past/past-store.ts';
import { copiedTables, filledTables } from '../../../src/db/past/unlogged-rows.ts';
import { type Connection, Database } from '../../../src/db/sqlite/connection.ts';
import type { MessageLine } from '../../../src/observed/recording-lines.ts';
import { createReferences } from '../../../src/observed/told/rest-rows.ts';
import { temporaryFolder } from '../../folder.ts';
import { makeStore } from '../../helpers.ts';
import { type HistoryRow, replay } from '../../histories/log-file.ts';
import { dice, makeRun, shuffled } from '../../observed/generator.ts';
import { makeCalls } from '../../observed/rest-generator.ts';
import { interleaved, toldIn } from '../../observed/told-setup.ts';
import { readRecording, someRecordedRuns } from '../../observer/recordings.ts';
import { rounds, roundsFactor } from '../../rounds.ts';

/** Whether a past store looks for settled rows however few messages are new, or never. */
const [always, never] = [1, Number.MAX_SAFE_INTEGER];

/** Tables of entries of the logbook: these are always read again from the log. */
const ofLogbook = ['notes', 'run_quality', 'alarms'];

const tables = [...copiedTables, ...ofLogbook];

/** Columns that no answer reads, and a replay writes in another way than a recorder. */
const unread = new Set(['wire_message_id', 'read_ms', 'late_seq']);

const rowsOf = (db: Connection): Record<string, unknown[]> =>
  Object.fromEntries(
    tables.map((table) => {
      const rows = db.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).all();
      const kept = rows.map((row) => Object.entries(row).filter(([column]) => !unread.has(column)));
      return [table, kept.map((row) => JSON.stringify(row)).toSorted()];
    }),
  );

/** The moment of a row of a log, as a cut between rows, or by the time of recording. */
function momentAt(reader: Connection, seq: number, isByTime: boolean): Moment {
  const now = reader.prepare<[number], number>('SELECT recorded_ms FROM message_rows WHERE seq = ?').pluck().get(seq)!;
  const recordedBy = isByTime ? now : Number.MAX_SAFE_INTEGER;
  return { now, iso: new Date(now).toISOString(), last: seq, recordedBy, exact: '' };
}

/** The tables of a past store at moments that it visits one after the other. */
async function tablesAt(reader: Connection, moments: readonly Moment[], least: number) {
  const past = createPastStore(reader, least);
  const found = [];
  for (const moment of moments) found.push(rowsOf((await past.moveTo(moment, () => false)).db));
  past.close();
  return found;
}

/** Moments of a store that are queried; the long proof queries each. */
const maxMoments = rounds(100, 3) / 3;

async function expectSame(path: string, seed: number): Promise<void> {
  const reader = openReader(path);
  onTestFinished(() => void reader.close());
  const roll = dice(seed);
  const all = reader.prepare<[], number>('SELECT seq FROM message_rows ORDER BY seq').pluck().all();
  const chosen = all.filter(() => roll() < maxMoments / all.length);
  const moments = chosen.map((seq) => momentAt(reader, seq, roll() < 0.2));
  for (const moment of moments) {
    const [settled, replayed] = [await tablesAt(reader, [moment], always), await tablesAt(reader, [moment], never)];
    expect({ last: moment.last, settled }).toEqual({ last: moment.last, settled: replayed });
  }
  const cuts = moments.filter(({ recordedBy }) => recordedBy === Number.MAX_SAFE_INTEGER && roll() < 0.5);
  expect(await tablesAt(reader, cuts, always)).toEqual(await tablesAt(reader, cuts, never));
}

const newPath = (): string => join(temporaryFolder(), 'swf.db');

async function storeOf(lines: readonly MessageLine[], path = newPath()): Promise<string> {
  const store = await openStore(path);
  for (let at = 0; at < lines.length; at += 50)
    await store.write((tx) => {
      for (const line of lines.slice(at, at + 50)) recordHeard(tx, line);
    });
  store.close();
  return path;
}

const histories = readdirSync('test/histories').filter((name) => name.endsWith('.log.jsonl'));

const linesOf = (name: string): HistoryRow[] =>
  readFileSync(join('test/histories', name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as HistoryRow);

/** Lines of which some come a few places later, some twice, and some not at all. */
function disturbed<T>([first, ...lines]: readonly T[], seed: number): T[] {
  const roll = dice(seed);
  const places = lines.flatMap((line, n) =>
    Array.from({ length: roll() < 0.05 ? 0 : roll() < 0.1 ? 2 : 1 }, () => ({
      line,
      at: n + roll() * (roll() < 0.3 ? 40 : 4),
    })),
  );
  return [first as T, ...places.toSorted((a, b) => a.at - b.at).map(({ line }) => line)];
}

/** A made run of other programs with its calls to their monitor, some lines twice. */
function observedLines(seed: number, ...[dialect, hasCalls]: ['H' | 'F', boolean]): MessageLine[] {
  const made = makeRun({ seed, dialect });
  const references = createReferences();
  const calls = hasCalls ? makeCalls(made, seed).calls.flatMap((call) => references(call) ?? []) : [];
  return disturbed(interleaved(made.lines, calls, seed), seed);
}

describe('a past store into which settled rows were copied equals one that was replayed', () => {
  it.each(histories)('for the history %s', async (name) => {
    const path = newPath();
    await replay(linesOf(name), path);
    await expectSame(path, 1);
  });

  it.each(histories)('for the messages of %s in other orders', async (name) => {
    for (let seed = 1; seed <= rounds(10, 1); seed += 1) {
      const path = newPath();
      await replay(disturbed(linesOf(name), seed), path);
      await expectSame(path, seed);
    }
  });

  it.each(someRecordedRuns)('for the recording %s', async (run) => {
    const lines = await readRecording(run);
    await expectSame(await storeOf(roundsFactor < 1 ? lines : interleaved(lines, await toldIn(run), 1)), 2);
  });

  it.each([
    ['H', false],
    ['H', true],
    ['F', false],
    ['F', true],
  ] as const)('for generated runs of dialect %s, with calls to their monitor: %s', async (dialect, hasCalls) => {
    for (let seed = 1; seed <= rounds(20); seed += 1) {
      const lines = interleaved(
        observedLines(seed, dialect, hasCalls),
        observedLines(seed + 100, dialect, hasCalls),
        seed,
      );
      await expectSame(await storeOf(seed % 2 === 0 ? lines : shuffled(lines, seed)), seed);
    }
  });
});

it('a past store leaves out an execution whose first message is damaged', async () => {
  const path = newPath();
  await replay(linesOf('complete.log.jsonl'), path);
  const live = new Database(path);
  live.exec(
    `UPDATE message_rows SET body = '{' WHERE seq IN (SELECT seq FROM workflow_messages WHERE message_type = 'run_workflow')`,
  );
  live.close();
  const reader = openReader(path);
  onTestFinished(() => void reader.close());
  // The newest moment is the store itself.
  const last = reader.prepare<[], number>('SELECT max(seq) - 1 FROM message_rows').pluck().get()!;
  const [past] = await tablesAt(reader, [momentAt(reader, last, false)], always);
  expect(past).toMatchObject({ workflow_executions: [] });
});

it('a past store leaves out a damaged message of another program', async () => {
  const path = await storeOf(makeRun({ seed: 3, dialect: 'F' }).lines);
  const live = new Database(path);
  live.exec(`UPDATE message_rows SET body = '{', headers = '{' WHERE seq = 20`);
  live.close();
  const reader = openReader(path);
  onTestFinished(() => void reader.close());
  const [past] = await tablesAt(reader, [momentAt(reader, 40, false)], always);
  expect(past?.['workflow_executions']).toHaveLength(1);
});

/** Marks the stored rows of slices, to see which are copied. */
async function copiedAt(path: string, last: number): Promise<{ copied: string[]; others: string[] }> {
  const live = new Database(path);
  live.exec(`UPDATE tf_slices SET hostname = 'marked'`);
  live.close();
  const reader = openReader(path);
  onTestFinished(() => void reader.close());
  const past = createPastStore(reader, always);
  const { db } = await past.moveTo(momentAt(reader, last, false), () => false);
  const named = (condition: string): string[] =>
    db
      .prepare<[], string>(`SELECT slice_filename FROM tf_slices WHERE hostname ${condition} 'marked' ORDER BY 1`)
      .pluck()
      .all();
  const found = { copied: named('IS'), others: named('IS NOT') };
  past.close();
  return found;
}

/** The slices of the messages up to one, and of those after it, by a part of their text. */
function namesIn(path: string, last: number, pattern: RegExp): { before: Set<string>; after: Set<string> } {
  using db = new Database(path, { readonly: true });
  const rows = db.prepare<[], { seq: number; body: string }>('SELECT seq, body FROM message_rows ORDER BY seq').all();
  const found = { before: new Set<string>(), after: new Set<string>() };
  for (const { seq, body } of rows) {
    const name = pattern.exec(body)?.[1];
    if (name !== undefined) found[seq <= last ? 'before' : 'after'].add(name);
  }
  return found;
}

describe('the slices whose rows are copied', () => {
  it('in our own executions are those with no message recorded later', async () => {
    const path = newPath();
    const lines = linesOf('complete.log.jsonl');
    await replay(lines, path);
    const last = Math.round(lines.length * 0.7);
    const { before, after } = namesIn(path, last, /"slice_filename":"([^"]+)"/);
    const { copied, others } = await copiedAt(path, last);
    expect(copied).toEqual([...before].filter((name) => !after.has(name)).toSorted());
    expect(others).toEqual([...before].filter((name) => after.has(name)).toSorted());
    expect([copied.length, others.length].every((n) => n > 0)).toBe(true);
  });

  it('in an observed execution are those with no message heard later', async () => {
    const path = await storeOf(makeRun({ seed: 3, dialect: 'F', stfs: 60 }).lines);
    const last = 700;
    const { before, after } = namesIn(path, last, /"tf_slice_id":(\d+)/);
    const { copied, others } = await copiedAt(path, last);
    expect(copied.length + others.length).toBeGreaterThan(100);
    expect(copied.length / (copied.length + others.length)).toBeGreaterThan(0.4);
    expect([...before].some((name) => after.has(name))).toBe(false);
  });
});

/** Tables that no answer about an earlier moment reads, each with the reason. */
const leftOut: Readonly<Record<string, string>> = {
  names: 'copied whole, with their numbers',
  counters: 'nothing new is numbered in the past',
  time_blocks: 'notes for speed: rows without notes are read',
  message_counts: 'notes for speed',
  message_totals: 'notes for speed',
  message_namespaces: 'notes for speed',
  word_parts: 'notes for speed',
  recorded_blocks: 'asked of the store itself',
  past_agents: 'asked of the store itself',
  past_leases: 'asked of the store itself',
  past_commands: 'asked of the store itself',
  known_namespaces: 'for those who are about to use a broker',
  requests_in_hand: 'for a recorder that goes on',
  testbed_requests: 'for an observer that goes on',
  monitor_objects: 'what the stand-in answers to programs now',
  watchers: 'who watches now',
  alarm_candidates: 'for a watcher that goes on',
  alarm_receivers: 'for a watcher that goes on',
};

it('every table of the schema is either in a past store or left out for a stated reason', async () => {
  const { store } = await makeStore();
  const ofSchema = store
    .sql<[], { name: string }>(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_words_%'`,
    )
    .all()
    .map(({ name }) => name);
  expect([...copiedTables, ...filledTables, ...ofLogbook, ...Object.keys(leftOut)].toSorted()).toEqual(
    ofSchema.toSorted(),
  );
});
