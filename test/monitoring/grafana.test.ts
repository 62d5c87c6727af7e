import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { expect, it } from 'vitest';

import { makeRunningStore, sayShortExecutions, startHttp, temporaryFolder, noCounts } from '../helpers.ts';
import { hostileRun } from '../web/hostile-run.ts';

/** The names of the series in a text. */
const seriesIn = (text: string): Set<string> => new Set(text.match(/\bswf_(?:mcp_)?[a-z_]+\b/g) ?? []);

it.each(['dashboard.json', 'alerts.yaml'])('every series that examples/grafana/%s names is served', async (name) => {
  const folder = temporaryFolder();
  const id = await hostileRun(folder);
  const { url } = await startHttp({ folder });
  const text = await (await fetch(url.replace(/mcp$/, 'metrics'))).text();
  const told = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, series]) => series));
  const asked = seriesIn(readFileSync(`examples/grafana/${name}`, 'utf8'));
  expect(asked.size).toBeGreaterThan(3);
  expect([...asked].filter((series) => !told.has(series))).toEqual([]);
  // An execution that has ended is served with its final state and the number of slices that failed permanently.
  expect(text).toContain(`swf_execution_status{execution_id="${id}",namespace="torre2",status="completed"} 1`);
  expect(text).toMatch(/^swf_execution_slices_stay_failed\{[^}]*\} [1-9]\d*$/m);
});

it('the dashboard has a title, panels that query our series, and two variables', () => {
  const { title, panels, templating } = JSON.parse(readFileSync('examples/grafana/dashboard.json', 'utf8')) as {
    title: string;
    panels: { title: string; targets: { expr: string }[] }[];
    templating: { list: { name: string }[] };
  };
  expect(title).not.toBe('');
  expect(panels.every(({ targets }) => targets.every(({ expr }) => expr.includes('swf_')))).toBe(true);
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'execution']);
});

it('the execution that ended last is served even if twenty-one others began after it', async () => {
  const made = await makeRunningStore();
  // One more than are served.
  await sayShortExecutions(made, 21);
  await made.say('workflow_ended', {
    status: 'failed',
    reason: 'the disk is full',
    ...noCounts,
  });
  const { url } = await startHttp({ folder: dirname(made.path) });
  const text = await (await fetch(url.replace(/mcp$/, 'metrics'))).text();
  expect(text).toMatch(/^swf_execution_status\{execution_id="stf_datataking-tester-0001",[^}]*status="failed"\} 1$/m);
  expect(text.match(/^swf_execution_status\{/gm)).toHaveLength(20);
});
