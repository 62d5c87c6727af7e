import { describe, expect, it } from 'vitest';

import { openStore } from '../../../src/db/opening/open-store.ts';
import { failureCauses, failuresByPlace, slowestSlice } from '../../../src/db/reports/failures.ts';
import { temporaryFolder } from '../../helpers.ts';
import { makeRunningStore, makeStore } from '../../made-store.ts';

const many = 1200;

describe('the causes of failures', () => {
  it('include those of permanently failed slices, however many attempts were retried', async () => {
    const store = await openStore(`${temporaryFolder()}/swf.db`);
    await store.write(({ sql }) => {
      // Neither an attempt that did not fail nor one of another execution has a cause here.
      for (const [execution, state] of [
        ['e', 'completed'],
        ['other', 'failed'],
      ] as const)
        sql(
          `INSERT INTO earlier_attempts (slice_filename, attempt, execution_id, state, starts, queued_at, error)
           VALUES (?, 1, ?, ?, 1, '2026-11-26T00:00:00.000Z', 'no cause')`,
        ).run(`of ${execution}`, execution, state);
      for (let slice = 0; slice < many; slice += 1) {
        const name = `swf.1.000001_slice_${slice}.tf`;
        sql(
          `INSERT INTO earlier_attempts (slice_filename, attempt, execution_id, state, starts, queued_at, error)
           VALUES (?, 1, 'e', 'failed', 1, '2026-11-26T00:00:00.000Z', 'a passing fault')`,
        ).run(name);
        sql(
          `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, status, attempt, created_at, error)
           VALUES (?, ?, 't', 's', 1, 'e', 0, 0, 1, ?, 2, '2026-11-26T00:00:00.000Z', ?)`,
        ).run(name, slice, slice < 300 ? 'failed' : 'completed', slice < 300 ? 'bad geometry' : null);
      }
    });
    expect(failureCauses(store.sql, 'e')).toEqual([
      { cause: 'a passing fault', attempts: 700 },
      { cause: 'bad geometry', attempts: 300 },
    ]);
    store.close();
  });
});

describe('the place where slices fail', () => {
  /** Slices of 20 STF files, tried first on one of five slots; each that fails is tried again on the sixth. */
  async function placeWhere(fails: (slot: number, slice: number, stf: number) => boolean, failsAgain: boolean) {
    const store = await openStore(`${temporaryFolder()}/swf.db`);
    await store.write(({ sql }) => {
      for (let n = 0; n < 300; n += 1) {
        const [stf, slice, slot] = [Math.floor(n / 15), n % 15, n % 5];
        const isFailed = fails(slot, slice, stf);
        const name = `swf.1.${stf}_slice_${slice}.tf`;
        if (isFailed)
          sql(
            `INSERT INTO earlier_attempts (slice_filename, attempt, execution_id, state, worker_id, hostname, starts, queued_at, error)
             VALUES (?, 1, 'e', 'failed', ?, 'host-a', 1, '', ?)`,
          ).run(name, `w/0${slot}`, slot === 3 ? 'no geometry' : 'of another slot');
        sql(
          `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, stf_filename, execution_id, status, attempt, assigned_worker, created_at, hostname, error)
           VALUES (?, ?, 't', ?, 'e', ?, ?, ?, '', 'host-a', ?)`,
        ).run(
          name,
          slice,
          `${stf}.stf`,
          isFailed && failsAgain ? 'failed' : 'completed',
          isFailed ? 2 : 1,
          isFailed ? 'w/06' : `w/0${slot}`,
          isFailed && failsAgain ? 'again' : null,
        );
      }
    });
    const { concentration } = failuresByPlace(store.sql, 'e');
    store.close();
    return concentration;
  }

  it('is not a place that only retries slices that fail everywhere', async () => {
    let n = 0;
    expect(await placeWhere(() => (n += 1) % 7 === 0, true)).toBeUndefined();
  });

  it('is the place where first attempts fail, with their errors', async () => {
    expect(await placeWhere((slot) => slot === 3, true)).toMatchObject({
      kind: 'slot',
      places: ['w/03'],
      failed: 60,
      tried: 60,
      failed_elsewhere: 0,
      tried_elsewhere: 240,
      errors: Array.from({ length: 60 }, () => 'no geometry'),
    });
  });

  it('is reported with its own errors, not the few from elsewhere', async () => {
    const found = await placeWhere((slot, slice, stf) => slot === 3 || (slice === 1 && stf === 0), false);
    expect(found).toMatchObject({ places: ['w/03'], failed: 60, failed_elsewhere: 1 });
    expect(new Set(found?.errors)).toEqual(new Set(['no geometry']));
  });

  it('may be the same slice number in every STF file', async () => {
    expect(await placeWhere((_, slice) => slice === 2, false)).toMatchObject({
      kind: 'slice number',
      places: ['2'],
      failed: 20,
      tried: 20,
    });
  });
});

it.each<[what: string, status: string, attempt: number]>([
  ['failed', 'failed', 1],
  ['was retried', 'completed', 2],
])('a slice that %s counts toward its place only if it is among the newest 20,000', async (_, status, attempt) => {
  const { store } = await makeStore();
  const failures = async (newer: number) => {
    await store.write(({ sql }) => {
      for (const table of ['tf_slices', 'earlier_attempts']) sql(`DELETE FROM ${table}`).run();
      const add = sql(
        `WITH RECURSIVE numbers (n) AS (SELECT ? UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, execution_id, status, attempt, assigned_worker, created_at)
         SELECT printf('%d', n), 0, 't', ?, ?, ?, 'w/01', '' FROM numbers`,
      );
      add.run(0, 0, 'e', status, attempt);
      add.run(1, newer, 'e', 'completed', 1);
      add.run(newer + 1, newer + 9, 'other', 'completed', 1);
      sql(
        `INSERT INTO earlier_attempts (slice_filename, attempt, execution_id, state, worker_id, starts, queued_at)
         VALUES ('0', 1, 'e', ?, 'w/01', 1, '')`,
      ).run(attempt === 2 ? 'failed' : 'unanswered');
    });
    return failuresByPlace(store.sql, 'e').by_worker.map(({ failed }) => failed);
  };
  expect(await failures(19_999)).toEqual([1]);
  expect(await failures(20_000)).toEqual([0]);
});

describe('a worker that is gone', () => {
  const id = 'stf_datataking-tester-0001';

  /**
   * The first driver's worker takes thirty slices, four of which fail at once. It dies, and the next one's takes the other
   * 26 again and, if it gets that far, all others.
   */
  async function afterDeath({ isDone, isRetried }: { isDone: boolean; isRetried: boolean }) {
    const { store, say } = await makeRunningStore({ worker: { max_retries: 1 } });
    const names = Array.from({ length: 75 }, (_, n) => `swf.100010.00000${Math.floor(n / 15) + 1}_slice_${n % 15}.tf`);
    const result = async (at: number, worker_id: string, state: 'done' | 'failed') => {
      const slice = { slice_filename: names[at] as string, slice_id: at % 15, tf_filename: 't', attempt: 1 };
      await say('slice_result', { ...slice, worker_id, hostname: 'host', state });
    };
    const start = async (at: number, worker_id: string) => {
      const slice = { slice_filename: names[at] as string, slice_id: at % 15, tf_filename: 't', attempt: 1 };
      await say('slice_started', { ...slice, worker_id, hostname: 'host' });
    };
    await store.write(({ sql }) => {
      for (const [at, name] of names.entries())
        sql(
          `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, stf_filename, execution_id, status, attempt, created_at)
           VALUES (?, ?, 't', ?, ?, 'queued', 1, '2026-11-26T00:00:00.000Z')`,
        ).run(name, at % 15, name.slice(0, 17), id);
    });
    for (let at = 0; at < 30; at += 1) await start(at, `first/${at}`);
    for (let at = 15; at < 19; at += 1) await result(at, `first/${at}`, 'failed');
    await say('driver_started', { epoch: 2, speed: 1, pid: 2, hostname: 'host', user: 'u', version: '1' });
    const others = names.flatMap((_, at) => (at >= 15 && at < 19 ? [] : [at]));
    for (const at of others) await start(at, `second/${at % 30}`);
    if (isDone) for (const at of others) await result(at, `second/${at % 30}`, 'done');
    if (isRetried) {
      // One that was started twice fails, and is tried again.
      await result(0, 'second/0', 'failed');
      const again = { slice_filename: names[0] as string, slice_id: 0, tf_filename: 't', attempt: 2 };
      await say('slice', { ...again, stf_filename: 'swf.100010.000001', start: 0, end: 0, tf_count: 1 });
    }
    return failuresByPlace(store.sql, id);
  }

  it.each([
    ['once its other slices are done elsewhere', { isDone: true, isRetried: false }, 75 - 4],
    ['while its other slices are in progress elsewhere', { isDone: false, isRetried: false }, undefined],
    ['when one of its other slices fails elsewhere and is retried', { isDone: false, isRetried: true }, 1],
  ])('is not blamed for its few quick failures %s', async (_, given, elsewhere) => {
    const { concentration, by_worker } = await afterDeath(given);
    expect(concentration).toBeUndefined();
    expect(by_worker.find(({ name }) => name === 'first')).toEqual({ name: 'first', failed: 4, tried: 30 });
    expect(by_worker.find(({ name }) => name === 'second')?.tried).toBe(elsewhere);
  });
});

describe('the slice that took longest', () => {
  /** Completed slices: when each began and was recorded as done (seconds), and what its worker measured, where the two differ (seconds). */
  it.each<[string, [name: string, begun: number, done: number, measured: number | null][], string]>([
    [
      'by the recorded times',
      [
        ['a', 0, 2, null],
        ['hung', 0, 300, null],
      ],
      'hung',
    ],
    [
      'by the recorded times, even if a shorter time was measured',
      [
        ['hung', 0, 300, null],
        ['late', 0, 25, 2],
      ],
      'hung',
    ],
    [
      'by its measured time, if others have shorter recorded times',
      [
        ['a', 0, 20, null],
        ['measured', 0, 400, 300],
      ],
      'measured',
    ],
    [
      'by the measured time, if all were measured',
      [
        ['a', 0, 0, 3],
        ['b', 0, 0, 250],
      ],
      'b',
    ],
  ])('is found %s', async (_, slices, found) => {
    const store = await openStore(`${temporaryFolder()}/swf.db`);
    const time = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
    await store.write(({ sql }) => {
      for (const [id, [name, begun, done, measured]] of slices.entries())
        sql(
          `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, stf_filename, execution_id, status, attempt, assigned_worker, created_at, assigned_at, completed_at, took_ms)
           VALUES (?, ?, 't', 's', 'e', 'completed', 1, 'w/01', '', ?, ?, ?)`,
        ).run(name, id, time(begun), time(done), measured === null ? null : measured * 1000);
    });
    const stage = 'slice_started → slice_result';
    const delay = { stage, items: 30, mean: 12, p50: 2, p95: 2, max: 300, last_at: '' } as const;
    expect(slowestSlice(store.sql, 'e', [delay])?.slice_filename).toBe(found);
    store.close();
  });
});
