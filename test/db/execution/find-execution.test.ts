import { describe, expect, it } from 'vitest';

import {
  countsOf,
  executionOfRun,
  messagesWithoutExecution,
  recentExecutionIds,
  requireExecution,
  requireObserved,
  requireOwn,
} from '../../../src/db/execution/find-execution.ts';
import { recordHeard } from '../../../src/db/observed/heard-messages.ts';
import { makeRunningStore, makeStore, noCounts, sayShortExecutions } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';

/** Adds an execution of other programs. */
const observe = (name: string, run: number | null): string =>
  `INSERT INTO workflow_executions (execution_id, origin, namespace, status, run_number, params, start_time)
     VALUES ('${name}', 'observed', '', 'running', ${run ?? 'NULL'}, '{}', '2026-11-28T10:00:00.000Z');
   INSERT INTO run_states (execution_id) VALUES ('${name}');`;

describe('an execution', () => {
  it('is found by its id or as "latest", with its counts', async () => {
    const made = await makeRunningStore();
    const { sql } = made.store;
    await made.say('stf_gen', { filename: 'swf.100010.000001.stf', sequence: 1, tf_count: 100 });
    await sayShortExecutions(made, 2);
    expect(requireExecution(sql, id)).toMatchObject({
      execution_id: id,
      origin: 'own',
      workflow_name: 'stf_datataking',
      namespace: 'test',
      status: 'running',
      status_reason: null,
      phase: 'physics',
      run_number: 100_010,
      executed_by: 'tester',
      end_time: null,
      ...noCounts,
      stf_count: 1,
    });
    expect(requireExecution(sql, 'latest').execution_id).toBe('stf_datataking-tester-0003');
    // What an execution stated at its end counts for it alone.
    made.store.db.exec(`UPDATE runs SET total_stf_files = 7 WHERE execution_id = 'stf_datataking-tester-0003'`);
    expect(['latest', 'stf_datataking-tester-0002'].map((one) => requireExecution(sql, one).stf_count)).toEqual([7, 0]);
    expect(countsOf(sql, id)).toEqual({ ...noCounts, stf_count: 1 });
    expect(() => countsOf(sql, 'another')).toThrow('the run of another has no state');
  });

  it('is listed among the recent ones, newest first', async () => {
    const made = await makeRunningStore();
    await sayShortExecutions(made, 2);
    expect(recentExecutionIds(made.store.sql)).toEqual([3, 2, 1].map((n) => `stf_datataking-tester-000${n}`));
  });
});

describe('an execution that is not found', () => {
  const refusal = (store: { sql: Parameters<typeof requireExecution>[0] }, name: string): unknown => {
    try {
      return requireExecution(store.sql, name);
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return [code, message];
    }
  };

  it('is reported as removed, with the time and the user', async () => {
    const { store } = await makeRunningStore();
    store.db.exec(
      `INSERT INTO removals (execution_id, removed_at, removed_by) VALUES ('e-9', '2026-11-27T10:00:00.000Z', 'ana')`,
    );
    expect(refusal(store, 'e-9')).toEqual([
      'EXECUTION_REMOVED',
      'e-9 was removed at 2026-11-27T10:00:00.000Z by ana, with everything recorded about it; list_workflow_executions lists the others',
    ]);
  });

  it.each(['latest', id])('leads to an error about the empty store, with or without an observer: %s', async (name) => {
    const { store } = await makeStore();
    expect(refusal(store, name)).toEqual([
      'EXECUTION_NOT_FOUND',
      'there are no executions in this store yet; "swf-mcp run" creates one',
    ]);
    // An observer only listens to runs.
    store.db.exec(
      `INSERT INTO hearings (namespace, since_ms, until_ms)
       VALUES ('a', ${Date.parse('2026-11-28T10:00Z')}, 0), ('b', ${Date.parse('2026-11-28T11:00Z')}, 0)`,
    );
    expect(refusal(store, name)).toEqual([
      'EXECUTION_NOT_FOUND',
      'there are no executions in this store yet; no run by other programs has been observed since listening began at 2026-11-28T10:00:00.000Z',
    ]);
  });

  it('leads to an error that lists runs whose messages name no execution, most messages first', async () => {
    const { store, say } = await makeRunningStore();
    const words = () => messagesWithoutExecution(store.sql);
    const hear = (at: number, run_id: string | undefined, more: object = {}) =>
      store.write((tx) =>
        recordHeard(tx, {
          t: new Date(at).toISOString(),
          destination: '/topic/epictopic',
          headers: { timestamp: String(at) },
          body: { msg_type: 'stf_ready', filename: `${at}.stf`, sender: 'data', run_id, ...more },
        }),
      );
    await say('stf_gen', { filename: 'swf.100010.000001.stf', sequence: 1, tf_count: 100 });
    await hear(1, undefined);
    await hear(2, '9', { execution_id: 'theirs' });
    expect(words()).toBeUndefined();
    await hear(3, '7');
    const rest = 'to no execution, because none of the recorded messages names an execution; list_messages shows';
    expect(words()).toBe(`1 message of run 7 belongs ${rest} it`);
    for (const [at, run] of [8, 8, 8, 5, 5, 6].entries()) await hear(10 + at, String(run));
    expect(words()).toBe(`7 messages of run 8, 5, 6 and 1 more belong ${rest} them`);
    await store.write(({ sql }) => sql(`UPDATE message_rows SET effect = 'rejected' WHERE sent_ms IN (3, 10)`).run());
    expect(words()).toBe(`5 messages of run 5, 8, 6 belong ${rest} them`);
  });

  it('leads to an error that names the execution id if a run number was given', async () => {
    const { store } = await makeRunningStore();
    expect(refusal(store, '100010')).toEqual([
      'EXECUTION_NOT_FOUND',
      `100010 is a run number; use its execution id, ${id}`,
    ]);
  });

  it.each(['stf_datataking-tester-0002', '100011', '100010x', '100010.0', '0x186aa'])(
    'leads to an error with the nearest id: %s',
    async (name) => {
      const { store } = await makeRunningStore();
      expect(refusal(store, name)).toEqual([
        'EXECUTION_NOT_FOUND',
        `there is no execution "${name}"; the nearest: ${id}; use "latest" for the newest; list_workflow_executions lists all`,
      ]);
    },
  );

  it('leads to an error with no more than the three nearest ids', async () => {
    const made = await makeRunningStore();
    await sayShortExecutions(made, 4);
    expect((refusal(made.store, 'stf_datataking-tester-0009') as string[])[1]).toContain(
      'the nearest: stf_datataking-tester-0005, stf_datataking-tester-0004, stf_datataking-tester-0003; use "latest"',
    );
  });
});

describe('the execution with a given run number', () => {
  it('is our own, or else the newest observed one', async () => {
    const { store } = await makeRunningStore();
    store.db.exec(
      observe('other-1', 7) + observe('other-2', 7) + observe('other-3', 100_010) + observe('other-4', null),
    );
    expect([100_010, 7, 8].map((run) => executionOfRun(store.sql, run))).toEqual([id, 'other-2', undefined]);
  });
});

describe('an operation on an execution', () => {
  it('is refused if the execution has the wrong origin, own or observed', async () => {
    const { store } = await makeRunningStore();
    store.db.exec(observe('other-1', 7));
    const [own, other] = [requireExecution(store.sql, id), requireExecution(store.sql, 'other-1')];
    expect(requireOwn(own, 'be resumed')).toBe(own);
    expect(requireObserved(other)).toBe(other);
    expect(() => requireOwn(other, 'be resumed')).toThrow(
      'other-1 is observed: other programs run it, so it cannot be resumed here; get_workflow_monitor shows what was recorded about it',
    );
    expect(() => requireObserved(own)).toThrow(
      `${id} was run by swf-mcp, whose messages are specified in docs/messages.md; name an observed execution`,
    );
    for (const refused of [() => requireOwn(other, 'be resumed'), () => requireObserved(own)])
      expect(refused).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
  });
});
