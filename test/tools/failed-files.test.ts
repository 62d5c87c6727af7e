import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { createQueries } from '../../src/db/queries.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { type Answer, ask, runCli } from '../helpers.ts';
import { changed, isCall, isReport, judge, type Line, linesOf, readLines } from '../observed/prompt-runs.ts';

const all = (name: 'PP-1' | 'PP-2' | 'PP-6'): Line[] =>
  [...linesOf(name, 'bus'), ...linesOf(name, 'rest')].toSorted((a, b) => (a.t < b.t ? -1 : 1));

const of = { execution_id: 'latest' };

/** Words about slices, which prompt processing has not. */
const slices = /slice|sample|\btf_/i;

describe('an STF file that failed at a site', () => {
  it('counts as a failure of its execution in every list and total', async () => {
    const { client } = await readLines(all('PP-6'));
    const list = async (has_failures: boolean): Promise<Answer> =>
      ask(client, 'list_workflow_executions', { has_failures });
    const { items } = await list(true);
    expect(items).toMatchObject([{ stf_count: 5, stf_failed: 1 }]);
    expect(Object.keys(items[0])).not.toEqual(expect.arrayContaining([expect.stringMatching(/slice|retries|bytes/)]));
    expect((await list(false))['total_count']).toBe(0);
    const sum = async (what: string, group_by: string): Promise<Answer> =>
      (await ask(client, 'summarize', { what, group_by }))['total'];
    // They are no slices.
    expect(await sum('executions', 'day')).toMatchObject({ stay_failed: 0 });
    expect(await sum('stf_files', 'execution_id')).toMatchObject({ failed: 1 });
  });

  it('is mentioned wherever an answer says how a run went, without a word about slices', async () => {
    const { client, folder } = await readLines(all('PP-6'));
    const cli = async (command: string) => (await runCli([command], { folder })).stdout;
    expect((await ask(client, 'wait_for_execution', of))['next']).toMatch(/^it has ended, and 1 STF file failed;/);
    const { figures } = await ask(client, 'compare_executions', { ...of, with_execution_id: 'latest' });
    expect(figures).toMatchObject({ stf_count: { a: 5, b: 5 }, stf_failed: { a: 1, b: 1 } });
    expect(Object.keys(figures)).toHaveLength(3);
    expect(await cli('list')).toMatch(/ 5 +1 +2026-/);
    const report = await cli('report');
    expect(report).toMatch(/^- site: PanDA: 3 registered \(0 processing, 2 processed, 1 failed\), handed over at .*$/m);
    const check = await cli('check');
    expect(check).toContain('the records agree: 5 STF files announced, 3 registered, 2 processed, 1 failed\n');
    for (const text of [report, check]) expect(text).not.toMatch(slices);
  });

  it('is in the report of its shift', async () => {
    const { client } = await readLines(all('PP-6'));
    const { totals, executions, text } = await ask(client, 'shift_report', { start_time: '2026-11-30T02:00:00Z' });
    expect(totals).toMatchObject({ stf_failed: 1 });
    expect(executions).toMatchObject([{ stf_failed: 1 }]);
    expect(Object.keys(executions[0])).not.toEqual(expect.arrayContaining([expect.stringMatching(slices)]));
    expect(text).toContain(' 1 STF file failed in PanDA.\n');
    expect(text).toContain('| 5 |  | 1 STF file |');
  });

  it('is in the metrics for a monitoring system', async () => {
    const { folder } = await readLines(all('PP-6'));
    using store = await openStore(join(folder, 'swf.db'));
    const ended = Date.parse('2026-11-30T02:45:00Z');
    const text = createMetrics('0').text(
      createQueries(store.db, () => true),
      ended,
    );
    expect(text).toMatch(/swf_execution_stf_files\{.*state="failed"\} 1\n/);
  });

  it('counts as failed while another site still has it, and only once if it fails at both', async () => {
    const bothSites = (lines: readonly Line[], other: string) =>
      lines.map((line) =>
        isReport(line)
          ? changed(line, (body) => {
              const [site] = Object.keys(body['metadata'].panda_site_statuses ?? {});
              if (site === undefined || body['status'] !== 'processed') return;
              body['status'] = other === 'failed' ? 'failed' : 'processing';
              body['metadata'].panda_site_statuses = { E1_BNL: { status: 'failed' }, E1_JLAB: { status: other } };
            })
          : line,
      );
    const lines = all('PP-2').filter((line) => !isCall(line, 'PATCH', 'runs'));
    for (const other of ['processing', 'failed']) {
      const found = await judge(bothSites(lines, other));
      expect(found.findings['STF_FAILED']).toMatch(/^6 STF files failed in PanDA/);
      expect(found.monitor['stf_failed']).toBe(6);
    }
  });

  it('cannot be known from the bus alone', async () => {
    const { client: heard } = await readLines(linesOf('PP-6', 'bus'));
    const { items } = await ask(heard, 'list_workflow_executions');
    expect(items[0]).not.toHaveProperty('stf_failed');
  });
});

describe('a failed file for which no site is reported as failed', () => {
  it('counts as failed at the sites that did not process it', async () => {
    const unsaid = all('PP-2').map((line) =>
      isReport(line)
        ? changed(line, (body) => {
            const statuses = body['metadata'].panda_site_statuses;
            if (body['status'] !== 'processed' || statuses?.E1_JLAB === undefined) return;
            body['status'] = 'failed';
            statuses.E1_JLAB.status = 'submission refused';
          })
        : line,
    );
    const { monitor, codes } = await judge(unsaid);
    expect(codes).toEqual(['STF_FAILED']);
    expect(monitor).toMatchObject({ stf_failed: 3, sites: [{ failed: 0 }, { site: 'E1_JLAB', failed: 3 }] });
  });
});
