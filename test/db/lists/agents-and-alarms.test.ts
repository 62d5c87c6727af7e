import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type AgentFilter, listAgents } from '../../../src/db/lists/agents.ts';
import type { Page } from '../../../src/db/lists/list-query.ts';
import { type AlarmFilter, listAlarms } from '../../../src/db/logbook/alarms.ts';
import type { TestStore } from '../../made-store.ts';
import { ada, at, bob, cleo, knownRuns } from './known-runs.ts';

let made: TestStore;

/** Alarms: code, execution, severity, the minute when it was raised, and what became of it. */
const alarms: [
  code: string,
  execution: string | undefined,
  severity: 'warning' | 'error',
  minute: number,
  then: string,
][] = [
  ['SLOW', ada, 'warning', 5, 'cleared'],
  ['STUCK', ada, 'error', 6, 'seen'],
  ['SILENT', bob, 'error', 7, ''],
  ['DISK_FULL', undefined, 'warning', 8, ''],
];

beforeAll(async () => {
  made = await knownRuns();
  for (const [code, execution_id, severity, minute, then] of alarms) {
    const alarm = {
      code,
      subject: 's',
      sentence: `it is ${code}`,
      severity,
      count: 1,
      execution_id,
      run_id: undefined,
    };
    await made.say('alarm_raised', { ...alarm, timestamp: at(minute) });
    if (then === 'seen') await made.say('alarm_seen', { ...alarm, author: 'ada', timestamp: at(minute) });
    if (then === 'cleared') await made.say('alarm_cleared', { ...alarm, timestamp: at(minute) });
  }
});
afterAll(() => made.store.close());

const all: Page = { order: 'newest', limit: 50 };

const agents = (filter: Partial<AgentFilter>, page: Partial<Page> = {}) =>
  listAgents(made.store.sql, { include_exited: true, ...filter }, { ...all, ...page });

const told = (filter: Partial<AgentFilter>, page: Partial<Page> = {}): string =>
  agents(filter, page)
    .rows.map((row) => row.agent_name.replace('-agent-', ' '))
    .join(', ');

const ofOther = 'worker bob-3, daq bob-9, worker ada-2';

/** Gives an execution many messages: all of them are read only if they are few. */
const addMessages = (execution: string, count: number): void => {
  made.store.db.exec(
    `INSERT INTO message_rows (short_id, type_no, sender_no, namespace_no, execution_no, sent_ms, recorded_ms, effect, is_whole, body)
     WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
     SELECT 'many ' || n, type_no, sender_no, namespace_no, execution_no, sent_ms, recorded_ms, effect, is_whole, body
     FROM numbers, (SELECT * FROM message_rows WHERE seq = (SELECT seq FROM workflow_messages WHERE message_id = '${execution}/start_run'))`,
  );
};

describe('listing agents', () => {
  it.each<[what: string, filter: Partial<AgentFilter>, answer: string]>([
    ['all', {}, 'worker bob-3, daq bob-9, worker ada-2, worker ada-1, daq ada-1'],
    ['those that have not ended', { include_exited: false }, 'worker bob-3, daq bob-9, worker ada-2, worker ada-1'],
    ['those of a namespace', { namespace: 'other' }, ofOther],
    ['those of a namespace that have not ended', { namespace: 'test', include_exited: false }, 'worker ada-1'],
    ['those of a type', { agent_type: 'daq_simulator' }, 'daq bob-9, daq ada-1'],
    ['those that work for an execution', { execution_id: bob }, 'worker bob-3, daq bob-9'],
    ['those of a type that work for an execution', { execution_id: bob, agent_type: 'worker' }, 'worker bob-3'],
    ['none for an unknown execution', { execution_id: 'nobody' }, ''],
    ['those heard at or after a start time', { start_time: at(30) }, 'worker ada-2, worker ada-1, daq ada-1'],
    ['none heard just before a start time', { start_time: at(30.001) }, 'worker ada-2, worker ada-1'],
    ['those heard at or before an end time', { end_time: at(19) }, 'worker bob-3, daq bob-9'],
    ['none heard just after an end time', { end_time: at(18.999) }, 'daq bob-9'],
    ['those that took part in a run, in its namespace', { took_part_in: ada }, 'worker ada-1, daq ada-1'],
    ['those that took part and have not ended', { took_part_in: ada, include_exited: false }, 'worker ada-1'],
    ['those that took part without sending a message', { took_part_in: cleo }, 'worker ada-1'],
    ['none that took part in an unknown run', { took_part_in: 'nobody' }, ''],
  ])('returns %s', (_what, filter, answer) => {
    expect(told(filter)).toBe(answer);
  });

  it('returns the same participants whether a run has few or many messages', () => {
    const { db } = made.store;
    db.exec('BEGIN');
    try {
      const added = { few: 2001, many: 20_001 };
      for (const execution of [ada, bob])
        for (const count of Object.values(added)) {
          const before = told({ took_part_in: execution });
          addMessages(execution, count);
          expect(told({ took_part_in: execution })).toBe(before);
          db.exec(`DELETE FROM message_rows WHERE short_id LIKE 'many %'`);
        }
    } finally {
      db.exec('ROLLBACK');
    }
  });

  it('continues after a given agent, in both orders', () => {
    const [, second] = agents({}).rows;
    expect(told({}, { after: second?.key, limit: 2 })).toBe('worker ada-2, worker ada-1');
    expect(told({}, { after: second?.key, order: 'oldest' })).toBe('worker bob-3');
    expect(agents({ namespace: 'other' }, { limit: 2 })).toMatchObject({ total_count: 3, has_more: true });
  });

  it('returns each agent with the last sign of life of its process', () => {
    expect(agents({ execution_id: bob, agent_type: 'daq_simulator' }).rows).toMatchObject([
      {
        state: 'READY',
        last_heartbeat: at(18),
        last_beat: at(17),
        hostname: 'host-a',
        pid: 101,
        is_remote: 0,
        ended: null,
      },
    ]);
  });
});

describe('listing alarms', () => {
  const codes = (filter: AlarmFilter, page: Partial<Page> = {}): string =>
    listAlarms(made.store.sql, filter, { ...all, ...page })
      .rows.map(({ code }) => code)
      .join(' ');

  it.each<[what: string, filter: AlarmFilter, answer: string]>([
    ['all', {}, 'DISK_FULL SILENT STUCK SLOW'],
    ['those of an execution', { execution_id: ada }, 'STUCK SLOW'],
    ['those of a namespace', { namespace: 'other' }, 'SILENT'],
    ['those that no one has seen', { state: 'raised' }, 'DISK_FULL SILENT'],
    ['those that a person has seen', { state: 'seen' }, 'STUCK'],
    ['those that are cleared', { state: 'cleared' }, 'SLOW'],
    ['those of an execution in a state', { execution_id: ada, state: 'cleared' }, 'SLOW'],
    ['those of a severity', { severity: 'error' }, 'SILENT STUCK'],
    ['those of a severity and a state', { severity: 'error', state: 'raised' }, 'SILENT'],
    ['those raised at or after a start time', { start_time: at(7) }, 'DISK_FULL SILENT'],
    ['none raised just before a start time', { start_time: at(7.001) }, 'DISK_FULL'],
    ['those raised at or before an end time', { end_time: at(6) }, 'STUCK SLOW'],
    ['none raised just after an end time', { end_time: at(5.999) }, 'SLOW'],
  ])('returns %s', (_what, filter, answer) => {
    expect(codes(filter)).toBe(answer);
  });

  it('continues after a given alarm, in both orders', () => {
    const [, second] = listAlarms(made.store.sql, {}, all).rows;
    expect(codes({}, { after: second?.key })).toBe('STUCK SLOW');
    expect(codes({}, { after: second?.key, order: 'oldest' })).toBe('DISK_FULL');
  });
});
