import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { reopenSettled, settleObserved } from '../../src/db/observed/settle.ts';
import { openReader } from '../../src/db/opening/open-reader.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { createPasts } from '../../src/db/past-queries.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { createQueries } from '../../src/db/queries.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { timeOfLine } from '../../src/observed/recording-lines.ts';
import { readIntoStore } from '../../src/observer/read-into-store.ts';
import { readRecordings } from '../../src/observer/recording-reader.ts';
import { temporaryFolder } from '../folder.ts';
import { someRecordedRuns } from '../observer/recordings.ts';
import { rounds } from '../rounds.ts';
import { answerTo, contextOf, noPast, questionsAbout, settled } from './questions.ts';

const partsOf = (name: string): string[] =>
  ['bus', 'rest'].map((part) => resolve('test/recordings', name, `${part}.jsonl.gz`));

/** The lines of recordings as texts, each with its time. */
async function linesOf(paths: readonly string[]): Promise<{ time: string; text: string }[]> {
  const lines = [];
  for await (const read of readRecordings(paths, () => {}))
    if (read.kind !== 'rejected') lines.push({ time: timeOfLine(read) ?? '', text: JSON.stringify(read.line) });
  return lines;
}

async function storeOf(paths: readonly string[]): Promise<string> {
  const store = await openStore(join(temporaryFolder(), 'swf.db'));
  await readIntoStore(paths, { store, namespaces: [], until: undefined, onTorn: () => {} });
  store.close();
  return store.path;
}

/** Numbers of rows, and agents: they are known to the minute, and of the last run that they were heard in. */
const elsewhere = new Set(['seq', 'as_of_exact', 'agents']);

/** An answer without the parts that depend on other runs in the store. */
const ofRun = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(settled(answer), (name, value: unknown) => (elsewhere.has(name) ? undefined : value)));

/** Makes a store that of an observer which has heard these messages until now, and still listens. */
async function keepListening(path: string, now: number): Promise<void> {
  const store = await openStore(path);
  await store.write((tx) => {
    const process_id = registerProcess(tx, currentProcess(), '0');
    tx.sql('UPDATE hearings SET process_id = ?, until_ms = ?, beat_ms = ?').run(process_id, now, now);
    for (const id of tx.sql<string>('SELECT execution_id FROM observed_runs').values()) reopenSettled(tx.sql, id);
    settleObserved(tx, { isAlive: () => true, now });
  });
  store.close();
}

function fileOf(lines: readonly { text: string }[]): string {
  const file = join(temporaryFolder(), 'lines.jsonl');
  writeFileSync(file, lines.map(({ text }) => `${text}\n`).join(''));
  return file;
}

/** Points in a recording at which its store is queried, as fractions. */
const moments = rounds(5, 2);
const parts = Array.from({ length: moments }, (_, n) => (n + 0.3) / (moments - 0.7));

describe('an answer as of a time in a recording', () => {
  it.each([...someRecordedRuns.map((run) => [run]), ['H-2', 'H-1']])(
    'equals the answer that a live observer would have given: %s',
    async (...names) => {
      const [first = '', another] = names;
      const reader = openReader(await storeOf(partsOf(first)));
      // Its programs give all their first runs the same name.
      const lines = (await linesOf(partsOf(another ?? first))).map(({ time, text }) => ({
        time,
        text: another === undefined ? text : text.replaceAll('shifter-0001', 'shifter-0007'),
      }));
      if (another !== undefined) {
        // The later run was read in first, so the log cannot be cut at a row.
        const store = await openStore(reader.name);
        await readIntoStore([fileOf(lines)], { store, namespaces: [], until: undefined, onTorn: () => {} });
        store.close();
      }
      const queries = createQueries(reader, () => false);
      const pasts = createPasts(reader, () => false);
      for (const part of parts) {
        const { time } = lines[Math.round((lines.length - 1) * Math.min(1, part))]!;
        const now = Date.parse(time);
        const file = fileOf(lines.filter((line) => line.time <= time && line.time !== ''));
        const path = await storeOf([file]);
        if (part < 1) await keepListening(path, now);
        const then = openReader(path);
        const before = createQueries(
          then,
          Object.assign(() => part < 1, { now }),
        );
        const { execution_id } = before.executions({}, { order: 'newest', limit: 1 }).rows[0] ?? {
          execution_id: 'none',
        };
        const { slice_filename = 'none' } = before.tfSlices({}, { order: 'oldest', limit: 1 }).rows[0] ?? {};
        for (const question of questionsAbout(execution_id, slice_filename).filter(
          ([tool, { execution_id: id }]) => tool !== 'list_agents' && (another === undefined || id !== undefined),
        )) {
          const [tool, args] = question;
          const given = await answerTo(question, contextOf(before, now, noPast));
          const asked = await answerTo(
            [tool, { ...args, as_of: new Date(now).toISOString() }],
            contextOf(queries, Date.now(), (...moment) => pasts.ask(...moment)),
          );
          expect({ tool, args, part, answer: ofRun(asked) }).toEqual({ tool, args, part, answer: ofRun(given) });
        }
        then.close();
      }
      pasts.close();
      reader.close();
    },
  );
});
