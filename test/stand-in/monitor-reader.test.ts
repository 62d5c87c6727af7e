import { describe, expect, it } from 'vitest';

import { readerOf } from './reader.ts';

describe('a monitor that is read', () => {
  it('is still read if one path always fails, but the run of that path is not recorded as read', async () => {
    const answers: Record<string, unknown> = {
      'workflow-executions/?status=running': ['5', '6'].map((n) => ({ execution_id: `e-${n}`, status: 'running' })),
      'run-states/': ['5', '6'].map((n) => ({ run_number: n, metadata: { execution_id: `e-${n}` } })),
    };
    const { pass, asked, reads, said } = readerOf((path) =>
      path === 'tf-slices/?run_number=5' ? Promise.reject(new Error('500')) : Promise.resolve(answers[path] ?? []),
    );
    await pass(300);
    expect(said).toEqual(['WARNING swf-monitor does not answer requests for tf-slices/?run_number=5: 500; retrying']);
    expect(new Set(reads.map(({ run_id }) => run_id))).toEqual(new Set(['6']));
    expect(asked.filter(({ path }) => path.startsWith('system-state-events/?run_number=5')).length).toBeGreaterThan(1);
  });

  it('is still read if one object is nested too deeply, which is reported in one line', async () => {
    const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;
    const execution = (n: number, more: object) => ({ execution_id: `e-${n}`, status: 'running', ...more });
    const { pass, lines, said } = readerOf((path) =>
      Promise.resolve(
        path.startsWith('workflow-executions/')
          ? [execution(5, { parameter_values: deep }), execution(6, {})]
          : path === 'run-states/'
            ? ['5', '6'].map((n) => ({ run_number: n, metadata: { execution_id: `e-${n}` } }))
            : [],
      ),
    );
    await pass(120);
    expect(said).toEqual([
      'WARNING swf-monitor: an object in workflow-executions for e-5 is nested too deeply and was skipped',
    ]);
    expect(JSON.stringify(lines)).toContain('e-6');
  });

  it('is asked less and less often while it is away, and is reported when it is back', async () => {
    let isAway = true;
    const { reader, pass, asked, said } = readerOf(() =>
      isAway ? Promise.reject(new TypeError('fetch failed', { cause: new Error('no route') })) : Promise.resolve([]),
    );
    await pass(300);
    expect(reader.isHearing()).toBe(false);
    expect(asked.length).toBeLessThan(12);
    const first = 'workflow-executions/?status=running';
    expect(said).toEqual([`WARNING swf-monitor does not answer requests for ${first}: no route; retrying`]);
    isAway = false;
    await pass(130);
    expect(said.slice(1)).toEqual([`swf-monitor answers requests for ${first} again`]);
    expect(reader.isHearing()).toBe(true);
  });

  it('is reported once for each change if it goes away while it refuses two lists', async () => {
    const state = { isAway: false, refused: ['tf-slices/', 'system-state-events/'] };
    const { pass, said, reads, reader } = readerOf((path) => {
      if (state.isAway) return Promise.reject(new Error('no route'));
      if (state.refused.some((name) => path.startsWith(name))) return Promise.reject(new Error('its status is 403'));
      if (path.startsWith('workflow-executions/')) return Promise.resolve([{ execution_id: 'e', status: 'running' }]);
      return Promise.resolve(
        path === 'run-states/' ? [{ run_number: '5', metadata: { execution_id: 'e' } }] : [{ run_number: 5 }],
      );
    });
    const since = async (seconds: number): Promise<string[]> => {
      const before = said.length;
      await pass(seconds);
      return said.slice(before);
    };
    const refusals = ['tf-slices/?run_number=5', 'system-state-events/?run_number=5&event_type=slice_result'];
    expect(await since(300)).toEqual(
      refusals.map((path) => `WARNING swf-monitor does not answer requests for ${path}: its status is 403; retrying`),
    );
    state.isAway = true;
    const [away, ...others] = await since(1200);
    expect([away, others]).toEqual([
      expect.stringMatching(/^WARNING swf-monitor does not answer requests for .*: no route; /),
      [],
    ]);
    // What is not asked for cannot say that the monitor answers.
    expect([reads, reader.isHearing()]).toEqual([[], false]);
    state.isAway = false;
    expect(await since(300)).toEqual([expect.stringMatching(/^swf-monitor answers .* again$/)]);
    state.refused = [];
    expect(await since(300)).toEqual(refusals.map((path) => `swf-monitor answers requests for ${path} again`));
    expect(reads.length).toBeGreaterThan(0);
  });

  it.each([
    ['all STF files', () => true],
    ['one of many STF files', (path: string) => path.includes('s-7')],
  ])('is reported once if it refuses the TF files of %s, and again when it answers', async (_, refuses) => {
    let isRefusing = true;
    let stfs = 3;
    const { pass, said } = readerOf((path) => {
      if (path.startsWith('workflow-executions/')) return Promise.resolve([{ execution_id: 'e', status: 'running' }]);
      if (path === 'run-states/') return Promise.resolve([{ run_number: '5', metadata: { execution_id: 'e' } }]);
      if (path.startsWith('stf-files/')) {
        stfs += 2;
        return Promise.resolve(
          Array.from({ length: stfs }, (_one, n) => ({ stf_filename: `s-${n}`, file_id: `${n}` })),
        );
      }
      const isRefused = path.startsWith('fastmon-files/') && isRefusing && refuses(path);
      return isRefused ? Promise.reject(new Error('its status is 500')) : Promise.resolve([]);
    });
    await pass(900);
    expect(said).toEqual([
      expect.stringMatching(/^WARNING swf-monitor does not answer requests for fastmon-files\/.*500; retrying$/),
    ]);
    isRefusing = false;
    await pass(1800);
    expect(said.slice(1)).toEqual([
      expect.stringMatching(/^swf-monitor answers requests for fastmon-files\/.* again$/),
    ]);
  });

  it('is asked again for the TF files of an STF file if it refused them', async () => {
    let refusals = 4;
    const { pass, asked, lines } = readerOf((path) => {
      if (path.startsWith('workflow-executions/')) return Promise.resolve([{ execution_id: 'e', status: 'running' }]);
      if (path === 'run-states/') return Promise.resolve([{ run_number: '5', metadata: { execution_id: 'e' } }]);
      if (path.startsWith('stf-files/')) return Promise.resolve([{ stf_filename: 'a.stf', file_id: 'f' }]);
      if (!path.startsWith('fastmon-files/')) return Promise.resolve([]);
      refusals -= 1;
      return refusals >= 0 ? Promise.reject(new Error('500')) : Promise.resolve([{ tf_filename: 'a_1.tf' }]);
    });
    await pass(300);
    expect(JSON.stringify(lines)).toContain('a_1.tf');
    expect(asked.filter(({ path }) => path.startsWith('fastmon-files/'))).toHaveLength(5);
  });
});

describe('a monitor that is read about a run whose id names no workflow', () => {
  it('is asked for the data of both workflows until a slice shows which one it is', async () => {
    const { pass, asked } = readerOf((path) => {
      if (path === 'workflow-executions/?status=running')
        return Promise.resolve([{ execution_id: 'e', status: 'running' }]);
      if (path === 'run-states/') return Promise.resolve([{ run_number: '5', metadata: { execution_id: 'e' } }]);
      return Promise.resolve(path === 'tf-slices/?run_number=5' ? [{ slice_id: 1 }] : []);
    });
    await pass(120);
    const times = (start: string): number => asked.filter(({ path }) => path.startsWith(start)).length;
    expect(times('runs/')).toBe(1);
    expect(times('tf-slices/')).toBeGreaterThan(3);
  });

  it('is not read for long after the run has ended, even though its files might be of prompt processing', async () => {
    let status = 'running';
    const { pass, asked } = readerOf((path) => {
      const execution = { execution_id: 'e', status };
      if (path === 'workflow-executions/?status=running')
        return Promise.resolve(status === 'running' ? [execution] : []);
      if (path.startsWith('workflow-executions/')) return Promise.resolve(execution);
      if (path === 'run-states/') return Promise.resolve([{ run_number: '5', metadata: { execution_id: 'e' } }]);
      return Promise.resolve(path.startsWith('stf-files/') ? [{ stf_filename: 'a.stf', status: 'registered' }] : []);
    });
    await pass(60);
    status = 'completed';
    await pass(600);
    const last = asked.findLast(({ path }) => path.startsWith('stf-files/'))?.at ?? 0;
    expect((asked.at(-1)?.at ?? 0) - last).toBeGreaterThan(300_000);
  });
});

describe('a monitor that is read about prompt processing', () => {
  const file = (status: string, more: object = {}) => ({
    file_id: 'f-1',
    stf_filename: 'a.stf',
    status,
    metadata: { decision_box_selected_sites: ['A'], ...more },
  });
  const job = { panda_task_id: '7', panda_site_statuses: { A: { status: 'processed', polled_at: 'p' } } };

  it.each([
    ['names the workflow', 'prompt_processing-u-1'],
    ['does not name the workflow (from the first file on)', 'night-u'],
  ])('is asked until PanDA is done, and each state is recorded once: the id of the run %s', async (_, execution_id) => {
    let stf: object = file('registered');
    let status = 'running';
    const execution = (): object => ({ execution_id, status });
    const { pass, asked, lines } = readerOf((path) => {
      if (path === 'workflow-executions/?status=running')
        return Promise.resolve(status === 'running' ? [execution()] : []);
      if (path.startsWith('workflow-executions/')) return Promise.resolve(execution());
      if (path === 'run-states/') return Promise.resolve([{ run_number: '5', metadata: { execution_id } }]);
      if (path === 'runs/?run_number=5') return Promise.resolve([{ run_id: 1, run_number: 5, end_time: 't' }]);
      return Promise.resolve(path === 'stf-files/?run_number=5' ? [stf] : []);
    });
    await pass(60);
    status = 'completed';
    await pass(600);
    stf = file('processing', { panda_task_id: '7', panda_polled_at: '1' });
    await pass(60);
    stf = file('processing', { panda_task_id: '7', panda_polled_at: '2' });
    await pass(60);
    stf = file('processed', job);
    await pass(600);
    const changes = lines.filter(({ destination }) => destination === 'GET /api/stf-files/f-1/');
    expect(changes).toMatchObject([
      { body: { status: 'processing', metadata: { panda_task_id: '7' } } },
      { body: { status: 'processed', metadata: { panda_site_statuses: { A: { status: 'processed' } } } } },
    ]);
    expect(JSON.stringify(changes)).not.toContain('polled_at');
    expect(lines).toContainEqual(expect.objectContaining({ destination: 'GET /api/runs/1/' }));
    const seen = asked.findIndex(({ path }) => path.startsWith('stf-files'));
    expect(asked.slice(seen + 4).filter(({ path }) => path.startsWith('tf-slices'))).toEqual([]);
    const last = asked.filter(({ path }) => path.startsWith('stf-files')).at(-1)?.at ?? 0;
    expect((asked.at(-1)?.at ?? 0) - last).toBeGreaterThan(200_000);
  });
});
