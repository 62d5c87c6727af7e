import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  executionIsMentioned,
  namespacesOf,
  nearestKnown,
  recentRunNumbers,
  runIsKnown,
  type ValueKind,
} from '../../../src/db/lists/known-values.ts';
import { newestPayload } from '../../../src/db/lists/tf-slices.ts';
import { distinctValues, isKnownWorker, maxValues, workersOf, workerTest } from '../../../src/db/lists/workers.ts';
import { createLogLineWriter } from '../../../src/db/log/log-lines.ts';
import { makeRunningStore, sayShortExecutions, type TestStore } from '../../made-store.ts';
import { ada, bob, knownRuns, slice, stf, tf } from './known-runs.ts';

let made: TestStore;

beforeAll(async () => {
  made = await knownRuns();
  const line = createLogLineWriter('DEBUG');
  await made.store.write((tx) => line(tx, { level: 'INFO', message: 'hello' }, { agent: 'only-in-logs' }));
});
afterAll(() => made.store.close());

describe('a filter value', () => {
  it.each<[kind: ValueKind, known: string[], unknown: string, near: string[]]>([
    [
      'worker',
      ['worker-agent-ada-1/01', '02', 'worker-agent-bob-3', '2'],
      'worker-agent-zoe-1/01',
      ['worker-agent-ada-1/01'],
    ],
    ['message sender', ['ada', 'worker-agent-ada-2', 'daq-agent-bob-9'], 'daq-agent-bob', ['daq-agent-bob-9']],
    ['log agent', ['only-in-logs', 'daq-agent-ada-1'], 'only-in-log', ['only-in-logs']],
    ['message type', ['stf_gen', 'unreadable', 'pause_run'], 'pause_runs', ['pause_run']],
    ['message type', [], 'unreadble', ['unreadable']],
    ['user', ['ada', 'bob', 'cleo'], 'cleop', ['cleo']],
    ['namespace', ['test', 'other'], 'tests', ['test']],
    ['workflow', ['stf_other'], 'stf_othr', ['stf_other']],
    ['STF file', [stf(100_010, 2)], stf(100_010, 3), [stf(100_010, 2)]],
    ['TF sample', [tf(100_010, 1)], tf(100_010, 2), [tf(100_010, 1)]],
    ['TF slice', [slice(100_010, 1, 3)], slice(100_010, 1, 4), [slice(100_010, 1, 3)]],
  ])('for a %s is known, or the error suggests the nearest values', (kind, known, unknown, near) => {
    for (const value of known) expect([value, nearestKnown(made.store.sql, kind, value)]).toEqual([value, undefined]);
    const told = nearestKnown(made.store.sql, kind, unknown);
    expect(told?.length).toBeLessThanOrEqual(3);
    expect(told?.[0]).toBe(near[0]);
    expect(new Set(told).size).toBe(told?.length);
  });

  it('for a sender leads to suggestions of senders only', () => {
    expect(nearestKnown(made.store.sql, 'message sender', ada)).not.toContain(ada);
  });

  it('that is very long still leads to suggestions', () => {
    expect(nearestKnown(made.store.sql, 'user', `${'x'.repeat(99)}ada${'bob'.repeat(99)}`)).toHaveLength(3);
  });
});

describe('the name of a file', () => {
  it('that is unknown leads to suggestions of neighbouring and newest names', async () => {
    const { store } = await makeRunningStore();
    await store.write(({ sql }) =>
      sql(
        `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 60)
         INSERT INTO stf_files (stf_filename, execution_id, status, created_at) SELECT printf('f-%03d', n), 'e', 'registered', '' FROM numbers`,
      ).run(),
    );
    const near = (name: string) => nearestKnown(store.sql, 'STF file', name);
    expect(near('f-030')).toBeUndefined();
    expect(near('f-030x')).toEqual(['f-030', 'f-031', 'f-032']);
    expect(near('f-029x')).toEqual(['f-029', 'f-028', 'f-027']);
    expect(near('a-055')).toEqual(['f-055', 'f-059', 'f-058']);
  });
});

describe('a namespace', () => {
  it('is known from an execution, an agent or messages', async () => {
    const { store } = await makeRunningStore();
    expect(nearestKnown(store.sql, 'namespace', 'elsewhere')).toEqual(['test']);
    await store.write(({ sql }) => {
      sql(`INSERT INTO message_namespaces VALUES ('elsewhere', 0)`).run();
      sql(
        `INSERT INTO processes (pid, pid_started, hostname, version, registered_at, last_beat) VALUES (1, '', 'h', '1', '', '')`,
      ).run();
      sql(
        `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id) VALUES ('a', 'worker', 'agents', 'READY', '', 1)`,
      ).run();
    });
    for (const known of ['test', 'elsewhere', 'agents'])
      expect(nearestKnown(store.sql, 'namespace', known)).toBeUndefined();
    expect(nearestKnown(store.sql, 'namespace', 'agent')).toEqual(['agents', 'test', 'elsewhere']);
  });
});

describe('the name of a worker', () => {
  it.each<[name: string, isKnown: boolean, matches: string[]]>([
    ['worker-agent-ada-1/01', true, ['worker-agent-ada-1/01']],
    ['worker-agent-ada-1/1', true, ['worker-agent-ada-1/01']],
    // Its agent is known, so it may have lost its slices.
    ['worker-agent-ada-1/09', true, []],
    ['worker-agent-zoe-1/01', false, []],
    ['worker-agent-ada-1', true, ['worker-agent-ada-1/01']],
    ['worker-agent-ada', false, []],
    ['1', true, ['worker-agent-ada-1/01', 'worker-agent-bob-3/01']],
    ['00001', true, ['worker-agent-ada-1/01', 'worker-agent-bob-3/01']],
    ['000001', false, []],
    ['02', true, ['worker-agent-ada-2/02']],
    ['3', false, []],
    ['worker-agent-ada-2/', true, []],
  ])('given as %s is matched against workers, agents and slots', (name, isKnown, matches) => {
    const { sql } = made.store;
    expect(isKnownWorker(sql, name)).toBe(isKnown);
    expect(workersOf(sql).filter(workerTest(sql, name))).toEqual(matches);
  });

  it('matches a worker by any form of its name, and an agent by the names of its workers', async () => {
    const { store } = await makeRunningStore();
    const work = (worker: string): Promise<unknown> =>
      store.write(({ sql }) =>
        sql(
          `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, execution_id, status, attempt, assigned_worker, created_at)
           VALUES (?, 0, 't', 'e', 'processing', 1, ?, '')`,
        ).run(worker, worker),
      );
    for (const worker of ['7', 'plain', 'foreign/3', 'unknown-agent/04']) await work(worker);
    const matches = (name: string): string[] => workersOf(store.sql).filter(workerTest(store.sql, name));
    expect(workersOf(store.sql)).toEqual(['7', 'foreign/3', 'plain', 'unknown-agent/04']);
    expect([matches('7'), matches('07'), matches('plain'), matches('foreign/3')]).toEqual([
      ['7'],
      [],
      ['plain'],
      ['foreign/3'],
    ]);
    expect(isKnownWorker(store.sql, 'unknown-agent')).toBe(true);
    expect(isKnownWorker(store.sql, 'unknown')).toBe(false);
    expect(isKnownWorker(store.sql, 'zoe')).toBe(false);
    expect(matches('unknown-agent')).toEqual(['unknown-agent/04']);
  });
});

describe('the values of a column', () => {
  it('are listed once each, in order from a given value, up to two thousand', async () => {
    const { store } = await makeRunningStore();
    const write = (count: number, name: string): Promise<unknown> =>
      store.write(({ sql }) =>
        sql(
          `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
           INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, execution_id, status, attempt, assigned_worker, created_at)
           SELECT '${name}' || n, 0, 't', 'e', 'processing', 1, printf('${name}/%05d', n), '' FROM numbers`,
        ).run(),
      );
    expect(distinctValues(store.sql, 'tf_slices', 'assigned_worker')).toEqual([]);
    await write(1999, 'w');
    const values = workersOf(store.sql);
    expect([values.length, values[0], values.at(-1)]).toEqual([1999, 'w/00001', 'w/01999']);
    expect(distinctValues(store.sql, 'tf_slices', 'assigned_worker', 'w/01998')).toEqual(['w/01998', 'w/01999']);
    // All workers are known here, so it is certain that none has this slot.
    expect(isKnownWorker(store.sql, '07')).toBe(false);
    await write(1, 'a');
    expect(workersOf(store.sql)).toHaveLength(maxValues);
    expect(isKnownWorker(store.sql, '07')).toBe(true);
    await write(5, 'b');
    expect(workersOf(store.sql)).toHaveLength(maxValues);
  });
});

describe('names and numbers that a store knows', () => {
  it('include its namespaces, newest runs and mentioned executions', () => {
    const { sql } = made.store;
    expect(namespacesOf(sql)).toEqual(['', 'other', 'test']);
    expect(recentRunNumbers(sql)).toEqual([100_012, 100_011, 100_010]);
    expect([100_010, 100_012, 100_013].map((run) => runIsKnown(sql, run))).toEqual([true, true, false]);
    expect([ada, bob, 'nobody'].map((id) => executionIsMentioned(sql, id))).toEqual([true, true, false]);
  });

  it('include runs and executions that were only mentioned', async () => {
    const { say, store } = await makeRunningStore();
    const of = { execution_id: 'stf_datataking-zoe-0099', run_id: '100099' };
    expect([runIsKnown(store.sql, 100_099), executionIsMentioned(store.sql, of.execution_id)]).toEqual([false, false]);
    await say('resume_run', { ordinal: 1, reason: 'operator', ...of });
    expect([runIsKnown(store.sql, 100_099), executionIsMentioned(store.sql, of.execution_id)]).toEqual([true, true]);
  });

  it('include at most five runs', async () => {
    const many = await makeRunningStore();
    await sayShortExecutions(many, 6);
    expect(recentRunNumbers(many.store.sql)).toEqual([100_016, 100_015, 100_014, 100_013, 100_012]);
  });

  it('include the payload of the newest slice, with a short digest', async () => {
    const { sql } = made.store;
    expect(newestPayload(sql, bob)).toBeUndefined();
    expect(newestPayload(sql, 'nobody')).toBeUndefined();
    // The newest slice of this run has the placeholder payload.
    expect(newestPayload(sql, ada)).toBeUndefined();
    const { db } = made.store;
    db.exec(`BEGIN; DELETE FROM tf_slices WHERE slice_id > 1`);
    try {
      expect(newestPayload(sql, ada)).toBe('Reco sha256:0123456789ab…');
    } finally {
      db.exec('ROLLBACK');
    }
  });
});
