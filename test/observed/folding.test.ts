import { describe, expect, it } from 'vitest';

import { createObservedRun } from '../../src/db/observed/executions.ts';
import { stfSaid, tfSaid } from '../../src/db/observed/files.ts';
import { workSaid } from '../../src/db/observed/work.ts';
import { foldStf, foldTf } from '../../src/observed/folding/files.ts';
import type { SaidFact } from '../../src/observed/folding/said.ts';
import { relatedTo, type Subject, subjectsOf } from '../../src/observed/folding/subjects.ts';
import { otherAttempts, sliceRow } from '../../src/observed/folding/work.ts';
import { foldWork, type SaidWork, type Work } from '../../src/observed/folding/work.ts';
import type { Fact, ResultFact, SliceFact, ToldSlice } from '../../src/observed/reading/fact.ts';
import { dice, shuffled } from './generator.ts';
import { emptyStore } from './stores.ts';
import { tablesOf } from './tables.ts';

const start = Date.UTC(2026, 10, 30);
const at = (seconds: number): string => new Date(start + seconds * 1000).toISOString();

/** Messages in the order of sending, a second apart: `m1`, `m2`, … */
const said = (...facts: Fact[]): SaidFact<never>[] =>
  facts.map((fact, index) => ({
    seq: index + 1,
    sent_ms: start + index * 1000,
    message_id: `m${index + 1}`,
    body: JSON.stringify({ body: index + 1 }),
    fact: fact as never,
  }));

const frames = { tf_first: 0, tf_last: 9, tf_count: 10 };

const slice = (name: string, more: Partial<SliceFact> = {}): SliceFact => ({
  kind: 'slice',
  tf_filename: 'a_tf_001.tf',
  slice_id: 1,
  slice_filename: name,
  stf_filename: 'a.stf',
  ...frames,
  req_id: undefined,
  tf_slice_id: undefined,
  requested_at: undefined,
  namesExecution: true,
  ...more,
});

const registration = (name: string): ToldSlice => ({
  kind: 'told_slice',
  tf_filename: 'a_tf_001.tf',
  slice_id: 1,
  slice_filename: name,
  stf_filename: 'a.stf',
  ...frames,
});

const result = (by: ResultFact['key']['by'], value: string, more: Partial<ResultFact> = {}): ResultFact => ({
  kind: 'result',
  key: { by, value },
  slice_filename: undefined,
  state: 'done',
  worker: 'w',
  hostname: 'h',
  panda_task_id: undefined,
  panda_id: undefined,
  started_at: undefined,
  processed_at: undefined,
  processing_seconds: 2,
  error: undefined,
  ...more,
});

/** What a fold says, by the ids of messages. */
function told(messages: readonly SaidWork[], work: Work) {
  const idOf = (seq: number | undefined): string | undefined => messages.find((one) => one.seq === seq)?.message_id;
  return {
    slices: [...work.slices.values()]
      .toSorted((a, b) => (a.slice_filename < b.slice_filename ? -1 : 1))
      .map(({ slice_filename, attempts, current }) => ({
        slice_filename,
        attempts: attempts.map((one) => [idOf(one.slice.seq), idOf(one.result?.seq)]),
        current,
      })),
    repeats: work.repeats
      .map(({ seq, stands_seq, contradicts }) => [idOf(seq), idOf(stands_seq), contradicts])
      .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
    registered: [...work.registered].toSorted(),
    unmatched: work.unmatched,
    repeated: work.repeated,
  };
}

const folded = (messages: readonly SaidWork[]) => told(messages, foldWork(messages));

const none = { slices: [], repeats: [], registered: [], unmatched: 0, repeated: 0 };
const sliceOf = (attempts: unknown[][], current = 0) => [{ slice_filename: 's', attempts, current }];

describe('messages about slices, taken together, say', () => {
  it.each<[string, SaidWork[], object]>([
    ['nothing, if there are none', [], {}],
    ['that a slice waits', said(slice('s')), { slices: sliceOf([['m1', undefined]]) }],
    [
      'the result of a slice, found by its request',
      said(slice('s', { req_id: 'r' }), result('request', 'r')),
      { slices: sliceOf([['m1', 'm2']]) },
    ],
    [
      'the result of a slice, found by its id',
      said(slice('s', { tf_slice_id: 'i' }), result('id', 'i')),
      { slices: sliceOf([['m1', 'm2']]) },
    ],
    [
      'the result of a slice, found by its name',
      said(slice('s'), result('name', 's')),
      { slices: sliceOf([['m1', 'm2']]) },
    ],
    [
      'the result of a slice, found by its sending time',
      said(slice('s', { requested_at: 't' }), result('time', 't')),
      { slices: sliceOf([['m1', 'm2']]) },
    ],
    [
      'that a result of another request fits no slice',
      said(slice('s', { req_id: 'r' }), result('request', 'q')),
      { slices: sliceOf([['m1', undefined]]), unmatched: 1 },
    ],
    [
      'that the first of two slices with the same time has the result',
      said(slice('b', { requested_at: 't' }), slice('a', { requested_at: 't' }), result('time', 't')),
      {
        slices: [
          { slice_filename: 'a', attempts: [['m2', 'm3']], current: 0 },
          { slice_filename: 'b', attempts: [['m1', undefined]], current: 0 },
        ],
      },
    ],
    [
      'that a slice was delivered again, and the first message counts',
      said(slice('s', { req_id: 'r' }), slice('s', { req_id: 'r', namesExecution: false })),
      { slices: sliceOf([['m1', undefined]]), repeats: [['m2', 'm1', false]] },
    ],
    [
      'that a second delivery contradicts the first',
      said(slice('s', { req_id: 'r' }), slice('s', { req_id: 'r', tf_count: 5 })),
      { slices: sliceOf([['m1', undefined]]), repeats: [['m2', 'm1', true]] },
    ],
    [
      'that each request is an attempt, in the order of the requests',
      said(slice('s', { req_id: 'q', requested_at: 't2' }), slice('s', { req_id: 'r', requested_at: 't1' })),
      {
        slices: sliceOf(
          [
            ['m2', undefined],
            ['m1', undefined],
          ],
          1,
        ),
      },
    ],
    [
      'that a done attempt decides, rather than the last one',
      said(
        slice('s', { req_id: 'q', requested_at: 't1' }),
        slice('s', { req_id: 'r', requested_at: 't2' }),
        result('request', 'q'),
      ),
      {
        slices: sliceOf([
          ['m1', 'm3'],
          ['m2', undefined],
        ]),
      },
    ],
    [
      'that a done result wins over a failed one, and contradicts it',
      said(slice('s'), result('name', 's', { state: 'failed' }), result('name', 's')),
      { slices: sliceOf([['m1', 'm3']]), repeats: [['m2', 'm3', true]], repeated: 1 },
    ],
    [
      'that, of two equal results, the one processed first counts',
      said(slice('s'), result('name', 's', { processed_at: '2' }), result('name', 's', { processed_at: '1' })),
      { slices: sliceOf([['m1', 'm3']]), repeats: [['m2', 'm3', false]], repeated: 1 },
    ],
    [
      'that a copy reported over REST is the message from the bus',
      said(slice('s'), result('name', 's', { copyOf: '{"body":3}' }), result('name', 's')),
      { slices: sliceOf([['m1', 'm3']]) },
    ],
    [
      'that a copy counts if the message from the bus was not heard',
      said(slice('s'), result('name', 's', { copyOf: 'x' }), result('name', 's', { copyOf: 'x' })),
      { slices: sliceOf([['m1', 'm2']]) },
    ],
    ['that a slice was registered', said(registration('s')), { registered: ['s'] }],
    [
      'that a slice was registered again',
      said(registration('s'), registration('s')),
      { registered: ['s'], repeats: [['m2', 'm1', false]] },
    ],
    [
      'that a registered slice with a result over REST was sent, though not heard',
      said(registration('s'), result('request', 'r', { copyOf: 'x', slice_filename: 's' })),
      { slices: sliceOf([['m1', 'm2']]), registered: ['s'] },
    ],
    [
      'that the result on the bus counts in place of its copy over REST',
      said(
        registration('s'),
        result('request', 'r', { copyOf: '{"body":3}', slice_filename: 's' }),
        result('request', 'r'),
      ),
      { slices: sliceOf([['m1', 'm3']]), registered: ['s'] },
    ],
    [
      'that a result over REST for a heard slice does not belong to another attempt',
      said(
        registration('s'),
        slice('s', { req_id: 'q' }),
        result('request', 'r', { copyOf: 'x', slice_filename: 's' }),
      ),
      { slices: sliceOf([['m2', undefined]]), registered: ['s'], unmatched: 1 },
    ],
    [
      'that a result on the bus alone does not show that a slice was sent',
      said(registration('s'), result('request', 'r', { slice_filename: 's' })),
      { registered: ['s'], unmatched: 1 },
    ],
  ])('%s', (_, messages, expected) => {
    expect(folded(messages)).toEqual({ ...none, ...expected });
  });

  /** Slices, registrations and results of a few names, so that many of them meet. Some results are copies of others by REST, some of unheard ones. */
  function madeMessages(seed: number): SaidWork[] {
    const roll = dice(seed);
    const pick = <T>(...some: T[]): T => some[Math.floor(roll() * some.length)] as T;
    const facts: (SliceFact | ResultFact | ToldSlice)[] = [];
    const makeResult = (): ResultFact => {
      const [by, value] = pick<[ResultFact['key']['by'], string]>(
        ['request', 'q'],
        ['request', 'r'],
        ['id', 'i'],
        ['name', 's'],
        ['time', '1'],
      );
      const slice_filename = value === 'r' ? 't' : 's';
      return result(by, value, {
        state: pick('done', 'failed'),
        processed_at: pick('1', '2', undefined),
        slice_filename,
      });
    };
    for (let n = 2 + Math.floor(roll() * 9); n > 0; n -= 1) {
      const kind = roll();
      const copied = facts[Math.floor(roll() * facts.length)];
      const isCopy = copied?.kind === 'result' && copied.copyOf === undefined;
      if (kind < 0.2) facts.push(registration(pick('s', 't')));
      else if (kind < 0.5)
        facts.push(
          slice(pick('s', 't'), {
            req_id: pick('q', 'r', undefined),
            requested_at: pick('1', '2', undefined),
            tf_slice_id: pick('i', 'j', undefined),
            tf_count: pick(5, 10),
            stf_filename: pick('a.stf', undefined),
          }),
        );
      else if (kind < 0.75) facts.push(makeResult());
      else if (isCopy) facts.push({ ...copied, copyOf: JSON.stringify({ body: facts.indexOf(copied) + 1 }) });
      else {
        const unheard = makeResult();
        facts.push({ ...unheard, copyOf: JSON.stringify(unheard) });
      }
    }
    return said(...facts);
  }

  it('the same in any order, for 2,000 sets', () => {
    for (let seed = 1; seed <= 2000; seed += 1) {
      const messages = madeMessages(seed);
      expect({ seed, ...folded(shuffled(messages, seed)) }).toEqual({ seed, ...folded(messages) });
    }
  });

  it('the same as their unrelated parts folded separately, for 2,000 sets', () => {
    for (let seed = 1; seed <= 2000; seed += 1) {
      const messages = madeMessages(seed);
      const parts = partsOf(messages).map(folded);
      const sum = (field: 'unmatched' | 'repeated'): number => parts.reduce((total, part) => total + part[field], 0);
      const { slices, repeats, ...all } = folded(messages);
      expect({ seed, unmatched: sum('unmatched'), repeated: sum('repeated') }).toEqual({
        seed,
        unmatched: all.unmatched,
        repeated: all.repeated,
      });
      expect({ seed, slices: parts.flatMap((part) => part.slices).length }).toEqual({ seed, slices: slices.length });
      expect({ seed, repeats: parts.flatMap((part) => part.repeats).length }).toEqual({
        seed,
        repeats: repeats.length,
      });
    }
  });

  it('the same in rows and counts, for 30 sets in four orders', async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const messages = madeMessages(seed);
      const expected = await rowsAfter(messages);
      for (let order = 1; order < 4; order += 1)
        expect({
          seed,
          order,
          ...(await rowsAfter(shuffled(messages, seed * 10 + order), ({ seq }) => seq % 3 === order % 3)),
        }).toEqual({
          seed,
          order,
          ...expected,
        });
    }
  });

  const later = (message: SaidWork): SaidWork => ({ ...message, sent_ms: message.sent_ms + 4500 });

  /** What the tables have after messages that came one by one. @param isMoved whether a message was first heard to be sent later */
  async function rowsAfter(messages: readonly SaidWork[], isMoved: (message: SaidWork) => boolean = () => false) {
    const store = await emptyStore();
    await store.write((tx) => {
      const run = createObservedRun(tx, { namespace: 'n', run_id: '1', told_id: 'e' }, start);
      const scope = { tx, sql: tx.sql, ...run };
      const stf = { kind: 'stf_gen', stf_filename: 'a.stf', sequence: 1, tf_count: 5, policy: undefined } as const;
      const file = { seq: 100, sent_ms: start, message_id: 'f', body: '', fact: stf };
      for (const [index, message] of messages.entries()) {
        if (index === 2) stfSaid(scope, file, undefined);
        workSaid(scope, isMoved(message) ? later(message) : message, undefined);
      }
      for (const message of messages.filter(isMoved)) workSaid(scope, message, later(message));
      tx.settle();
    });
    const { slices, earlier, states, observed, sizes, stfs } = tablesOf(store.db);
    const subjects = store.db.prepare('SELECT subject, key, seq, stands_seq, contradicts FROM message_subjects').all();
    store.close();
    return { slices, earlier, states, observed, sizes, stfs, subjects };
  }

  /** Groups of messages that are related to one another, each found from its first message. */
  function partsOf(messages: readonly SaidWork[]): SaidWork[][] {
    const left = new Set(messages);
    const parts: SaidWork[][] = [];
    for (const first of messages) {
      if (!left.has(first)) continue;
      const part = new Set([first]);
      const isAbout = (fact: Fact, sought: Subject): boolean =>
        subjectsOf(fact).some(({ subject, key }) => subject === sought.subject && key === sought.key);
      for (const { fact } of part)
        for (const sought of relatedTo(fact))
          for (const other of messages.filter((candidate) => isAbout(candidate.fact, sought))) part.add(other);
      for (const member of part) left.delete(member);
      parts.push([...part]);
    }
    return parts;
  }
});

describe('the row of a slice', () => {
  const rowOf = (...messages: SaidWork[]) => sliceRow([...foldWork(messages).slices.values()][0] as never);

  it('has the times of its first message, its current attempt and its result', () => {
    const row = rowOf(
      ...said(
        slice('s', { req_id: 'q', requested_at: '1' }),
        slice('s', { req_id: 'r', requested_at: '2' }),
        result('request', 'r', { state: 'failed', error: 'no space' }),
      ),
    );
    expect(row).toMatchObject({
      status: 'failed',
      attempt: 2,
      created_at: at(0),
      queued_again_at: at(1),
      started_at: at(0),
      completed_at: at(2),
      worker: 'w',
      hostname: 'h',
      seconds: 2,
      error: 'no space',
      starts: 1,
      waited_ms: 0,
      took_ms: 2000,
    });
  });

  it.each([
    ['the worker’s times rather than its measurement', { started_at: at(5), processed_at: at(8) }, 2, 3000],
    [
      'the worker’s measurement, if the times are not from one clock',
      { started_at: at(8), processed_at: at(5) },
      2,
      2000,
    ],
    ['the worker’s measurement, if a time is missing', { processed_at: at(8) }, 2, 2000],
    ['no duration longer than a month', { processing_seconds: 31 * 86_400 }, null, null],
    ['no negative duration', { processing_seconds: -1 }, null, null],
    [
      'the worker’s times, if it measured nothing',
      { processing_seconds: undefined, started_at: at(1), processed_at: at(2) },
      1,
      1000,
    ],
  ])('uses %s', (_, fields, seconds, took_ms) => {
    expect(rowOf(...said(slice('s'), result('name', 's', fields)))).toMatchObject({ seconds, took_ms });
  });

  it('says that a failure has no reason if its result gives none', () => {
    expect(rowOf(...said(slice('s'), result('name', 's', { state: 'failed' }))).error).toBe('failed without a reason');
  });

  it("leaves the slice's other attempts to rows of their own", () => {
    const messages = said(
      slice('s', { req_id: 'q', requested_at: '1' }),
      slice('s', { req_id: 'r', requested_at: '2' }),
      result('request', 'q', { state: 'failed' }),
    );
    const [folded_slice] = foldWork(messages).slices.values();
    expect(otherAttempts(folded_slice as never)).toMatchObject([
      { attempt: 1, state: 'failed', queued_at: at(0), completed_at: at(2) },
    ]);
  });
});

describe('the waiting time of a TF file', () => {
  it('is removed if an earlier announcement, heard later, names no STF file', async () => {
    const store = await emptyStore();
    const waits = (): unknown => store.db.prepare('SELECT waited_ms FROM fastmon_files').pluck().get();
    const stf_filename = 'a.stf';
    const ready = { kind: 'stf_ready', stf_filename, sequence: 1, tf_count: 5, checksum: 'c', size_bytes: 7 } as const;
    const announced = { kind: 'tf_file_registered', tf_filename: 'a_tf_001.tf', stf_filename, ...frames } as const;
    const [first, second, third] = said(ready, { ...announced, stf_filename: undefined }, announced);
    await store.write((tx) => {
      const run = createObservedRun(tx, { namespace: 'n', run_id: '1', told_id: 'e' }, start);
      const scope = { tx, sql: tx.sql, ...run };
      stfSaid(scope, first as never, undefined);
      tfSaid(scope, third as never, undefined);
      expect(waits()).toBe(2000);
      tfSaid(scope, second as never, undefined);
    });
    expect(waits()).toBeNull();
    store.close();
  });
});

describe('messages about a file, taken together, say', () => {
  const stf_filename = 'a.stf';
  const gen = { kind: 'stf_gen', stf_filename, sequence: 1, tf_count: 5, policy: undefined } as const;
  const ready = { kind: 'stf_ready', stf_filename, sequence: 2, tf_count: 6, checksum: 'c', size_bytes: 7 } as const;
  const told_stf = { kind: 'told_stf', stf_filename, sequence: 3, tf_count: undefined, sites: undefined } as const;
  const toldReady = { kind: 'told_stf_ready', stf_filename } as const;

  it.each([
    ['that it is announced', [gen], { status: 'registered', sequence: 1, created_at: at(0), processed_at: null }],
    [
      'that it is ready, whichever came first',
      [ready, gen],
      { status: 'processed', sequence: 1, size_bytes: 7, checksum: 'c', created_at: at(1), processed_at: at(0) },
    ],
    [
      'what only REST reports',
      [toldReady, told_stf],
      { status: 'processed', sequence: 3, created_at: at(1), processed_at: at(0) },
    ],
    [
      'what the message says rather than what REST says',
      [toldReady, ready],
      { processed_at: at(1), created_at: at(1), tf_count: 6 },
    ],
  ])('%s', (_, facts, row) => {
    expect(foldStf(said(...facts))?.row).toMatchObject(row);
  });

  it('that an announcement is repeated, or contradicted', () => {
    expect(foldStf(said(gen, gen, { ...gen, tf_count: 4 }))?.repeats).toEqual([
      { seq: 2, stands_seq: 1, contradicts: false },
      { seq: 3, stands_seq: 1, contradicts: true },
    ]);
  });

  it('that a TF file is announced, or only registered', () => {
    const tf = { tf_filename: 'a_tf_001.tf', stf_filename, ...frames };
    const registered = { kind: 'told_tf', ...tf, tf_count: 3 } as const;
    const announced = { kind: 'tf_file_registered', ...tf } as const;
    expect(foldTf(said(registered))).toMatchObject({ isAnnounced: false, row: { tf_count: 3 } });
    expect(foldTf(said(registered, announced))).toMatchObject({
      isAnnounced: true,
      row: { tf_count: 10, created_at: at(1) },
    });
    expect(foldTf([])).toBeUndefined();
    expect(foldStf([])).toBeUndefined();
  });
});
