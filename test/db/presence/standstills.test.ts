import { describe, expect, it } from 'vitest';

import { takeOwnership } from '../../../src/db/presence/leases.ts';
import { noteStandstill, standstillsOf } from '../../../src/db/presence/standstills.ts';
import { makeRunningStore, noCounts, sayShortExecutions } from '../../made-store.ts';
import { at, begin, fakeClock, register, rowsOf } from './processes.ts';

const id = 'stf_datataking-tester-0001';
const second = 'stf_datataking-tester-0002';

/** A run driven by one process since the beginning, and another process that drives none. */
async function drivenRun() {
  fakeClock();
  const made = await makeRunningStore();
  const { store, say } = made;
  const [driver, other] = [await register(store, 101), await register(store, 102)];
  const take = (execution: string): Promise<number> =>
    store.write((tx) => takeOwnership(tx, execution, driver, () => true));
  await take(id);
  const standstill = (from: number, until: number, shortest: number, process = driver): Promise<string | undefined> =>
    store.write((tx) => noteStandstill(tx, process, [begin + from * 1000, begin + until * 1000], shortest));
  const record = async (...seconds: number[]): Promise<void> => {
    for (const [n, second_] of seconds.entries())
      await say('stf_gen', { filename: `${second_}-${n}.stf`, sequence: 1, tf_count: 1 }, { recordedAt: at(second_) });
  };
  return { made, store, driver, other, take, standstill, record };
}

describe('a standstill', () => {
  it.each<[what: string, recorded: number[], shortest: number, gap: [from: number, until: number] | undefined]>([
    ['spans the whole time if nothing was recorded', [], 100, [100, 200]],
    ['is not noted if it is shorter than the minimum', [], 100.1, undefined],
    ['is the longer part after a message', [130], 70, [130, 200]],
    ['is the longer part before a message', [180], 80, [100, 180]],
    ['is the first of two equally long parts', [150], 50, [100, 150]],
    ['lies between two messages', [120, 170], 50, [120, 170]],
    ['lies between two messages that were recorded in reverse order', [170, 120], 50, [120, 170]],
    ['is not noted if a message leaves only shorter parts', [150], 50.1, undefined],
    ['is not changed by messages at or beyond its ends', [100, 200, 99, 201], 100, [100, 200]],
  ])('%s', async (_what, recorded, shortest, gap) => {
    const { standstill, record, store } = await drivenRun();
    await record(...recorded);
    const line = await standstill(100, 200, shortest);
    const [from, until] = gap ?? [0, 0];
    const told = `nothing was written for ${until - from} s, since ${at(from)}: the process was suspended, or the store could not be written`;
    expect(line).toBe(gap === undefined ? undefined : told);
    expect(standstillsOf(store.sql, id)).toEqual(gap === undefined ? [] : [{ from: at(from), until: at(until) }]);
  });

  it('is not interrupted by commands or logbook entries', async () => {
    const { standstill, made } = await drivenRun();
    const { say } = made;
    await say('stop_workflow', { command_id: 's' }, { recordedAt: at(130) });
    await say('note', { command_id: 'n', text: 'why?', author: 'ada' }, { recordedAt: at(160) });
    expect(await standstill(100, 200, 100)).toContain('for 100 s');
  });

  it('may begin before the first message of a run', async () => {
    const { standstill } = await drivenRun();
    expect(await standstill(-100, 50, 1)).toContain('nothing was written for 100 s');
  });

  it('is reported in tenths of a second', async () => {
    const { standstill } = await drivenRun();
    expect(await standstill(100, 101.26, 1)).toContain('nothing was written for 1.3 s');
  });

  it('is looked for only in the newest twenty thousand messages', async () => {
    const { standstill, store } = await drivenRun();
    // Three messages are older.
    const add = (count: number): unknown =>
      store.db.exec(
        `INSERT INTO message_rows (short_id, type_no, execution_no, sent_ms, recorded_ms, effect, is_whole, body)
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
         SELECT 'many ' || n || ' ' || (SELECT max(seq) FROM message_rows), type_no, execution_no, sent_ms, ${begin + 160_000}, effect, is_whole, body
         FROM numbers, (SELECT * FROM message_rows WHERE seq = (SELECT seq FROM workflow_messages WHERE message_id = '${id}/start_run'))`,
      );
    add(19_999);
    // The oldest one considered is older than the time in question.
    expect(await standstill(100, 200, 1)).toContain('for 60 s');
    add(1);
    expect(await standstill(100, 200, 1)).toContain('for 40 s');
  });

  it('is logged in the name of the DAQ simulator, for the execution that the process was driving', async () => {
    const { standstill, driver, other, store } = await drivenRun();
    await store.write(({ sql }) => {
      for (const [name, type] of [
        ['a-data', 'data'],
        ['z-daq', 'daq_simulator'],
        ['m-worker', 'worker'],
      ] as const)
        sql(
          `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id) VALUES (?, ?, 'test', 'READY', '', ?)`,
        ).run(name, type, driver);
    });
    const line = await standstill(100, 200, 5);
    // A process that drives nothing only gets the line back.
    expect(await standstill(300, 400, 5, other)).toContain('for 100 s');
    expect(rowsOf(store, 'timestamp, level, agent, message, execution_id, run_id', 'app_logs')).toEqual([
      { timestamp: at(200), level: 30, agent: 'z-daq', message: line, execution_id: id, run_id: '100010' },
    ]);
  });

  it('belongs to the executions that were running at the time', async () => {
    const { made, store, take, standstill } = await drivenRun();
    await sayShortExecutions(made, 1);
    await take(second);
    const end = { ...noCounts, status: 'completed', reason: 'completed' } as const;
    await made.say('workflow_ended', end, { recordedAt: at(150) });
    store.db.exec(
      `UPDATE workflow_executions SET start_time = '${at(0)}', end_time = '${at(50)}' WHERE execution_id = '${id}'`,
    );
    store.db.exec(
      `UPDATE workflow_executions SET start_time = '${at(60)}', end_time = NULL WHERE execution_id = '${second}'`,
    );
    const noted = async (from: number, until: number): Promise<string[]> => {
      await standstill(from, until, 0);
      return [id, second].filter((one) => standstillsOf(store.sql, one).some((gap) => gap.from === at(from)));
    };
    expect(await noted(10, 20)).toEqual([id]);
    expect(await noted(50, 60)).toEqual([id]);
    expect(await noted(50.001, 60)).toEqual([]);
    expect(await noted(40, 60.001)).toEqual([id, second]);
    expect(await noted(60, 90)).toEqual([second]);
  });

  it('is not interrupted by messages of an execution that was not running at that time', async () => {
    const { store, standstill, record } = await drivenRun();
    await record(130);
    store.db.exec(`UPDATE workflow_executions SET end_time = '${at(99.999)}'`);
    expect(await standstill(100, 200, 1)).toContain('for 100 s');
    store.db.exec(`UPDATE workflow_executions SET end_time = '${at(100)}'`);
    expect(await standstill(100, 200, 1)).toContain('for 70 s');
    store.db.exec(`UPDATE workflow_executions SET start_time = '${at(200)}'`);
    expect(await standstill(100, 200, 1)).toContain('for 100 s');
  });
});
