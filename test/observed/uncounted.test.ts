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
    ['it is of prompt processing', all('PP-2'), night, /^STF files   6 announced/m],
  ])('has no such count anywhere: %s', async (_, lines, period, shown) => {
    const { fields, view, words, metrics } = await seenOf(lines, period);
    expect(Object.keys(fields).filter((key) => key.startsWith('slices_'))).toEqual([]);
    expect(metrics).toMatch(/swf_execution_stf_files\{/);
    expect(metrics).not.toMatch(/swf_execution_slices\w*\{/);
    expect(view.join('\n')).toMatch(shown);
    expect(view.join('\n')).not.toMatch(/completed|unanswered|failures/);
    expect(words).not.toMatch(/\b0 (?:of 0|TF slices|slices)|0 without a result/);
  });

  it('has the number of results that come without them', async () => {
    const { client, folder } = await readLines(withResults);
    expect(await ask(client, 'get_workflow_monitor', of)).toMatchObject({ results_without_slice: 220, note: unseen });
    expect((await runCli(['status'], { folder })).stdout).toMatch(/TF slices .*220 results of slices that are not on/);
  });

  it('differs from one that has none yet, which would be seen', async () => {
    const { fields, view, metrics } = await seenOf(listening('/topic/epictopic', '/topic/panda.slices'), hour);
    expect(fields).toMatchObject({ slices_created: 0, slices_completed: 0, slices_stay_failed: 0 });
    expect(metrics).toMatch(/swf_execution_slices\{.*state="completed"\} 0$/m);
    expect(view.join('\n')).toMatch(/# 0 completed/);
  });

  it('is left out of the sums of a shift, which say so', async () => {
    const other = linesOf('H-2', 'bus');
    const { client } = await readLines([...broadcasts, ...other]);
    const { totals, text } = await ask(client, 'shift_report', hour);
    expect(totals).toMatchObject({ executions: 2, executions_uncounted: 1, slices_completed: 201 });
    expect(text).toContain(' The slices of 1 execution are not seen, and not counted.\n');
  });
});

it('a site that REST alone reports is not called one that no run was handed over to', async () => {
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

  it('shows from the bus alone that the run was handed over, and no counts', async () => {
    const { view, metrics } = await seenOf(linesOf('PP-2', 'bus'), night);
    expect(metrics).toMatch(/swf_execution_stf_files\{.*state="announced"\} 6$/m);
    expect(metrics).not.toMatch(/swf_execution_stf_files\{.*state="(?:ready|failed)"/);
    expect(view.slice(0, 3)).toEqual([
      'STF files   6 announced; processing is not on the bus',
      'E1_BNL      handed over at 2026-11-30T02:35:46.249Z',
      'E1_JLAB     handed over at 2026-11-30T02:35:48.399Z',
    ]);
  });
});
