import { describe, expect, it } from 'vitest';

import { createLogLineWriter, insertLogLine } from '../../../src/db/log/log-lines.ts';
import { type LogLevel, logLevels } from '../../../src/lib/logger.ts';
import { makeRunningStore, makeStore } from '../../made-store.ts';

const levels = Object.keys(logLevels) as LogLevel[];

describe('the log lines of agents', () => {
  it.each([
    ['DEBUG', ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']],
    ['INFO', ['INFO', 'WARNING', 'ERROR', 'CRITICAL']],
    ['WARNING', ['WARNING', 'ERROR', 'CRITICAL']],
    ['CRITICAL', ['CRITICAL']],
  ] as const)('are recorded from level %s on', async (threshold, kept) => {
    const { store } = await makeStore();
    const write = createLogLineWriter(threshold);
    await store.write((tx) => {
      for (const level of levels) write(tx, { level, message: `a line of ${level}` }, { agent: 'data-1' });
    });
    expect(store.db.prepare('SELECT level, message FROM app_logs ORDER BY log_id').all()).toEqual(
      kept.map((level) => ({ level: logLevels[level], message: `a line of ${level}` })),
    );
  });

  it('keep their position among the messages, and their context', async () => {
    const { store } = await makeRunningStore();
    const of = { agent: 'worker-1', execution_id: 'stf_datataking-tester-0001', run_id: '100010' };
    await store.write((tx) =>
      createLogLineWriter('INFO')(
        tx,
        { level: 'ERROR', message: 'the payload failed', context: { code: 3, host: 'host-a' } },
        of,
      ),
    );
    expect(store.db.prepare('SELECT * FROM app_logs').get()).toMatchObject({
      ...of,
      level: 40,
      message: 'the payload failed',
      context: '{"code":3,"host":"host-a"}',
      after_seq: 3,
      timestamp: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T.*Z$/),
    });
  });

  it('need neither an execution nor a context, and are numbered in order', async () => {
    const { store } = await makeStore();
    const line = { timestamp: '2026-11-28T03:12:00.000Z', level: 20, agent: 'watch', message: 'looks' };
    const numbers = await store.write((tx) => [
      insertLogLine(tx, line),
      insertLogLine(tx, { ...line, message: 'looks again', execution_id: null }),
    ]);
    expect(store.db.prepare('SELECT * FROM app_logs ORDER BY log_id').all()).toEqual([
      { log_id: numbers[0], ...line, execution_id: null, run_id: null, context: null, after_seq: 0 },
      {
        log_id: numbers[1],
        ...line,
        message: 'looks again',
        execution_id: null,
        run_id: null,
        context: null,
        after_seq: 0,
      },
    ]);
    expect(numbers).toEqual([1, 2]);
  });
});
