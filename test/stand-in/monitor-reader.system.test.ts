import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { noteRead } from '../../src/db/observed/executions.ts';
import { recordHeard } from '../../src/db/observed/heard-messages.ts';
import { noteGap, noteSpan } from '../../src/db/observed/hearings.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import type { Store } from '../../src/db/opening/store.ts';
import { createQueries } from '../../src/db/queries.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { temporaryFolder } from '../helpers.ts';
import { readRecording, someRecordedRuns } from '../observer/recordings.ts';
import { Player, readCalls } from './player.ts';
import { readerOf } from './reader.ts';
import { standIn } from './stand-in-process.ts';

const id = 'stf_datataking-shifter-0001';

async function storeOf(lines: readonly MessageLine[]): Promise<Store> {
  const store = await openStore(join(temporaryFolder(), 'swf.db'));
  await store.write((tx) => {
    for (const line of lines) recordHeard(tx, line);
  });
  return store;
}

function factsOf(store: Store) {
  const queries = createQueries(store.db, () => undefined);
  const row = queries.execution(id);
  const { findings, heard } = queries.assessWithFindings(row, Date.now(), undefined);
  return { row, findings, facts: heard, record: heard };
}

/** A monitor that has received the calls of a recording but for the end, and a function that sends it the end. */
async function toldOf(run: string) {
  const monitor = await standIn();
  const player = new Player(monitor.root);
  const calls = await readCalls(run);
  const end = calls.findIndex(({ method, path }) => method === 'PATCH' && path.startsWith('/api/workflow-executions/'));
  await player.play(calls.filter((_, at) => at !== end));
  const get = async (path: string): Promise<unknown> => (await fetch(`${monitor.root}/api/${path}`)).json();
  return { monitor, get, finish: () => player.play(calls.slice(end, end + 1)) };
}

describe('a monitor that is read', () => {
  it.each(someRecordedRuns)('supplies the same files, slices, results and end as the bus, for %s', async (run) => {
    const { monitor, get, finish } = await toldOf(run);
    const { pass, lines, asked, said, reads } = readerOf(get);
    await pass(60);
    await finish();
    await pass(60);
    const after = lines.length;
    await pass(200);
    expect(lines).toHaveLength(after);
    expect(said).toEqual([]);
    for (const [at, one] of asked.entries())
      if (at > 0) expect(one.at - (asked[at - 1]?.at ?? 0)).toBeGreaterThanOrEqual(1000);
    expect(asked.some(({ path }) => path.includes('logs'))).toBe(false);
    const alone = await storeOf(lines);
    const heard = await storeOf(await readRecording(run));
    const [told, bus] = [factsOf(alone), factsOf(heard)];
    expect(told.row).toMatchObject({ status: 'completed', executed_by: 'shifter', stf_count: bus.row.stf_count });
    // A failed slice of the public programs has no name in its result.
    const unnamed = run.startsWith('H') ? bus.row.slices_failed : 0;
    expect(told.row.slices_completed).toBe(bus.row.slices_completed);
    expect(told.row.slices_failed).toBe(bus.row.slices_failed - unnamed);
    expect(told.record).toMatchObject({
      slices_told: bus.row.slices_created,
      slices_unsent: unnamed,
      results_unmatched: unnamed,
    });
    expect(reads.at(-1)?.run_id).toBe(String(bus.row.run_number));
    alone.close();
    heard.close();
    monitor.close();
  });

  it.each(['F-1', 'F-2'])(
    'fills in for an observer that was away in the middle of %s, and the finding says so',
    async (run) => {
      const { monitor, get, finish } = await toldOf(run);
      const bus = await readRecording(run);
      const [from, until] = [bus[Math.floor(bus.length * 0.3)], bus[Math.floor(bus.length * 0.7)]].map((line) =>
        Date.parse((line as MessageLine).t),
      ) as [number, number];
      const store = await storeOf(bus.filter(({ t }) => Date.parse(t) < from || Date.parse(t) > until));
      await store.write((tx) => {
        noteSpan(
          tx,
          { since: Date.parse((bus[0] as MessageLine).t), until: Date.parse((bus.at(-1) as MessageLine).t) },
          [],
        );
        noteGap(tx, {
          from: new Date(from).toISOString(),
          until: new Date(until).toISOString(),
          reason: 'the observer was away',
        });
      });
      expect(factsOf(store).findings.find(({ code }) => code === 'NOT_HEARD')).toMatchObject({ severity: 'warning' });
      const { pass, lines, reads } = readerOf(get);
      await pass(40);
      await finish();
      await pass(60);
      await store.write((tx) => {
        for (const line of lines) recordHeard(tx, line);
        for (const { at, ...read } of reads) noteRead(tx, read, at);
      });
      const whole = await storeOf(bus);
      const [filled, truth] = [factsOf(store), factsOf(whole)];
      for (const count of ['stf_count', 'slices_created', 'slices_completed', 'slices_failed'] as const)
        expect([count, filled.row[count]]).toEqual([count, truth.row[count]]);
      expect(filled.findings.find(({ code }) => code === 'NOT_HEARD')).toMatchObject({
        severity: 'info',
        sentence: expect.stringContaining('have since been read from swf-monitor'),
      });
      store.close();
      whole.close();
      monitor.close();
    },
  );
});
