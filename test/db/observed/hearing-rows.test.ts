import { beforeEach, describe, expect, it } from 'vitest';

import type { ExecutionRow } from '../../../src/db/execution/find-execution.ts';
import {
  beginHearing,
  endHearing,
  heardTimeOfRun,
  keepHearing,
  listeningObservers,
  noteGap,
  noteSpan,
  processOfObserver,
} from '../../../src/db/observed/hearings.ts';
import { asItStands, settleObserved, unheardExecutions } from '../../../src/db/observed/settle.ts';
import { noteProgram } from '../../../src/db/observed/signs.ts';
import { recordEnd } from '../../../src/db/presence/agent-registry.ts';
import { registerProcess } from '../../../src/db/presence/leases.ts';
import { claimNamespace } from '../../../src/db/presence/recorders.ts';
import type { Transaction } from '../../../src/db/sqlite/transaction.ts';
import { makeStore, type TestStore } from '../../made-store.ts';
import { insert, observe } from './observed-rows.ts';

let made: TestStore;
beforeEach(async () => {
  made = await makeStore();
});

const isAlive = (): boolean => true;
const minute = 60_000;
const nobody = 'no observer listened';

const process = (tx: Transaction, pid: number): number =>
  registerProcess(tx, { pid, pid_started: '', hostname: 'h' }, '0');

/** An observer of namespaces that has listened since a time. */
function observer(tx: Transaction, pid: number, namespaces: string[], now = 0, maySend = false): number {
  const process_id = process(tx, pid);
  beginHearing(tx, { namespaces, process_id, now, maySend }, isAlive);
  return process_id;
}

describe('an observer', () => {
  it.each<[what: string, mine: string[], isRefused: boolean]>([
    ['of the same namespace is refused', ['a'], true],
    ['of one of the namespaces of another observer is refused', ['c', 'b'], true],
    ['of all namespaces is refused while an observer of one is alive', [], true],
    ['of another namespace is let in', ['c'], false],
    ['of a namespace whose observer has ended is let in', ['old'], false],
  ])('%s', async (_what, mine, isRefused) => {
    const begun = made.store.write((tx) => {
      observer(tx, 1, ['a', 'b']);
      recordEnd(tx, observer(tx, 2, ['old']), 'order');
      observer(tx, 3, mine, 1);
    });
    await (isRefused ? expect(begun).rejects.toMatchObject({ code: 'NAMESPACE_IN_USE' }) : begun);
  });

  it('changes only its own record, whose start is set by its first report', async () => {
    const { sql } = made.store;
    await made.store.write((tx) => {
      const [one, two] = [observer(tx, 1, ['a'], 100), observer(tx, 2, ['b'], 100)];
      keepHearing(tx, one, { since: 150, until: 140 }, 160);
      keepHearing(tx, one, { since: 999, until: 300 }, 310);
      keepHearing(tx, two, { since: 120, until: 130 }, 135);
      endHearing(tx, two, 90);
    });
    const told =
      'SELECT namespace, since_ms AS since, until_ms AS until, beat_ms AS beat FROM hearings ORDER BY namespace';
    expect(sql(told).all()).toEqual([
      { namespace: 'a', since: 150, until: 300, beat: 310 },
      { namespace: 'b', since: 120, until: 120, beat: 135 },
    ]);
  });

  it('has a listening time that never ends before it begins, and that ends when the observer ends', async () => {
    const { sql } = made.store;
    const until = () => sql<[], number>('SELECT until_ms FROM hearings').value();
    const one = await made.store.write((tx) => observer(tx, 1, ['a'], 100));
    await made.store.write((tx) => keepHearing(tx, one, { since: 150, until: 140 }, 160));
    expect(until()).toBe(150);
    await made.store.write((tx) => keepHearing(tx, one, { since: 0, until: 120 }, 170));
    expect(until()).toBe(150);
    await made.store.write((tx) => endHearing(tx, one, 400));
    expect(until()).toBe(400);
  });

  it('is listening while it is alive and has reported within the last fifteen seconds', async () => {
    const [quick] = await made.store.write((tx) => {
      const all = [observer(tx, 1, ['a'], 0, true), observer(tx, 2, ['b'], 0, true), observer(tx, 3, ['c'], 0, true)];
      for (const one of all.slice(0, 2)) keepHearing(tx, one, { since: 0, until: 1000 }, 1000);
      recordEnd(tx, all[1] as number, 'order');
      return all;
    });
    const listening = (now: number) =>
      listeningObservers(made.store.sql, isAlive, now).map(({ namespace }) => namespace);
    expect([listening(15_999), listening(16_000)]).toEqual([['a'], []]);
    const sender = (namespace: string, now = 2000) => processOfObserver(made.store.sql, namespace, isAlive, now);
    expect([sender('a'), sender('b'), sender('c'), sender('d')]).toEqual([quick, undefined, undefined, undefined]);
  });
});

describe('the time that a recording covers', () => {
  it('grows, and is kept for each of its namespaces', async () => {
    await made.store.write((tx) => {
      noteSpan(tx, { since: 10, until: 50, topics: ['t'] }, ['a', 'b']);
      noteSpan(tx, { since: 10, until: 40 }, ['a']);
      noteSpan(tx, { since: 10, until: 60, topics: ['u'] }, ['b']);
    });
    expect(made.store.sql('SELECT namespace, until_ms, topics FROM hearings ORDER BY namespace').all()).toEqual([
      { namespace: 'a', until_ms: 50, topics: '["t"]' },
      { namespace: 'b', until_ms: 60, topics: '["u"]' },
    ]);
  });
});

describe('a namespace', () => {
  it.each<[what: string, how: 'free' | 'mine' | 'ended' | 'lives', isMine: boolean]>([
    ['that no process records is given to an observer', 'free', true],
    ['stays with its observer', 'mine', true],
    ['whose recorder has ended is given to an observer', 'ended', true],
    ['stays with a recorder that is alive', 'lives', false],
  ])('%s', async (_what, how, isMine) => {
    const [mine, theirs] = await made.store.write((tx) => {
      const [own, other] = [process(tx, 1), process(tx, 2)];
      const since = 'long ago';
      insert(tx, 'recorders', { namespace: 'other', process_id: other, broker_away_since: since });
      const holder = how === 'mine' ? own : other;
      if (how !== 'free') insert(tx, 'recorders', { namespace: 'a', process_id: holder, broker_away_since: since });
      if (how === 'ended') recordEnd(tx, other, 'order');
      if (how === 'lives') insert(tx, 'recorders', { namespace: 'b', process_id: own });
      claimNamespace(tx, 'a', own, isAlive);
      return [own, other];
    });
    const row = made.store.sql(
      `SELECT process_id, broker_away_since IS NULL AS isThere FROM recorders WHERE namespace = ?`,
    );
    expect(row.get('a')).toEqual({
      process_id: isMine ? mine : theirs,
      isThere: how === 'free' || how === 'ended' ? 1 : 0,
    });
    expect(row.get('other')).toEqual({ process_id: theirs, isThere: 0 });
  });
});

describe('the time during which an execution was heard', () => {
  /** An execution of two minutes, from minute 10 to 12, in a namespace. */
  const run = (tx: Transaction, state: object = {}): void =>
    observe(tx, { execution_id: 'e', namespace: 'a', first_ms: 10 * minute, last_ms: 12 * minute }, {}, { ...state });

  it.each<
    [what: string, spans: [namespace: string, since: number, until: number][], until: number, gaps: [number, number][]]
  >([
    ['is the time that was recorded for its namespace', [['a', 0, 20]], 20, []],
    ['is the time that was recorded for all namespaces', [['', 0, 20]], 20, []],
    ['is not the time that was recorded for another namespace', [['b', 0, 20]], 12, []],
    [
      'has a gap where there is no recording',
      [
        ['a', 0, 10.5],
        ['a', 11, 20],
      ],
      20,
      [[10.5, 11]],
    ],
    [
      'has no gap of one second between two recordings',
      [
        ['a', 0, 10.5],
        ['a', 10.5 + 1 / 60, 20],
      ],
      20,
      [],
    ],
    [
      'has no gap that another recording covers',
      [
        ['a', 0, 10.5],
        ['', 10, 11.5],
        ['b', 0, 20],
        ['a', 11, 20],
      ],
      20,
      [],
    ],
  ])('%s', async (_what, spans, until, gaps) => {
    await made.store.write((tx) => {
      run(tx);
      for (const [namespace, since, end] of spans)
        noteSpan(
          tx,
          { since: Math.round(since * minute), until: Math.round(end * minute) },
          namespace === '' ? [] : [namespace],
        );
    });
    const moment = { isAlive, now: 30 * minute };
    expect(heardTimeOfRun(made.store.sql, 'e', moment)?.until).toBe(until * minute);
    expect(heardTimeOfRun(made.store.sql, 'e', moment)?.gaps).toEqual(
      gaps.map(([from, to]) => ({ from: from * minute, until: to * minute, reason: nobody })),
    );
  });

  it.each<[what: string, from: number, until: number, state: object, gap: [number, number] | undefined]>([
    ['has a gap within it', 11, 11.5, {}, [11, 11.5]],
    ['has a gap that spans its beginning', 9, 10.5, {}, [9, 10.5]],
    ['has no gap that ends when it begins', 9, 10, {}, undefined],
    ['has a gap that begins before its last recorded moment', 19, 25, {}, [19, 25]],
    ['has no gap that begins at its last recorded moment', 20, 25, {}, undefined],
    ['has no gap after the execution is done', 12.5, 13, { phase: 'completed' }, undefined],
    ['has a gap before the execution is done', 11, 11.5, { phase: 'completed' }, [11, 11.5]],
    ['has a gap that is cut off 15 s after its last message', 12, 13, { phase: 'completed' }, [12, 12.25]],
    ['has a gap while slices wait', 12.5, 13, { phase: 'completed', slices_queued: 1 }, [12.5, 13]],
  ])('%s', async (_what, from, until, state, gap) => {
    await made.store.write((tx) => {
      run(tx, state);
      noteSpan(tx, { since: 0, until: 20 * minute }, []);
      const iso = (at: number): string => new Date(at * minute).toISOString();
      noteGap(tx, { from: iso(from), until: iso(until), reason: 'cut' });
    });
    const gaps = heardTimeOfRun(made.store.sql, 'e', { isAlive, now: 30 * minute })?.gaps;
    const [since, end] = gap ?? [0, 0];
    expect(gaps).toEqual(gap === undefined ? [] : [{ from: since * minute, until: end * minute, reason: 'cut' }]);
  });

  it.each<[what: string, waited: number, cut: number]>([
    ['extends beyond its last message by three times the duration of its longest step', 10_000, 30_000],
    ['ends at most a minute after its last message', 100_000, minute],
  ])('%s', async (_what, waited_ms, length) => {
    await made.store.write((tx) => {
      run(tx, { phase: 'completed' });
      const file = { stf_filename: 's', created_at: '', tf_count: 1 };
      insert(tx, 'fastmon_files', { ...file, tf_filename: 'x', execution_id: 'e', waited_ms });
      insert(tx, 'fastmon_files', { ...file, tf_filename: 'y', execution_id: 'e', waited_ms: 1 });
      insert(tx, 'fastmon_files', { ...file, tf_filename: 'z', execution_id: 'other', waited_ms: 19_000 });
      noteSpan(tx, { since: 0, until: 20 * minute }, []);
      noteGap(tx, {
        from: new Date(12 * minute).toISOString(),
        until: new Date(15 * minute).toISOString(),
        reason: 'cut',
      });
    });
    expect(heardTimeOfRun(made.store.sql, 'e', { isAlive, now: 30 * minute })?.gaps).toEqual([
      { from: 12 * minute, until: 12 * minute + length, reason: 'cut' },
    ]);
  });

  it.each<[what: string, end: 'order' | 'killed' | 'recording', hasGap: boolean]>([
    ['has no gap after an observer that ended cleanly with the run', 'order', false],
    ['has no gap after a recording that ended with the run', 'recording', false],
    ['has a gap after an observer that was killed', 'killed', true],
  ])('%s', async (_what, end, hasGap) => {
    await made.store.write((tx) => {
      run(tx, { phase: 'completed' });
      if (end === 'recording') noteSpan(tx, { since: 0, until: 12 * minute }, []);
      else {
        const one = observer(tx, 1, []);
        keepHearing(tx, one, { since: 0, until: 12 * minute }, 12 * minute);
        recordEnd(tx, one, end === 'order' ? 'order' : 'lost');
      }
      noteSpan(tx, { since: 15 * minute, until: 20 * minute }, []);
    });
    expect(heardTimeOfRun(made.store.sql, 'e', { isAlive, now: 30 * minute })?.gaps).toHaveLength(hasGap ? 1 : 0);
  });
});

describe('an observed execution that is no longer heard from', () => {
  const moment = { isAlive, now: 30 * minute };
  const all: [id: string, status: string, phase: string, then: string][] = [
    ['silent', 'running', 'physics', 'unknown'],
    ['over', 'running', 'completed', 'completed'],
    ['lost', 'unknown', 'physics', 'unknown'],
    ['late', 'unknown', 'completed', 'completed'],
    ['failed', 'failed', 'completed', 'failed'],
    ['done', 'completed', 'physics', 'completed'],
  ];

  beforeEach(() =>
    made.store.write((tx) => {
      for (const [execution_id, status, phase] of all)
        observe(tx, { execution_id, last_ms: minute }, { status }, { phase });
    }),
  );

  it('changes its status once, and only if its end was not reported', async () => {
    await made.store.write((tx) => settleObserved(tx, moment));
    const rows = made.store.sql<[], { status: string; end_time: string | null }>(
      'SELECT status, end_time FROM workflow_executions ORDER BY seq',
    );
    expect(rows.all().map(({ status }) => status)).toEqual(all.map(([, , , then]) => then));
    expect(rows.all().map(({ end_time }) => end_time)).toEqual([
      null,
      ...[1, 0, 1].map((n) => (n === 1 ? new Date(minute).toISOString() : null)),
      null,
      null,
    ]);
  });

  it('is reported as unknown or completed while it is stored as running', () => {
    const { sql } = made.store;
    expect([...unheardExecutions(sql, moment).keys()]).toEqual(['silent', 'over']);
    const standing = all.map(
      ([execution_id, status]) => asItStands(sql, { execution_id, status } as ExecutionRow, moment).status,
    );
    expect(standing).toEqual(['unknown', 'completed', 'unknown', 'unknown', 'failed', 'completed']);
  });

  it('is completed a minute after its last message while an observer listens, unless REST reports its status', async () => {
    const status = async (now: number) => {
      await made.store.write((tx) => {
        tx.sql('UPDATE hearings SET until_ms = ?, beat_ms = ?').run(now, now);
        settleObserved(tx, { isAlive, now });
      });
      return made.store.sql<[string], string>('SELECT status FROM workflow_executions WHERE execution_id = ?');
    };
    await made.store.write((tx) => {
      observer(tx, 1, []);
      tx.sql(`UPDATE observed_runs SET told_status = 'running' WHERE execution_id = 'late'`).run();
    });
    expect((await status(2 * minute - 1)).value('over')).toBe('running');
    const then = await status(2 * minute);
    expect(['over', 'late', 'silent'].map((id) => then.value(id))).toEqual(['completed', 'unknown', 'running']);
  });
});

describe('a sign of life from a foreign program', () => {
  const sign = { type: 'data', namespace: 'a', host: '', execution_id: undefined, at: 1000 } as const;
  const iso = (at: number): string => new Date(at).toISOString();

  it.each<[what: string, own: { agent_name: string; namespace: string } | undefined, isNoted: boolean]>([
    ['is noted', undefined, true],
    ['never changes an agent of this store in its namespace', { agent_name: 'x', namespace: 'a' }, false],
    ['is noted beside an agent of that name in another namespace', { agent_name: 'x', namespace: 'b' }, true],
    ['is noted beside another agent', { agent_name: 'y', namespace: 'a' }, true],
  ])('%s', async (_what, own, isNoted) => {
    await made.store.write((tx) => {
      const agent = { agent_type: 'data', state: 'READY', last_heartbeat: 'then', process_id: process(tx, 1) };
      if (own !== undefined) insert(tx, 'system_agents', { ...agent, ...own });
      noteProgram(tx, 'x', sign);
    });
    const { sql } = made.store;
    expect(sql('SELECT agent_name FROM system_agents WHERE heard_on IS NOT NULL').values()).toEqual(
      isNoted ? ['x'] : [],
    );
    expect(sql('SELECT last_heartbeat FROM system_agents WHERE heard_on IS NULL').values()).toEqual(
      own === undefined ? [] : ['then'],
    );
  });

  it('fills in what the previous one lacked, and never sets the time back', async () => {
    await made.store.write((tx) => {
      noteProgram(tx, 'x', { ...sign, host: 'h', execution_id: 'e', state: 'PROCESSING' });
      noteProgram(tx, 'x', { ...sign, namespace: '', at: 500 });
      noteProgram(tx, 'y', { ...sign, namespace: 'b' });
    });
    const { sql } = made.store;
    const columns =
      'agent_name, namespace, state, last_heartbeat, heard_on, current_execution_id AS execution, last_beat';
    expect(sql(`SELECT ${columns} FROM system_agents JOIN processes USING (process_id) ORDER BY seq`).all()).toEqual([
      {
        agent_name: 'x',
        namespace: 'a',
        state: 'PROCESSING',
        last_heartbeat: iso(1000),
        heard_on: 'h',
        execution: 'e',
        last_beat: iso(1000),
      },
      {
        agent_name: 'y',
        namespace: 'b',
        state: 'READY',
        last_heartbeat: iso(1000),
        heard_on: '',
        execution: null,
        last_beat: iso(1000),
      },
    ]);
    await made.store.write((tx) => {
      noteProgram(tx, 'x', { ...sign, namespace: 'c', host: 'i', execution_id: 'f', at: 2000 });
    });
    expect(
      sql(`SELECT ${columns} FROM system_agents JOIN processes USING (process_id) WHERE agent_name = 'x'`).all(),
    ).toEqual([
      {
        agent_name: 'x',
        namespace: 'c',
        state: 'PROCESSING',
        last_heartbeat: iso(2000),
        heard_on: 'i',
        execution: 'f',
        last_beat: iso(2000),
      },
    ]);
  });
});
