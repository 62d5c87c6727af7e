import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { renderView } from '../../src/commands/live/live-view.ts';
import { takeSnapshot } from '../../src/commands/live/snapshot.ts';
import { createPaint } from '../../src/commands/shared/palette.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { createQueries } from '../../src/db/queries.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { type Answer, ask, runCli } from '../helpers.ts';
import { type Line, linesOf, readLines } from './prompt-runs.ts';

const all = (name: 'PP-2' | 'PP-6'): Line[] =>
  [...linesOf(name, 'bus'), ...linesOf(name, 'rest')].toSorted((a, b) => (a.t < b.t ? -1 : 1));

const broadcasts = linesOf('H-1', 'bus').filter(({ destination }) => destination === '/topic/epictopic');
const { t } = broadcasts[0] as Line;

/** A recording of the broadcasts of a run of fast processing that names its topics. */
const listening = (...topics: string[]): Line[] => [{ capture: 1, t, topics }, ...broadcasts];

const withResults = linesOf('H-1', 'bus').filter(({ destination }) => destination !== '/topic/panda.slices');

const hour = { start_time: '2026-11-27T09:00:00Z', end_time: '2026-11-27T10:00:00Z' };
const night = { start_time: '2026-11-30T02:00:00Z', end_time: '2026-11-30T03:00:00Z' };
const of = { execution_id: 'latest' };

/** What people and programs see of the only execution of some lines. */
async function seenOf(lines: readonly Line[], period: { start_time: string; end_time: string }) {
  const { client, folder } = await readLines(lines);
  const store = await openStore(join(folder, 'swf.db'));
  onTestFinished(() => store.close());
  const queries = createQueries(store.db, () => false);
  const snapshot = takeSnapshot(queries, 'latest');
  const none = { stfs: undefined, samples: undefined, slices: undefined };
  const { totals, executions, text } = await ask(client, 'shift_report', period);
  const said = async (...args: string[]) => (await runCli(args, { folder })).stdout;
  return {
    fields: {
      ...(await ask(client, 'list_workflow_executions'))['items'][0],
      ...(await ask(client, 'get_workflow_monitor', of)),
      ...(await ask(client, 'wait_for_execution', of))['counts'],
      ...totals,
      ...executions[0],
    } as Answer,
    view: renderView(snapshot, none, { columns: 100, paint: createPaint(1) }).slice(3),
    words: [text, await said('status', '--watch', 'latest'), await said('check', '--skip-files')].join('\n'),
    client,
    metrics: createMetrics('0').text(queries, Date.parse(period.end_time)),
  };
}

const unseen = 'slices are not on a subscribed topic';

describe('a run whose slices cannot be counted', () => {
  it.each<[string, Line[], typeof hour, RegExp]>([
    [
      'its recording names other topics',
      listening('/topic/epictopic'),
      hour,
      new RegExp(`^TF slices   unknown: ${unseen}$`, 'm'),
    ],
    ['its recording has only their results', withResults, hour, new RegExp(`^TF slices   unknown: ${unseen}$`, 'm')],
    [
      'its recording names no topics',
      broadcasts,
      hour,
      new RegExp(`^TF slices   unknown: ${unseen}, or no program`, 'm'),
    ],
    ['it is a prompt-processing run', all('PP-2'), night, /^STF files   6 announced/m],
  ])('has no count of slices anywhere: %s', async (_, lines, period, shown) => {
    const { fields, view, words, metrics } = await seenOf(lines, period);
    expect(Object.keys(fields).filter((key) => key.startsWith('slices_'))).toEqual([]);
    expect(metrics).toMatch(/swf_execution_stf_files\{/);
    expect(metrics).not.toMatch(/swf_execution_slices\w*\{/);
    expect(view.join('\n')).toMatch(shown);
    expect(view.join('\n')).not.toMatch(/completed|unanswered|failures/);
    expect(words).not.toMatch(/\b0 (?:of 0|TF slices|slices)|0 without a result/);
    expect(words).not.toMatch(/\d{4}-\d\d-\d\dT/);
  });

  it('leaves the counts out of its files, and says why no slices are listed', async () => {
    const { client } = await readLines(listening('/topic/epictopic'));
    for (const list of ['list_stf_files', 'list_tf_files']) {
      const { items } = await ask(client, list, of);
      expect([items.length > 0, items.filter((row: Answer) => 'slice_count' in row)]).toEqual([true, []]);
    }
    expect(await ask(client, 'list_tf_slices', of)).toMatchObject({ items: [], note: unseen });
    expect(await ask(client, 'summarize', { ...of, what: 'slices', group_by: 'status' })).toMatchObject({
      groups: [],
      note: unseen,
    });
  });

  it('says so to a question by run number too, even 0', async () => {
    const zero = listening('/topic/epictopic').map(
      (line) => JSON.parse(JSON.stringify(line).replaceAll(/(run_id\W+)\d+/g, '$10')) as Line,
    );
    const { client } = await readLines(zero);
    expect(await ask(client, 'list_tf_slices', { run_number: 0 })).toMatchObject({ items: [], note: unseen });
  });

  it('has an open audit if no TF file was heard either, since both may be missing', async () => {
    const { client } = await readLines(
      listening('/topic/epictopic').filter((line) => !JSON.stringify(line).includes('tf_file_registered')),
    );
    const { verdict, checks, summary } = await ask(client, 'audit_execution', of);
    expect(checks.find(({ check }: Answer) => check === 'samples')).toMatchObject({ state: 'unknown' });
    expect([verdict, summary]).toEqual(['open', expect.not.stringContaining('PanDA')]);
  });

  it('reports the number of results for slices that were not heard', async () => {
    const { client, folder } = await readLines(withResults);
    expect(await ask(client, 'get_workflow_monitor', of)).toMatchObject({ results_without_slice: 220, note: unseen });
    expect((await runCli(['status'], { folder })).stdout).toMatch(/TF slices .*220 results for slices not seen on/);
  });

  it('is not confused with a run that has no slices yet', async () => {
    const { fields, view, metrics, client } = await seenOf(listening('/topic/epictopic', '/topic/panda.slices'), hour);
    expect(fields).toMatchObject({ slices_created: 0, slices_completed: 0, slices_stay_failed: 0 });
    expect(metrics).toMatch(/swf_execution_slices\{.*state="completed"\} 0$/m);
    expect(view.join('\n')).toMatch(/# 0 completed/);
    expect((await ask(client, 'list_stf_files', of))['items'][0]).toMatchObject({ slice_count: 0 });
  });

  it('is left out of the sums of a shift, and the sums say so', async () => {
    const other = linesOf('H-2', 'bus');
    const { client } = await readLines([...broadcasts, ...other]);
    const { totals, text } = await ask(client, 'shift_report', hour);
    expect(totals).toMatchObject({ executions: 2, executions_uncounted: 1, slices_completed: 201 });
    expect(text).toContain(' The slices of 1 execution are not seen, so they are not counted.\n');
  });
});

it('a run that fell silent without an end is active until its observation ended, and not in later periods', async () => {
  const part = broadcasts.slice(0, Math.floor(broadcasts.length / 2));
  const { client, folder } = await readLines(part);
  const [row] = (await ask(client, 'list_workflow_executions'))['items'] as Answer[];
  expect(row).toMatchObject({ status: 'unknown' });
  const activeFrom = async (start_time: string | undefined): Promise<number> =>
    (await ask(client, 'list_workflow_executions', { start_time }))['total_count'];
  expect([await activeFrom(part.at(-1)?.t), await activeFrom('2026-11-28T00:00:00Z')]).toEqual([1, 0]);
  const next = { start_time: '2026-11-28T00:00:00Z', end_time: '2026-11-28T08:00:00Z' };
  expect((await ask(client, 'shift_report', next))['totals']).toMatchObject({ executions: 0 });
  // A terminal shows when it fell silent as it shows other times.
  const since = /not heard since 2026-11-27 \d\d:\d\d:\d\d UTC/;
  expect((await runCli(['status', '--watch', 'latest'], { folder })).stdout.split('\n', 1)[0]).toMatch(since);
  const store = await openStore(join(folder, 'swf.db'));
  onTestFinished(() => store.close());
  const snapshot = takeSnapshot(
    createQueries(store.db, () => false),
    'latest',
  );
  const none = { stfs: undefined, samples: undefined, slices: undefined };
  expect(renderView(snapshot, none, { columns: 100, paint: createPaint(1) }).join('\n')).toMatch(since);
});

it('status does not call a site "not handed over" if the site is reported only over REST', async () => {
  const { folder } = await readLines(linesOf('PP-2', 'rest'));
  const { stdout } = await runCli(['status'], { folder });
  expect(stdout).toMatch(/E1_BNL: 3 registered \(0 processing, 3 processed, 0 failed\), task \d+$/m);
  expect(stdout).not.toContain('not handed over');
});

describe('the live view of prompt processing', () => {
  it('shows the STF files of each site', async () => {
    const { view } = await seenOf(all('PP-2'), night);
    const work = String.raw`3 registered \(0 processing, 3 processed, 0 failed\), handed over at 2026-`;
    expect(view.slice(0, 3)).toEqual([
      'STF files   6 announced, 6 registered, 6 processed, 0 failed',
      expect.stringMatching(`^E1_BNL      ${work}`),
      expect.stringMatching(`^E1_JLAB     ${work}`),
    ]);
  });

  it('shows a hand-over, but no counts, if only the bus was observed', async () => {
    const { view, metrics } = await seenOf(linesOf('PP-2', 'bus'), night);
    expect(metrics).toMatch(/swf_execution_stf_files\{.*state="announced"\} 6$/m);
    expect(metrics).not.toMatch(/swf_execution_stf_files\{.*state="(?:ready|failed)"/);
    expect(view.slice(0, 3)).toEqual([
      'STF files   6 announced; processing is not on the bus',
      'E1_BNL      handed over at 2026-11-30 02:35:46 UTC',
      'E1_JLAB     handed over at 2026-11-30 02:35:48 UTC',
    ]);
  });
});
