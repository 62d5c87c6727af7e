import { describe, expect, it } from 'vitest';

import { recordRemoteLines } from '../../../src/db/presence/remote-agents.ts';
import type { RemoteLine } from '../../../src/messages/telemetry.ts';
import { makeRunningStore } from '../../made-store.ts';
import { at, fakeClock, hear, rowsOf } from './processes.ts';

const run = 'stf_datataking-tester-0001';

describe('log lines of a remote agent', () => {
  const lineOf = (n: number, fields: Partial<RemoteLine> = {}): RemoteLine => ({
    n,
    timestamp: at(n),
    level: 'INFO',
    message: `line ${n}`,
    ...fields,
  });

  async function heardAgent() {
    fakeClock();
    const { store } = await makeRunningStore();
    await hear(store, { agent_name: 'another', pid: 6, since: at(-1) });
    await hear(store, {});
    const log = (lines: RemoteLine[], dropped?: number, since = at(0)): Promise<void> =>
      store.write((tx) =>
        recordRemoteLines(tx, { msg_type: 'agent_log', sender: 'w', namespace: 'test', since, lines, dropped }),
      );
    const written = (): unknown[] =>
      rowsOf(store, 'message', 'app_logs').map((row) => (row as { message: string }).message);
    return { store, log, written };
  }

  it('are recorded once each, however often they arrive', async () => {
    const { log, written } = await heardAgent();
    await log([lineOf(1), lineOf(2)]);
    await log([lineOf(1), lineOf(2)]);
    await log([lineOf(2), lineOf(3)]);
    await log([]);
    await log([lineOf(3), lineOf(4)]);
    expect(written()).toEqual(['line 1', 'line 2', 'line 3', 'line 4']);
  });

  it('from an earlier process are recorded too, and do not affect those of the current process', async () => {
    const { log, written } = await heardAgent();
    await log([lineOf(5)]);
    await log([lineOf(1, { message: 'of an earlier one' })], undefined, at(-9));
    await log([lineOf(5), lineOf(6)]);
    expect(written()).toEqual(['line 5', 'of an earlier one', 'line 6']);
  });

  it('keep their run if it is known, and include the number of dropped lines', async () => {
    const { store, log } = await heardAgent();
    await log(
      [lineOf(1, { level: 'ERROR', execution_id: run, context: { a: 1 } }), lineOf(2, { execution_id: 'x' })],
      3,
    );
    // Dropped lines are reported once.
    await log([lineOf(2)], 3);
    await log([lineOf(3)], 0);
    const line = { agent: 'w', execution_id: null, run_id: null, context: null };
    expect(rowsOf(store, 'timestamp, level, agent, message, execution_id, run_id, context', 'app_logs')).toEqual([
      {
        ...line,
        timestamp: at(1),
        level: 40,
        message: 'line 1',
        execution_id: run,
        run_id: '100010',
        context: '{"a":1}',
      },
      { ...line, timestamp: at(2), level: 20, message: 'line 2', execution_id: 'x' },
      { ...line, timestamp: at(0), level: 30, message: '3 log lines were dropped before they could be sent' },
      { ...line, timestamp: at(3), level: 20, message: 'line 3' },
    ]);
  });
});
