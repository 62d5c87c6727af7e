import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { schema } from '../../../src/db/migrations/schema.ts';
import type { Moment } from '../../../src/db/past/moment.ts';
import { fillUnlogged, livenessAt } from '../../../src/db/past/unlogged-rows.ts';
import { type Connection, Database } from '../../../src/db/sqlite/connection.ts';
import { preparer } from '../../../src/db/sqlite/statements.ts';
import { temporaryFolder } from '../../folder.ts';

const start = Date.parse('2026-11-29T10:00:00.000Z');
const milliseconds = (second: number): number => start + second * 1000;
const clock = (second: number): string => new Date(milliseconds(second)).toISOString();
const always = Number.MAX_SAFE_INTEGER;

/** The moment in question: second 100, at row 10. */
const moment: Moment = { now: milliseconds(100), iso: clock(100), last: 10, recordedBy: always, exact: '' };
const [then, later] = [100, 100.001];

let live: Connection;
let past: Connection;

beforeEach(() => {
  const path = join(temporaryFolder(), 'live.db');
  using empty = new Database(':memory:');
  empty.exec(schema);
  writeFileSync(path, empty.serialize());
  live = new Database(path);
  live.pragma('synchronous = OFF');
  past = new Database(':memory:');
  past.exec(schema);
  past.prepare('ATTACH DATABASE ? AS live').run(path);
});

afterEach(() => {
  for (const db of [live, past]) db.close();
});

type Row = Readonly<Record<string, string | number | null>>;

function insert(table: string, ...rows: Row[]): void {
  for (const row of rows) {
    const names = Object.keys(row);
    live
      .prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
      .run(...Object.values(row));
  }
}

const process = (process_id: number, registered: number, beat: number, ended: string | null = null): void =>
  insert('processes', {
    process_id,
    pid: process_id,
    pid_started: '',
    hostname: 'h',
    version: '1',
    registered_at: clock(registered),
    last_beat: clock(beat),
    ended,
  });

/** What an agent was from one second until another. */
const agent = (agent_name: string, process_id: number, since: number, until: number, more: Row = {}): void =>
  insert('past_agents', {
    agent_name,
    is_heard: 0,
    since: clock(since),
    until: clock(until),
    agent_type: 'worker',
    namespace: 'a',
    state: 'READY',
    process_id,
    ...more,
  });

/** The rows of a table as of the moment. */
function filled(sql: string, at: Moment = moment): unknown[][] {
  fillUnlogged(preparer(past), at, { iso: '', last: 0 });
  return past.prepare(sql).raw().all() as unknown[][];
}

describe('a process', () => {
  it('exists from its registration on, with no sign of life and no end later than the given moment', () => {
    process(1, then, 105, 'order');
    process(2, 0, then, 'order');
    process(3, later, later);
    process(4, 0, 50, 'fault');
    process(5, 0, later, 'lost');
    expect(filled('SELECT process_id, last_beat, ended FROM processes')).toEqual([
      [1, clock(100), null],
      [2, clock(100), 'order'],
      [4, clock(50), 'fault'],
      [5, clock(100), null],
    ]);
  });

  it('had not ended if one of its agents ended after the given moment', () => {
    for (const id of [1, 2, 3]) process(id, 0, 60, 'order');
    agent('a', 1, 0, 60, { exited_at: clock(then), state: 'EXITED', before_exit: 'READY' });
    agent('b', 2, 0, 60, { exited_at: clock(later), state: 'EXITED', before_exit: 'READY' });
    expect(filled('SELECT process_id, ended FROM processes')).toEqual([
      [1, 'order'],
      [2, null],
      [3, 'order'],
    ]);
  });

  it('has the latest sign of life from its running agents', () => {
    for (const id of [1, 2, 3, 4, 5]) process(id, 0, 90);
    process(6, 0, 200);
    process(7, 0, 200);
    // An agent that was there at the moment, and one that came after it.
    for (const [id, since] of [
      [6, then],
      [7, later],
    ] as const) {
      agent(`early-${id}`, id, 0, 50);
      agent(`late-${id}`, id, since, 150);
    }
    agent('a', 1, 0, 40);
    agent('b', 1, 0, 70);
    agent('c', 2, 0, 130);
    agent('d', 3, 0, 30, { state: 'EXITED', exited_at: clock(30), before_exit: 'READY' });
    agent('e', 4, 0, 35, { state: 'EXITED', exited_at: clock(later), before_exit: 'READY' });
    agent('f', 5, 0, 45, { state: 'EXITED', exited_at: clock(then), before_exit: 'READY' });
    expect(filled('SELECT process_id, last_beat FROM processes')).toEqual([
      [1, clock(70)],
      [2, clock(90)],
      [3, clock(90)],
      [4, clock(35)],
      [5, clock(90)],
      [6, clock(then)],
      [7, clock(50)],
    ]);
  });
});

describe('an agent', () => {
  const columns = 'SELECT agent_name, state, last_heartbeat, process_id, heard_on FROM system_agents ORDER BY seq';
  const present = (agent_name: string, more: Row = {}): void =>
    insert('system_agents', {
      agent_name,
      agent_type: 'worker',
      namespace: 'a',
      state: 'READY',
      last_heartbeat: clock(500),
      process_id: 1,
      ...more,
    });

  beforeEach(() => {
    process(1, 0, 500);
    process(2, later, 500);
  });

  it('is as it was after its last change at or before the given moment', () => {
    present('a');
    present('b');
    agent('a', 1, 0, 40, { state: 'STARTING' });
    agent('a', 1, then, 170, { state: 'PROCESSING' });
    agent('a', 1, later, 200);
    agent('b', 1, 0, 40, { state: 'STARTING' });
    agent('b', 1, 50, 60);
    expect(filled(columns)).toEqual([
      ['a', 'PROCESSING', clock(100), 1, null],
      ['b', 'READY', clock(60), 1, null],
    ]);
  });

  it('is distinguished from a foreign one with the same name', () => {
    present('a');
    present('a', { heard_on: 'h' });
    agent('a', 1, 10, 60);
    agent('a', 1, 20, 70, { is_heard: 1, heard_on: 'h', state: 'PROCESSING' });
    expect(filled(columns)).toEqual([
      ['a', 'READY', clock(60), 1, null],
      ['a', 'PROCESSING', clock(70), 1, 'h'],
    ]);
  });

  it('had not ended before its recorded exit, and did not exist before its process', () => {
    for (const name of ['a', 'b', 'c', 'd']) present(name);
    process(3, then, 500);
    const ended = { state: 'EXITED', before_exit: 'PROCESSING' };
    agent('a', 1, 0, 60, { ...ended, exited_at: clock(then) });
    agent('b', 1, 0, 60, { ...ended, exited_at: clock(later) });
    agent('c', 2, 0, 60);
    agent('d', 3, 0, 60);
    expect(filled(columns).map(([name, state]) => [name, state])).toEqual([
      ['a', 'EXITED'],
      ['b', 'PROCESSING'],
      ['d', 'READY'],
    ]);
  });
});

describe('the driver of an execution', () => {
  it.each<[who: string, leases: [epoch: number, process: number, second: number, after: number][], driver: number[]]>([
    ['is the first one, even if it began after all rows', [[1, 1, 50, 10]], [1]],
    ['is the first one if it began at the moment itself', [[1, 1, then, 10]], [1]],
    ['does not exist before the first one began', [[1, 1, later, 0]], []],
    [
      'is the next one if a row followed its start',
      [
        [1, 1, 10, 0],
        [2, 2, 50, 9],
      ],
      [2],
    ],
    [
      'is still the first one if no row followed the start of the next',
      [
        [1, 1, 10, 0],
        [2, 2, 50, 10],
      ],
      [1],
    ],
    [
      'is still the first one before the next began',
      [
        [1, 1, 10, 0],
        [2, 2, later, 9],
      ],
      [1],
    ],
    [
      'is the last of several',
      [
        [1, 1, 10, 0],
        [2, 2, 20, 1],
        [3, 1, 30, 2],
      ],
      [1],
    ],
    ['does not exist if its process did not exist yet', [[1, 3, 10, 0]], []],
  ])('%s', (_who, leases, driver) => {
    process(1, 0, 0);
    process(2, 0, 0);
    process(3, later, later);
    const lease = (execution_id: string, [epoch, process_id, second, after_seq]: (typeof leases)[number]): void =>
      insert('past_leases', { execution_id, epoch, process_id, taken_at: clock(second), after_seq });
    for (const one of leases) lease('e', one);
    lease('other', [7, 2, 60, 1]);
    const owners = filled('SELECT execution_id, process_id, epoch FROM execution_owners ORDER BY execution_id');
    expect(owners.filter(([id]) => id === 'e').map(([, process_id]) => process_id)).toEqual(driver);
    expect(owners.filter(([id]) => id === 'other')).toEqual([['other', 2, 7]]);
  });
});

describe('rows of a period', () => {
  it('exist from their start on, and end no later than the given moment', () => {
    const ms = milliseconds;
    process(1, 0, 0);
    process(2, later, later);
    insert(
      'hearings',
      { namespace: 'a', since_ms: ms(10), until_ms: ms(50), beat_ms: ms(60), process_id: 1 },
      { namespace: 'b', since_ms: ms(then), until_ms: ms(150), process_id: null },
      { namespace: 'c', since_ms: ms(later), until_ms: ms(150), process_id: 1 },
      { namespace: 'd', since_ms: ms(10), until_ms: ms(50), process_id: 2 },
      { namespace: 'e', since_ms: ms(10), until_ms: ms(then), process_id: null },
    );
    insert(
      'gaps',
      { from_ms: ms(10), until_ms: ms(20), reason: 'a' },
      { from_ms: ms(99), until_ms: ms(120), reason: 'b' },
      { from_ms: ms(then), until_ms: ms(120), reason: 'c' },
    );
    insert(
      'standstills',
      { standstill_id: 1, execution_id: 'e', since: clock(10), until: clock(then) },
      { standstill_id: 2, execution_id: 'e', since: clock(10), until: clock(later) },
    );
    const moved = { execution_id: 'e', file_url: 'u' };
    insert('moved_files', { ...moved, tf_filename: 'a', moved_at: clock(then) });
    insert('moved_files', { ...moved, tf_filename: 'b', moved_at: clock(later) });
    insert('cursors', { execution_id: 'e', role: 'data', seq: 4 }, { execution_id: 'e', role: 'fastmon', seq: 40 });
    insert(
      'recorders',
      { namespace: 'a', process_id: 1, broker_away_since: clock(then) },
      { namespace: 'b', process_id: 1, broker_away_since: clock(later) },
      { namespace: 'c', process_id: 2, broker_away_since: null },
    );
    expect(filled('SELECT namespace, until_ms, beat_ms FROM hearings ORDER BY 1')).toEqual([
      ['a', ms(50), ms(60)],
      // Within a gap nothing has been heard since it began.
      ['b', ms(99), ms(99)],
      ['e', ms(99), null],
    ]);
    const rows = (sql: string): unknown => past.prepare(sql).raw().all();
    expect(rows('SELECT reason, until_ms FROM gaps ORDER BY 1')).toEqual([
      ['a', ms(20)],
      ['b', ms(then)],
    ]);
    expect(rows('SELECT standstill_id FROM standstills')).toEqual([[1]]);
    expect(rows('SELECT tf_filename FROM moved_files')).toEqual([['a']]);
    expect(rows('SELECT role, seq FROM cursors ORDER BY 1')).toEqual([
      ['data', 4],
      ['fastmon', 10],
    ]);
    expect(rows('SELECT namespace, broker_away_since FROM recorders ORDER BY 1')).toEqual([
      ['a', clock(then)],
      ['b', null],
    ]);
  });
});

describe('log lines', () => {
  const line = (log_id: number, after_seq: number, second: number): void =>
    insert('app_logs', { log_id, after_seq, timestamp: clock(second), level: 20, agent: 'a', message: '' });

  it('up to the given moment are added once; after its last message, only if their time is not later', () => {
    line(1, 4, 200);
    line(2, 5, 50);
    line(3, 5, 50.001);
    line(4, 6, 10);
    line(5, 10, then);
    line(6, 10, later);
    line(7, 11, 10);
    fillUnlogged(preparer(past), moment, { iso: clock(50), last: 5 });
    expect(past.prepare('SELECT log_id FROM app_logs').pluck().all()).toEqual([3, 4, 5]);
  });

  it('are found by time alone if the moment is a time', () => {
    line(1, 99, 50);
    line(2, 99, 50.001);
    line(3, 99, then);
    line(4, 0, later);
    fillUnlogged(preparer(past), { ...moment, recordedBy: moment.now }, { iso: clock(50), last: 5 });
    expect(past.prepare('SELECT log_id FROM app_logs').pluck().all()).toEqual([2, 3]);
  });
});

describe('a process that is gone today', () => {
  interface Sign {
    agent?: string;
    /** The second and the row of a message of the name `a`. */
    message?: [second: number, row: number];
    /** When another process took the name, and whether its agents are of another make. */
    taken?: [second: number, is_heard: number];
    registered?: number;
    beat?: number;
  }

  it.each<[what: string, sign: Sign, wasAlive: boolean]>([
    ['was alive if it was heard later', { beat: later }, true],
    ['was gone if it was last heard at the moment itself', { beat: then }, false],
    ['was not there before its registration', { beat: 200, registered: later }, false],
    ['was there at its registration', { beat: 200, registered: then }, true],
    ['was alive if a message of its agent followed', { message: [150, 11] }, true],
    ['was gone if the message of its agent came before the moment', { message: [50, 10] }, false],
    ['was gone if the message is from another agent', { agent: 'b', message: [150, 11] }, false],
    ['was gone if another process had the name by then', { message: [150, 11], taken: [140, 0] }, false],
    ['was gone if another process took the name at that moment', { message: [150, 11], taken: [150, 0] }, false],
    ['was alive if another process took the name later', { message: [150, 11], taken: [160, 0] }, true],
    ['was alive if a foreign process had the name by then', { message: [150, 11], taken: [140, 1] }, true],
    ['was alive if it took the name from another process', { message: [150, 11], taken: [5, 0] }, true],
  ])('%s', (_what, { agent: name = 'a', message, taken, registered = 0, beat = 20 }, wasAlive) => {
    process(1, registered, beat);
    process(2, 0, 0);
    insert('names', { name_no: 1, name: 'a' }, { name_no: 2, name: 'b' }, { name_no: 3, name: 'slice' });
    agent(name, 1, 10, 20);
    agent(name, 1, 15, 20);
    // Its second row tells nothing new.
    for (const second of taken === undefined ? [] : [taken[0], taken[0] + 200])
      agent(name, 2, second, 500, { is_heard: taken?.[1] ?? 0 });
    if (message !== undefined)
      insert('message_rows', {
        seq: message[1],
        short_id: 'm',
        type_no: 3,
        sender_no: 1,
        sent_ms: 0,
        recorded_ms: milliseconds(message[0]),
        effect: 'applied',
        is_whole: 1,
        body: '{}',
      });
    const test = livenessAt(preparer(past), () => false, moment);
    expect(test({ hostname: 'h', pid: 1, pid_started: '' })).toBe(wasAlive);
    expect(test.now).toBe(moment.now);
  });
});
