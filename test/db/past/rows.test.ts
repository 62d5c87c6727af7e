import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { typeTraits } from '../../../src/db/migrations/index-predicates.ts';
import { schema } from '../../../src/db/migrations/schema.ts';
import { momentNamed } from '../../../src/db/past/moment.ts';
import { commandsAsThen, copyExecution, unchangedSince } from '../../../src/db/past/unlogged-rows.ts';
import { type Connection, Database } from '../../../src/db/sqlite/connection.ts';
import { preparer } from '../../../src/db/sqlite/statements.ts';
import { temporaryFolder } from '../../folder.ts';

const present = Date.parse('2026-11-30T00:00:00.000Z');
const start = Date.parse('2026-11-29T10:00:00.000Z');
const clock = (second: number): string => new Date(start + second * 1000).toISOString();
const always = Number.MAX_SAFE_INTEGER;

type Row = [seq: number, recorded: number];
const numbers: Readonly<Record<string, number>> = { e: 1, other: 2, tf_file: 3, alarm_raised: 4 };

/** A store without rows, but for the names; tests copy it. */
const empty = (() => {
  using db = new Database(':memory:');
  db.exec(schema);
  const name = db.prepare('INSERT INTO names (name_no, name) VALUES (?, ?)');
  for (const [text, number] of Object.entries(numbers)) name.run(number, text);
  return db.serialize();
})();

function opened(source: string | Buffer): Connection {
  const db = new Database(source);
  onTestFinished(() => void db.close());
  return db;
}

/** Writes rows of the log. @param as what a row is, other than a TF file of execution `e` */
function log(db: Connection, rows: readonly Row[], as: { type?: string; execution?: string } = {}): void {
  const { type = 'tf_file', execution = 'e' } = as;
  const insert = db.prepare(
    `INSERT INTO message_rows (seq, short_id, type_no, type_traits, execution_no, sent_ms, recorded_ms, effect, is_whole, body)
     VALUES (?, ?, ?, ?, ?, 0, ?, 'applied', 1, '{}')`,
  );
  const traits = type === 'tf_file' ? null : typeTraits(type, false);
  for (const [seq, recorded] of rows)
    insert.run(seq, `m${seq}`, numbers[type], traits, numbers[execution], start + recorded * 1000);
}

/** Full blocks of 512 rows, with the seconds at which their first and last rows were recorded. */
type Block = [block: number, earliest: number, latest: number];

describe('the last row at a given time', () => {
  const inOrder: Row[] = [
    [1, 10],
    [512, 20],
    [513, 30],
    [1024, 40],
    [1025, 50],
    [1030, 60],
  ];
  const blocks: Block[] = [
    [0, 10, 20],
    [1, 30, 40],
  ];
  const withoutSecond = inOrder.filter(([, recorded]) => recorded < 30 || recorded > 40);
  const late: Row[] = [
    [1, 10],
    [2, 50],
    [512, 20],
    [513, 30],
    [514, 90],
    [515, 40],
  ];
  const ofLate: Block[] = [[0, 10, 50]];

  it.each<[what: string, stored: [Row[], Block[]], second: number, last: number, isCutByTime: boolean]>([
    ['none before the first', [inOrder, blocks], 9, 0, false],
    ['the first row of a block, in the second in which it was recorded', [inOrder, blocks], 10, 1, false],
    ['the previous row, until the next is recorded', [inOrder, blocks], 19, 1, false],
    ['the last row of a block', [inOrder, blocks], 20, 512, false],
    ['the last row of a block, until the next is recorded', [inOrder, blocks], 29, 512, false],
    ['the first row of the second block', [inOrder, blocks], 30, 513, false],
    ['the last row of the second block', [inOrder, blocks], 49, 1024, false],
    ['the first row that belongs to no full block', [inOrder, blocks], 50, 1025, false],
    ['the last row of all', [inOrder, blocks], 3600, 1030, false],
    ['a row of an earlier block, if the rows of a block were removed', [withoutSecond, blocks], 45, 512, false],
    ['none, if the only row was recorded later', [[[1, 50]], []], 20, 0, false],
    ['the last row recorded by then, even if an earlier row was recorded later', [late, ofLate], 25, 512, true],
    [
      'the last row recorded by then, even if an earlier row in a full block was recorded later',
      [late, ofLate],
      35,
      513,
      true,
    ],
    ['the first row, since all others were recorded later', [late, ofLate], 10, 1, false],
    [
      'the last row recorded by then, even if an earlier row outside full blocks was recorded later',
      [late, []],
      45,
      515,
      true,
    ],
    ['the last row, at the latest recording time of all', [late, ofLate], 90, 515, false],
  ])('is %s', (_what, [rows, noted], second, last, isCutByTime) => {
    const db = opened(empty);
    log(db, rows);
    const block = db.prepare('INSERT INTO recorded_blocks VALUES (?, ?, ?)');
    for (const [number, ...times] of noted) block.run(number, ...times.map((time) => start + time * 1000));
    const time = clock(second);
    expect(momentNamed(preparer(db), time, present)).toEqual({
      now: Date.parse(time),
      iso: time,
      last,
      recordedBy: isCutByTime ? Date.parse(time) : always,
      exact: isCutByTime ? time : `${time}@${last === 0 ? 'none' : `m${last}`}`,
    });
  });
});

/** An empty store of a moment beside the store it is made from. */
function pastAndLive(): { past: Connection; live: Connection } {
  const path = join(temporaryFolder(), 'live.db');
  writeFileSync(path, empty);
  const live = opened(path);
  live.pragma('synchronous = OFF');
  const past = opened(empty);
  past.prepare('ATTACH DATABASE ? AS live').run(path);
  return { past, live };
}

const execution = (db: Connection, id: string, status: string, endTime: string | null = null): void => {
  db.prepare(
    `INSERT INTO workflow_executions (execution_id, origin, namespace, status, params, start_time, end_time)
     VALUES (?, 'observed', '', ?, '{}', '', ?)`,
  ).run(id, status, endTime);
};

describe('an execution', () => {
  const rows: Row[] = [
    [5, 10],
    [7, 30],
  ];

  it.each<[is: string, why: string, asked: { after: number; last: number; by?: number }, isUnchanged: boolean]>([
    ['is unchanged', 'if all its rows are among the new ones', { after: 4, last: 7 }, true],
    ['has to be replayed', 'if its first row is not new', { after: 5, last: 7 }, false],
    ['has to be replayed', 'if its last row came later', { after: 4, last: 6 }, false],
    ['is unchanged', 'if its last row was recorded by the given time', { after: 4, last: 7, by: 30 }, true],
    ['has to be replayed', 'if a row was recorded after the given time', { after: 4, last: 7, by: 29 }, false],
  ])('%s %s', (_is, _why, { after, last, by }, isUnchanged) => {
    const { past, live } = pastAndLive();
    execution(live, 'e', 'completed');
    log(live, rows);
    log(live, [[9, 99]], { type: 'alarm_raised' });
    log(
      live,
      [
        [1, 1],
        [20, 200],
      ],
      { execution: 'other' },
    );
    const recordedBy = by === undefined ? always : start + by * 1000;
    const moment = { now: start, iso: clock(0), exact: clock(0), after, last, recordedBy };
    expect(unchangedSince(preparer(past), moment)).toEqual(isUnchanged ? ['e'] : []);
  });

  it.each<[what: string, status: string, told: string | null, then: string]>([
    ['is running again if its completion was not reported', 'completed', null, 'running'],
    ['stays completed if that was reported', 'completed', 'completed', 'completed'],
    ['stays failed although nothing was reported', 'failed', null, 'failed'],
  ])('%s', (_what, status, told, then) => {
    const { past, live } = pastAndLive();
    const run = live.prepare(
      `INSERT INTO observed_runs (execution_id, told_id, namespace, run_id, first_ms, last_ms, told_status) VALUES (?, ?, '', '', 0, 0, ?)`,
    );
    execution(live, 'e', status, clock(9));
    execution(live, 'other', 'completed', clock(9));
    run.run('e', 'e', told);
    run.run('other', 'other', null);
    log(live, rows);
    log(live, [[6, 10]], { execution: 'other' });
    log(live, [[9, 99]], { type: 'alarm_raised' });
    copyExecution(preparer(past), 'e');
    expect(past.prepare('SELECT execution_id, status, end_time FROM workflow_executions').all()).toEqual([
      { execution_id: 'e', status: then, end_time: then === 'running' ? null : clock(9) },
    ]);
    expect(past.prepare('SELECT seq FROM message_rows').pluck().all()).toEqual([5, 7]);
  });
});

describe('a command that waited for its driver', () => {
  it.each<[what: string, last: number, second: number, effect: string]>([
    ['was applied if a later row was already recorded', 9, 0, 'applied'],
    ['was applied, with no later row, if the time of its effect had come', 8, 20, 'applied'],
    ['was still waiting, with no later row, if the time of its effect had not come', 8, 19, 'none'],
    ['was still waiting at an earlier row', 7, 99, 'none'],
  ])('%s', (_what, last, second, effect) => {
    const { past, live } = pastAndLive();
    for (const db of [past, live])
      log(db, [
        [3, 1],
        [4, 1],
      ]);
    live.prepare('INSERT INTO past_commands VALUES (3, 8, ?)').run(clock(20));
    live.exec(`UPDATE message_rows SET effect = 'none' WHERE seq = 4`);
    past.exec(`UPDATE message_rows SET effect = 'rejected', effect_reason = 'replayed'`);
    commandsAsThen(preparer(past), { last, iso: clock(second) });
    expect(past.prepare('SELECT seq, effect, effect_code, effect_reason FROM message_rows').all()).toEqual([
      effect === 'applied'
        ? { seq: 3, effect, effect_code: null, effect_reason: null }
        : { seq: 3, effect, effect_code: 'WAITS_FOR_DRIVER', effect_reason: 'waits for the driver' },
      { seq: 4, effect: 'rejected', effect_code: null, effect_reason: 'replayed' },
    ]);
  });
});
