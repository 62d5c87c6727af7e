import { beforeAll, describe, expect, it } from 'vitest';

import { recordHeard } from '../../src/db/observed/heard-messages.ts';
import { beginHearing, endHearing, keepHearing, noteGap, noteSpan } from '../../src/db/observed/hearings.ts';
import { settleObserved } from '../../src/db/observed/settle.ts';
import type { Store } from '../../src/db/opening/store.ts';
import { recordEnd } from '../../src/db/presence/agent-registry.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { createQueries } from '../../src/db/queries.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { auditExecutionTool } from '../../src/tools/audit-execution.ts';
import { ask, runCli } from '../helpers.ts';
import { readRecording } from '../observer/recordings.ts';
import { type Line, linesOf, readLines } from './prompt-runs.ts';
import { emptyStore } from './stores.ts';

const id = 'stf_datataking-shifter-0001';
const topics = ['/topic/epictopic', '/topic/panda.slices', '/topic/panda.results', '/topic/panda.workers'];

const sentOf = ({ headers }: MessageLine): number => Number(headers['timestamp']);
const typeOf = (line: MessageLine): unknown =>
  'body' in line ? (line.body as { msg_type?: unknown }).msg_type : undefined;

let run: MessageLine[];
/** When its first and its last message were sent, in milliseconds since 1970. */
let first: number;
let last: number;

beforeAll(async () => {
  run = await readRecording('H-1');
  [first, last] = [sentOf(run[0] as MessageLine), Math.max(...run.map(sentOf))];
});

/** The answer of the tool. */
const audited = auditExecutionTool.handle as unknown as (args: object, context: object) => { summary: string };

/** Observers of a store that come and go, at times of the test's choosing. */
class Site {
  readonly store: Store;
  readonly #alive = new Set<number>();
  #observers = 0;

  private constructor(store: Store) {
    this.store = store;
  }

  static async open(): Promise<Site> {
    return new Site(await emptyStore());
  }

  isAlive = ({ pid }: { pid: number }): boolean => this.#alive.has(pid);

  /** An observer listens from one time to another, hears these messages, and then lives on, ends cleanly, or is killed. */
  async observe(from: number, until: number, how: 'lives' | 'ends' | 'is killed', lines: readonly MessageLine[] = []) {
    this.#observers += 1;
    const pid = 1000 + this.#observers;
    this.#alive.add(pid);
    const process_id = await this.store.write((tx) => {
      settleObserved(tx, { isAlive: this.isAlive, now: from });
      const process_ = registerProcess(tx, { pid, pid_started: '', hostname: 'host-a' }, '0');
      beginHearing(tx, { namespaces: [], process_id: process_, now: from, topics }, this.isAlive);
      keepHearing(tx, process_, { since: from, until: from }, from);
      return process_;
    });
    await this.hear(lines);
    await this.store.write((tx) => {
      keepHearing(tx, process_id, { since: from, until }, until);
      settleObserved(tx, { isAlive: this.isAlive, now: until });
    });
    if (how !== 'lives') this.#alive.delete(pid);
    if (how === 'ends')
      await this.store.write((tx) => {
        endHearing(tx, process_id, until);
        recordEnd(tx, process_id, 'order');
        settleObserved(tx, { isAlive: this.isAlive, now: until });
      });
    return process_id;
  }

  /** An observer's process is gone. */
  leave(processId: number): void {
    const pid = this.store.sql<[number], number>('SELECT pid FROM processes WHERE process_id = ?').value(processId);
    this.#alive.delete(pid ?? 0);
  }

  hear(lines: readonly MessageLine[]): Promise<void> {
    return this.store.write((tx) => {
      for (const line of lines) recordHeard(tx, line);
    });
  }

  /** What the store says about the run at a time. */
  answer(now: number) {
    const queries = this.#queriesAt(now);
    const execution = queries.execution(id);
    const { findings, health, heard } = queries.assessWithFindings(execution, now, undefined);
    const audit = queries.audit(execution);
    return {
      status: execution.status,
      reason: execution.status_reason,
      health,
      codes: findings.map(({ code }) => code),
      gaps: heard?.gaps.map(({ from, until }) => [from, until]),
      heardUntil: heard?.now,
      seconds: queries.duration(execution, now),
      verdict: audit.verdict,
      summary: audited({ execution_id: id }, { queries, now }).summary,
      audit,
    };
  }

  #queriesAt = (now: number) =>
    createQueries(
      this.store.db,
      Object.assign((identity: { pid: number }) => this.isAlive(identity), { now }),
    );

  /** The number of executions active at a time or later. */
  activeSince(time: number, now: number) {
    const start_time = new Date(time).toISOString();
    return this.#queriesAt(now).executions({ start_time }, { order: 'newest', limit: 9 }).rows.length;
  }

  /** The executions that a filter by status finds. */
  listed(status: 'running' | 'unknown' | 'completed', now: number) {
    const { rows } = this.#queriesAt(now).executions({ status }, { order: 'newest', limit: 9 });
    return rows.map((row) => [row.execution_id, row.status, row.status_reason]);
  }
}

/** All that was sent up to the end of the run's first STF files: the rest was lost. */
const upTo = (time: number): MessageLine[] => run.filter((line) => sentOf(line) <= time);

it('slice counts are left out of lists and reports if no subscribed topic carries slices', async () => {
  const lines = linesOf('H-1', 'bus').filter((line) => !String(line['destination']).includes('panda'));
  const { client, folder } = await readLines([
    { capture: 1, t: lines[0]?.t, by: 'test', topics: ['/topic/epictopic'] } as unknown as Line,
    ...lines,
  ]);
  const { items } = await ask(client, 'list_workflow_executions');
  expect(items).toMatchObject([{ stf_count: 3 }]);
  for (const name of ['slices_created', 'slices_completed', 'slices_failed']) expect(items[0]).not.toHaveProperty(name);
  const report = await ask(client, 'shift_report', {
    start_time: '2026-11-27T09:00:00Z',
    end_time: '2026-11-27T10:00:00Z',
  });
  expect(report['executions'][0]).not.toHaveProperty('slices_created');
  expect(report['text']).not.toContain('0 of 0');
  expect((await runCli(['list'], { folder })).stdout).not.toMatch(/ 0 {2,}0 /);
});

describe('a time in which nothing was heard', () => {
  it('does not affect a run that was already over, whatever caused the silence', async () => {
    const site = await Site.open();
    await site.observe(first - 1000, last + 70_000, 'ends', run);
    const hours = last + 9 * 3_600_000;
    await site.store.write((tx) =>
      noteGap(tx, {
        from: new Date(hours).toISOString(),
        until: new Date(hours + 60_000).toISOString(),
        reason: 'the broker was away',
      }),
    );
    await site.observe(hours - 600_000, hours + 600_000, 'lives');
    expect(site.answer(hours + 600_000)).toMatchObject({ status: 'completed', verdict: 'balanced', gaps: [] });
  });

  it('does not affect a run whose observer ended after hearing everything that was announced', async () => {
    const site = await Site.open();
    await site.observe(first - 1000, last + 300, 'ends', run);
    expect(site.answer(last + 300)).toMatchObject({ status: 'completed', verdict: 'balanced', gaps: [] });
    await site.observe(last + 86_400_000, last + 86_500_000, 'ends');
    expect(site.answer(last + 86_500_000)).toMatchObject({ status: 'completed', verdict: 'balanced', gaps: [] });
  });

  it.each([
    // Until 15 s after that the run may have gone on.
    ['counts as a gap if the observer was killed soon after the run’s last message', 2000, [[0, 13_000]]],
    ['is not a gap if the observer was killed long enough after the run’s last message', 23_000, []],
  ])('%s', async (_, after, expected) => {
    const site = await Site.open();
    await site.observe(first - 1000, last + after, 'is killed', run);
    await site.observe(last + after + 14_000, last + after + 60_000, 'ends');
    const { gaps, verdict, codes } = site.answer(last + after + 60_000);
    expect(gaps?.map(([from = 0, until = 0]) => [from - last - after, until - last - after])).toEqual(expected);
    expect(verdict).toBe(expected.length === 0 ? 'balanced' : 'open');
    expect(codes.includes('NOT_HEARD')).toBe(expected.length > 0);
  });

  it('after a killed observer remains a gap once the next observer has ended', async () => {
    const end = sentOf(run.find((line) => typeOf(line) === 'end_run') as MessageLine);
    const site = await Site.open();
    // What was heard has its results; the slices after it were sent in the gap.
    const slices = upTo(end).filter((line) => typeOf(line) !== 'slice' && typeOf(line) !== 'slice_result');
    await site.observe(first - 1000, end + 500, 'is killed', slices);
    await site.observe(end + 6500, end + 200_000, 'ends');
    const answer = site.answer(end + 200_000);
    expect(answer).toMatchObject({ status: 'completed', verdict: 'open' });
    expect(answer.gaps).toHaveLength(1);
    expect(answer.codes).toContain('NOT_HEARD');
  });

  it.each([
    ['as the end of the time heard if the previous observer ended', 'ends', false],
    ['as a gap in the time heard if the previous observer was killed', 'is killed', true],
  ] as const)('counts %s', async (_what, how, isNextIncluded) => {
    const middle = Math.round((first + last) / 2);
    const site = await Site.open();
    await site.observe(first - 1000, middle, how, upTo(middle));
    await site.observe(last + 60_000, last + 90_000, 'ends');
    expect(site.answer(last + 90_000)).toMatchObject({
      status: 'unknown',
      gaps: isNextIncluded ? [[middle, last + 60_000]] : [],
      heardUntil: isNextIncluded ? last + 90_000 : middle,
    });
  });

  it('leaves the status of a run unknown if the next observer does not hear the run', async () => {
    const middle = Math.round((first + last) / 2);
    const site = await Site.open();
    await site.observe(first - 1000, middle, 'ends', upTo(middle));
    await site.observe(last + 60_000, last + 90_000, 'lives');
    const reason = `not heard since ${new Date(middle).toISOString()}`;
    expect(site.answer(last + 90_000)).toMatchObject({ status: 'unknown', reason, health: undefined });
  });
});

describe('the time heard by an observer whose messages lag', () => {
  it('ends with the newest message, so that lost messages never count as heard', async () => {
    const site = await Site.open();
    const middle = Math.round((first + last) / 2);
    const observer = await site.observe(first - 1000, middle, 'lives', upTo(middle));
    await site.store.write((tx) => keepHearing(tx, observer, { since: first, until: middle }, middle + 20_000));
    expect(site.answer(middle + 20_000)).toMatchObject({ status: 'running', heardUntil: middle });
    await site.store.write((tx) =>
      keepHearing(tx, observer, { since: first, until: middle + 16_000 }, middle + 21_000),
    );
    expect(site.answer(middle + 21_000)).toMatchObject({ heardUntil: middle + 21_000 });
  });

  it.each(['is killed', 'ends'] as const)(
    'is set back to the newest message if it was later when the observer %s',
    async (how) => {
      const site = await Site.open();
      const middle = Math.round((first + last) / 2);
      const newest = middle - 2000;
      const observer = await site.observe(first - 1000, middle, 'lives', upTo(middle));
      await site.store.write((tx) => keepHearing(tx, observer, { since: first - 1000, until: newest }, middle + 9000));
      site.leave(observer);
      if (how === 'ends') await site.store.write((tx) => endHearing(tx, observer, newest));
      await site.observe(last + 60_000, last + 90_000, 'lives');
      expect(site.answer(last + 90_000).gaps).toEqual([[newest, last + 60_000]]);
    },
  );

  it('begins when the observer’s subscription is confirmed, not when its process starts', async () => {
    const site = await Site.open();
    const process_id = await site.store.write((tx) => {
      const process_ = registerProcess(tx, { pid: 1, pid_started: '', hostname: 'host-a' }, '0');
      beginHearing(tx, { namespaces: [], process_id: process_, now: first }, () => true);
      return process_;
    });
    const spans = () => site.store.db.prepare('SELECT since_ms - ? AS since, until_ms - ? AS until FROM hearings');
    await site.store.write((tx) =>
      keepHearing(tx, process_id, { since: first + 400, until: first + 400 }, first + 400),
    );
    await site.store.write((tx) =>
      keepHearing(tx, process_id, { since: first + 400, until: first + 5400 }, first + 5400),
    );
    expect(spans().all(first, first)).toEqual([{ since: 400, until: 5400 }]);
  });
});

describe('the status of a run that is no longer observed', () => {
  const middle = () => Math.round((first + last) / 2);

  it.each(['ends', 'is killed'] as const)('is unknown if its end was not reported and its observer %s', async (how) => {
    const site = await Site.open();
    await site.observe(first - 1000, middle() + 90_000, how, upTo(middle()));
    const now = middle() + 3_600_000;
    const reason = `not heard since ${new Date(middle() + 90_000).toISOString()}`;
    const answer = site.answer(now);
    expect(answer).toMatchObject({ status: 'unknown', reason, health: undefined, verdict: 'open' });
    expect(answer.codes).toContain('SLICES_UNANSWERED');
    expect(answer.codes).not.toContain('RUN_SILENT');
    expect(site.listed('unknown', now)).toEqual([[id, 'unknown', reason]]);
    expect([...site.listed('running', now), ...site.listed('completed', now)]).toEqual([]);
  });

  it.each(['ends', 'is killed'] as const)(
    'does not make it active in later windows, whether its observer %s, even under a later observer',
    async (how) => {
      const site = await Site.open();
      const end = middle() + 90_000;
      await site.observe(first - 1000, end, how, upTo(middle()));
      const later = middle() + 3_600_000;
      expect([site.activeSince(middle(), later), site.activeSince(end + 1, later)]).toEqual([1, 0]);
      // A new observer settles the runs that an earlier one left, and then listens.
      await site.store.write((tx) => settleObserved(tx, { isAlive: site.isAlive, now: later }));
      await site.observe(later, later + 60_000, 'lives');
      const now = later + 60_000;
      expect(site.answer(now).status).toBe('unknown');
      expect([site.activeSince(first, now), site.activeSince(end + 1, now)]).toEqual([1, 0]);
    },
  );

  it.each(['ends', 'is killed'] as const)(
    'is completed, with unanswered slices, if its end was announced and its observer %s',
    async (how) => {
      const end = sentOf(run.find((line) => typeOf(line) === 'end_run') as MessageLine);
      const site = await Site.open();
      await site.observe(first - 1000, end + 100, how, upTo(end));
      const answer = site.answer(end + 3_600_000);
      expect(answer).toMatchObject({ status: 'completed', health: 'finished', verdict: 'open' });
      expect(answer.codes).toContain('SLICES_UNANSWERED');
      expect(answer.audit.checks.find(({ check }) => check === 'results')).toMatchObject({ state: 'open' });
      expect(site.listed('completed', end + 3_600_000)).toHaveLength(1);
      expect(site.listed('unknown', end + 3_600_000)).toEqual([]);
    },
  );

  it.each([
    ['in the middle of the run', () => middle()],
    ['after the end of the DAQ', () => sentOf(run.find((line) => typeOf(line) === 'end_run') as MessageLine)],
  ])('is running, with a gap, while a live observer has lost its connection %s', async (_, when) => {
    const site = await Site.open();
    await site.observe(first - 1000, when() + 100, 'lives', upTo(when()));
    const now = when() + 60_000;
    await site.store.write((tx) => settleObserved(tx, { isAlive: site.isAlive, now }));
    const answer = site.answer(now);
    expect(answer).toMatchObject({ status: 'running', health: undefined });
    expect(answer.summary).toMatch(
      /^It is still running \(health unknown\); the records so far are consistent\..*the observer receives nothing/,
    );
    expect(answer.codes.filter((code) => code !== 'RESULTS_REPEATED')).toEqual(['NOT_HEARD']);
  });

  it('comes with CLOCK_OFF, and without health and duration, if the clock is behind', async () => {
    const site = await Site.open();
    await site.observe(first - 1000, middle(), 'lives', upTo(middle()));
    expect(site.answer(middle() - 3_600_000)).toMatchObject({
      status: 'running',
      health: undefined,
      seconds: undefined,
      codes: ['CLOCK_OFF', 'RESULTS_REPEATED'],
      summary: expect.stringMatching(/^It is still running \(health unknown\)/) as string,
    });
    expect(site.answer(middle())).toMatchObject({ health: 'progressing', codes: ['RESULTS_REPEATED'] });
  });

  it('stays unknown while another observer listens, until the run is heard again', async () => {
    const site = await Site.open();
    await site.observe(first - 1000, middle(), 'is killed', upTo(middle()));
    await site.observe(middle() + 5000, middle() + 300_000, 'lives');
    expect(site.answer(middle() + 300_000)).toMatchObject({ status: 'unknown', health: undefined });
    await site.hear(run.filter((line) => sentOf(line) > middle()).slice(0, 1));
    expect(site.answer(middle() + 300_001)).toMatchObject({ status: 'running' });
    expect(site.listed('running', middle() + 300_001)).toHaveLength(1);
  });

  it('is running again if a result comes after its observer has ended', async () => {
    const end = sentOf(run.find((line) => typeOf(line) === 'end_run') as MessageLine);
    const site = await Site.open();
    await site.observe(first - 1000, end + 100, 'ends', upTo(end));
    await site.observe(end + 200, end + 400, 'lives');
    const results = run.filter((line) => sentOf(line) > end && typeOf(line) === 'slice_result');
    await site.hear(results.slice(0, 1));
    expect(site.answer(end + 500)).toMatchObject({ status: 'running', health: 'draining' });
    await site.hear(results.slice(1));
    await site.store.write((tx) => settleObserved(tx, { isAlive: site.isAlive, now: last + 500 }));
    expect(site.answer(last + 500)).toMatchObject({ status: 'running' });
  });

  it('is completed a minute after the last result while an observer listens', async () => {
    const site = await Site.open();
    await site.observe(first - 1000, last + 59_000, 'lives', run);
    expect(site.answer(last + 59_000)).toMatchObject({ status: 'running', health: 'draining' });
    const [observer] = site.store.db.prepare('SELECT process_id FROM hearings').all() as { process_id: number }[];
    await site.store.write((tx) => {
      keepHearing(tx, observer?.process_id ?? 0, { since: first, until: last + 61_000 }, last + 61_000);
      settleObserved(tx, { isAlive: site.isAlive, now: last + 61_000 });
    });
    expect(site.answer(last + 61_000)).toMatchObject({ status: 'completed', verdict: 'balanced' });
  });
});

describe('messages of a run whose execution was never named', () => {
  it('are mentioned when an execution is asked for but not found', async () => {
    const site = await Site.open();
    const nameless = run.slice(5).filter((line) => !JSON.stringify(line).includes(id));
    await site.observe(first - 1000, last, 'lives', nameless);
    expect(() => site.answer(last)).toThrow(/\d+ messages of run 102001 belong to no execution/);
    await site.hear(run);
    const queries = createQueries(site.store.db, site.isAlive);
    expect(queries.messagesWithoutExecution()).toBeUndefined();
    expect(queries.messageCount(id)).toBeGreaterThan(nameless.length);
  });
});

describe('the number of STF files of a run', () => {
  it('is the number in its end message, even if fewer files were heard', async () => {
    const site = await Site.open();
    const isThird = (line: MessageLine): boolean => JSON.stringify(line).includes('000003.stf');
    await site.observe(
      first - 1000,
      last,
      'ends',
      run.filter((line) => !isThird(line)),
    );
    const queries = createQueries(site.store.db, site.isAlive);
    expect(queries.execution(id).stf_count).toBe(3);
    expect(site.answer(last).audit.checks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ check: 'stf_announced', expected: 3, found: 2, state: 'open' }),
        expect.objectContaining({ check: 'counts', state: 'ok' }),
      ]),
    );
  });
});

describe('the samples of a run without slices', () => {
  const isWork = (line: MessageLine): boolean => ['slice', 'slice_result'].includes(String(typeOf(line)));
  const isBroadcast = ({ destination }: MessageLine): boolean => destination === '/topic/epictopic';
  const samplesOf = ({ audit }: ReturnType<Site['answer']>) => audit.checks.find(({ check }) => check === 'samples');

  /** The answer about these messages, as a recording of these topics has them; undefined: a recording that does not say. */
  async function answerTo(lines: readonly MessageLine[], listened: readonly string[] | undefined) {
    const site = await Site.open();
    await site.hear(lines);
    await site.store.write((tx) => {
      noteSpan(tx, { since: first, until: last, topics: listened }, []);
      settleObserved(tx, { isAlive: site.isAlive, now: last });
    });
    return site.answer(last);
  }

  it('are not balanced if fast processing took part but made no slices, and a finding says so', async () => {
    const answer = await answerTo(
      run.filter((line) => !isWork(line)),
      topics,
    );
    expect(answer).toMatchObject({ status: 'completed', verdict: 'open' });
    expect(answer.codes).toContain('SAMPLES_UNSLICED');
    expect(samplesOf(answer)).toMatchObject({ state: 'open', expected: 21, found: 0, id_count: 21 });
  });

  it('are not balanced if fast processing took part and no TF file was announced', async () => {
    const answer = await answerTo(
      run.filter((line) => !isWork(line) && typeOf(line) !== 'tf_file_registered'),
      topics,
    );
    expect(answer).toMatchObject({ status: 'completed', verdict: 'open' });
    expect(samplesOf(answer)).toMatchObject({ state: 'open', expected: 0, found: 0 });
    expect(answer.summary).toBe(
      'It was completed before everything was known to be done; the records so far are consistent. No TF file was announced or sliced, although fast processing takes part.',
    );
  });

  it.each<[string, (line: MessageLine) => boolean, readonly string[] | undefined, string]>([
    ['only broadcasts are listened to', isBroadcast, ['/topic/epictopic'], 'slices are not on a subscribed topic'],
    [
      'fast processing takes part, and its slices are not listened to',
      (line) => !isWork(line),
      ['/topic/epictopic', '/topic/panda.workers'],
      'slices are not on a subscribed topic',
    ],
    ['nothing shows that any program makes slices', isBroadcast, topics, 'no program here makes slices'],
    [
      'nobody knows what was listened to',
      isBroadcast,
      undefined,
      'slices are not on a subscribed topic, or no program here makes slices',
    ],
  ])('are unknown, with the reason, if %s', async (_, isHeard, listened, problem) => {
    const answer = await answerTo(run.filter(isHeard), listened);
    expect(samplesOf(answer)).toMatchObject({ state: 'unknown', problem });
    expect(answer.verdict).toBe('open');
    expect(answer.codes).not.toContain('SAMPLES_UNSLICED');
  });
});
