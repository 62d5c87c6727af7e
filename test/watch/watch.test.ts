import { rmSync, writeFileSync } from 'node:fs';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { listAlarms } from '../../src/db/logbook/alarms.ts';
import { markSeen } from '../../src/db/logbook/entries.ts';
import { becomeWatcher, candidates, lastLook } from '../../src/db/logbook/watching.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import type { Queries } from '../../src/db/queries.ts';
import { SwfError } from '../../src/lib/errors.ts';
import { currentProcess, isAlive } from '../../src/lib/process-identity.ts';
import type { Finding } from '../../src/monitoring/findings/rule.ts';
import { recordLook } from '../../src/watch/look.ts';
import { type Delivery, type Receiver, Refused } from '../../src/watch/receiver.ts';
import { watch } from '../../src/watch/watch.ts';
import { useFastTime } from '../fast-time.ts';
import { makeRunningStore, type TestStore } from '../helpers.ts';

useFastTime(20);

const execution_id = 'stf_datataking-tester-0001';

const stuck = (about: string): Finding => ({
  code: 'STAGE_STUCK',
  severity: 'error',
  sentence: `${about} does nothing`,
  ids: [about],
  about,
  next: { tool: 'list_agents', arguments: {} },
});

/** A store as the watcher reads it, with the findings of a test. */
const asking = (findings: () => Finding[], execution: object): Queries =>
  ({
    snapshot: (ask: () => unknown) => ask(),
    execution: () => ({ status: 'running', end_time: null, ...execution }),
    messageCount: () => 0,
    dataAsOf: () => undefined,
    assessWithFindings: () => ({ findings: findings() }),
  }) as unknown as Queries;

interface Started {
  findings: Finding[];
  lines: string[];
  stop: () => Promise<void>;
  ended: Promise<void>;
}

/** The next writes fail as on a full disk. */
function refuseWrites({ store }: TestStore, times: number): void {
  const spy = vi.spyOn(store, 'write');
  for (let n = 0; n < times; n += 1)
    spy.mockRejectedValueOnce(new SwfError('STORE_UNAVAILABLE', 'the store has no room on its disk'));
}

function start({ store }: TestStore, receivers: Receiver[], execution: object = {}): Started {
  const stopping = new AbortController();
  const started: Started = { findings: [], lines: [], stop: () => Promise.resolve(), ended: Promise.resolve() };
  const watching = watch({
    store,
    queries: () => asking(() => started.findings, execution),
    receivers,
    everySeconds: 1,
    after: {},
    version: '0',
    page: 'https://testbed/',
    say: (line) => started.lines.push(line),
    onReady: () => {},
    signal: stopping.signal,
  });
  started.ended = watching;
  started.stop = async () => {
    stopping.abort();
    await watching;
  };
  onTestFinished(() => started.stop());
  return started;
}

function receiver(name: string, tell: Receiver['tell'] = () => Promise.resolve()): Receiver & { told: Delivery[] } {
  const told: Delivery[] = [];
  return {
    name,
    key: name,
    told,
    async tell(delivery, signal) {
      told.push(delivery);
      await tell(delivery, signal);
    },
  };
}

const until = (test: () => void): Promise<void> => vi.waitFor(test, { timeout: 200_000, interval: 5 });

const changesOf = ({ told }: { told: Delivery[] }): string[] => told.map(({ change, count }) => `${change} ${count}`);

const seconds = (n: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, n * 1000));

describe('an alarm', () => {
  it('is raised, marked as seen, cleared and raised again as the same alarm; each receiver gets each change once', async () => {
    const made = await makeRunningStore();
    const [a, b] = [receiver('a'), receiver('b')];
    const watching = start(made, [a, b]);
    watching.findings = [stuck('data')];
    await until(() => expect(changesOf(a)).toEqual(['raised 1']));
    // A finding that flickers is the same alarm.
    watching.findings = [];
    await seconds(4);
    watching.findings = [stuck('data')];
    const seen = await markSeen(made.store, 'STAGE_STUCK', { author: 'ana', sender: 'ana', text: 'I *look*' });
    expect(seen).toMatchObject({ isNew: true, alarm: { state: 'seen', seen_by: 'ana' } });
    expect(await markSeen(made.store, 'STAGE', { author: 'bo', sender: 'bo' })).toMatchObject({
      isNew: false,
      alarm: { seen_by: 'ana' },
    });
    await until(() => expect(changesOf(a)).toEqual(['raised 1', 'seen 1']));
    watching.findings = [];
    await until(() => expect(changesOf(a)).toEqual(['raised 1', 'seen 1', 'cleared 1']));
    watching.findings = [stuck('data')];
    await until(() => expect(changesOf(a)).toEqual(['raised 1', 'seen 1', 'cleared 1', 'raised 2']));
    await until(() => expect(b.told).toEqual(a.told));
    const alarm = `STAGE_STUCK/${execution_id}:data`;
    expect(a.told.map(({ id }) => id)).toEqual(
      ['1/raised', '1/seen', '1/cleared', '2/raised'].map((change) => `alarm/${alarm}/${change}`),
    );
    expect(a.told[1]).toMatchObject({
      code: 'STAGE_STUCK',
      subject: `${execution_id}:data`,
      severity: 'error',
      execution_id,
    });
    expect(a.told[1]?.text).toMatch(
      /^error STAGE_STUCK seen by ana \(I \\\*look\\\*\), stf_datataking-tester-0001:data: data does nothing https:\/\/testbed\/#\/stf_datataking-tester-0001\?asof=/,
    );
    // A program gets the words as they are.
    expect(a.told[1]?.plain).toMatch(
      /^error STAGE_STUCK seen by ana \(I \*look\*\), stf_datataking-tester-0001:data: /,
    );
    const { rows } = listAlarms(made.store.sql, {}, { order: 'newest', limit: 10 });
    expect(rows).toMatchObject([{ alarm_id: alarm, state: 'raised', count: 2, seen_by: null, cleared_at: null }]);
  });

  it('is sent again with the same id to a receiver that was away, and other receivers do not wait for it', async () => {
    const made = await makeRunningStore();
    let isAway = true;
    const away = receiver('away', () => (isAway ? Promise.reject(new Error('it answered 503')) : Promise.resolve()));
    const hanging = receiver(
      'hanging',
      (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    );
    const well = receiver('well');
    const watching = start(made, [away, hanging, well]);
    watching.findings = [stuck('data'), stuck('worker')];
    await until(() => expect(well.told).toHaveLength(2));
    await until(() => expect(away.told.length).toBeGreaterThan(2));
    isAway = false;
    await until(() => expect(new Set(away.told.map(({ id }) => id)).size).toBe(2));
    const first = away.told.filter(({ id }) => id === away.told[0]?.id);
    expect(away.told.slice(0, first.length)).toEqual(first);
    expect(hanging.told).toHaveLength(1);
    expect(watching.lines.filter((line) => line.includes('away was not notified'))).toEqual([
      `WARNING away was not notified of alarm/STAGE_STUCK/${execution_id}:data/1/raised: it answered 503; retrying`,
    ]);
  });

  it('is delayed if its receiver was sent ten others within a minute', async () => {
    const made = await makeRunningStore();
    const times: number[] = [];
    const told = receiver('told', () => {
      times.push(performance.now());
      return Promise.resolve();
    });
    const watching = start(made, [told]);
    watching.findings = Array.from({ length: 12 }, (_, n) => stuck(`stage ${n}`));
    await until(() => expect(told.told).toHaveLength(12));
    const [first = 0] = times;
    expect((times[9] ?? 0) - first).toBeLessThan(60_000);
    expect((times[10] ?? 0) - first).toBeGreaterThanOrEqual(60_000);
  });

  it('is raised by one process per store; a second process stands by, and takes over when the first ends', async () => {
    const made = await makeRunningStore();
    const [a, b] = [receiver('a'), receiver('b')];
    const first = start(made, [a]);
    await until(() => expect(first.lines).toHaveLength(1));
    const second = start(made, [b]);
    await until(() =>
      expect(second.lines).toEqual([
        'another process is watching this store; this one waits, and when it takes over, reports what happened until then',
      ]),
    );
    first.findings = [stuck('data')];
    second.findings = [stuck('data'), stuck('worker')];
    await until(() => expect(changesOf(a)).toEqual(['raised 1']));
    await first.stop();
    // Alarms that were raised while it stood by are new to its receiver.
    await until(() =>
      expect(b.told.map(({ subject }) => subject)).toEqual([`${execution_id}:data`, `${execution_id}:worker`]),
    );
  });

  it('is skipped for a receiver that refuses it five times, and the next one is sent', async () => {
    const made = await makeRunningStore();
    const strict = receiver('strict', ({ subject }) =>
      subject.endsWith('data') ? Promise.reject(new Refused('it answered 400')) : Promise.resolve(),
    );
    const watching = start(made, [strict]);
    watching.findings = [stuck('data'), stuck('worker')];
    await until(() => expect(strict.told.at(-1)?.subject).toBe(`${execution_id}:worker`));
    expect(strict.told).toHaveLength(6);
    expect(watching.lines).toContain(
      `WARNING did not notify strict of alarm/STAGE_STUCK/${execution_id}:data/1/raised: it answered 400, 5 times`,
    );
  });

  it('is skipped, with a warning, if its receiver comes back only after a day', async () => {
    const made = await makeRunningStore();
    const first = start(made, [receiver('a')]);
    first.findings = [stuck('data')];
    await until(() => expect(first.lines).toHaveLength(2));
    await first.stop();
    await made.store.write(({ sql }) => {
      sql(`UPDATE alarm_receivers SET seq = 0`).run();
      sql(`UPDATE message_rows SET recorded_ms = recorded_ms - 90000000 WHERE (rare & 32) <> 0`).run();
    });
    const a = receiver('a');
    const second = start(made, [a]);
    second.findings = [stuck('data'), stuck('worker')];
    await until(() => expect(a.told.map(({ subject }) => subject)).toEqual([`${execution_id}:worker`]));
    expect(second.lines[0]).toBe(
      'WARNING did not notify a of 1 change that is older than a day; "swf-mcp alarms" lists alarms',
    );
  });

  it('is sent once, even if the store cannot be written to at that moment', async () => {
    const made = await makeRunningStore();
    const a = receiver('a', () => {
      if (a.told.length === 1) refuseWrites(made, 3);
      return Promise.resolve();
    });
    const watching = start(made, [a]);
    watching.findings = [stuck('data')];
    await until(() => expect(watching.lines).toContain('a accepts alarms again'));
    watching.findings = [];
    await until(() => expect(changesOf(a)).toEqual(['raised 1', 'cleared 1']));
  });

  it('is raised by a later check if the store cannot be written to at first', async () => {
    const made = await makeRunningStore();
    const a = receiver('a');
    const watching = start(made, [a], { status: 'completed', end_time: '2026-01-01T00:00:00.000Z' });
    watching.findings = [stuck('data')];
    await until(() => expect(watching.lines).toHaveLength(1));
    refuseWrites(made, 2);
    await until(() => expect(changesOf(a)).toEqual(['raised 1']));
  });

  it('is raised for an observed execution with any name', async () => {
    const made = await makeRunningStore();
    made.store.sql(`UPDATE workflow_executions SET execution_id = 'their run~102007'`).run();
    const a = receiver('a');
    const watching = start(made, [a]);
    watching.findings = [stuck('data')];
    await until(() => expect(a.told).toMatchObject([{ execution_id: 'their run~102007' }]));
  });

  it('is raised even if another execution is removed during the check', async () => {
    const { store } = await makeRunningStore();
    const watcher = await store.write((tx) => {
      const id = registerProcess(tx, currentProcess(), '0');
      becomeWatcher(tx, id, isAlive, Date.now());
      return id;
    });
    const finding = (subject: string) => ({ code: 'STAGE_STUCK', severity: 'error' as const, subject, sentence: 'x' });
    const found = new Map([
      ['stf_datataking-tester-0099', [finding('removed')]],
      [execution_id, [finding('data')]],
    ]);
    const recorded = await recordLook(store, watcher, { found, now: Date.now(), after: { STAGE_STUCK: 0 } });
    expect(recorded).toEqual(['raised error STAGE_STUCK/data: x']);
    expect(candidates(store.sql).map((one) => one.execution_id)).not.toContain('stf_datataking-tester-0099');
  });

  it('is checked for only once in a run that ended long ago', async () => {
    const made = await makeRunningStore();
    let looks = 0;
    const watching = start(made, [], { status: 'completed', end_time: '2026-01-01T00:00:00.000Z' });
    Object.defineProperty(watching, 'findings', {
      get() {
        looks += 1;
        return [];
      },
    });
    await until(() => expect(looks).toBe(1));
    const first = lastLook(made.store.sql);
    await until(() => expect(lastLook(made.store.sql)).toBeGreaterThan(first + 3000));
    expect(looks).toBe(1);
  });

  it('is no longer checked for, and the watch fails, once a newer program has migrated the store', async () => {
    const made = await makeRunningStore();
    const watching = start(made, []);
    await until(() => expect(watching.lines).toHaveLength(1));
    vi.spyOn(made.store, 'write').mockRejectedValue(new SwfError('STORE_TOO_NEW', 'it is newer'));
    await expect(watching.ended).rejects.toThrow('it is newer');
    watching.stop = () => Promise.resolve();
  });

  it('is no longer checked for, and the watch fails, once the store has been replaced', async () => {
    const made = await makeRunningStore();
    const watching = start(made, []);
    await until(() => expect(watching.lines).toHaveLength(1));
    rmSync(made.path);
    writeFileSync(made.path, 'another');
    await expect(watching.ended).rejects.toThrow(/was replaced by another file/);
    watching.stop = () => Promise.resolve();
  });
});
