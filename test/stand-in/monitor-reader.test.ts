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
    expect(said[0]).toMatch(/^WARNING swf-monitor cannot be read: 500/);
    expect(new Set(reads.map(({ run_id }) => run_id))).toEqual(new Set(['6']));
    expect(asked.filter(({ path }) => path.startsWith('system-state-events/?run_number=5')).length).toBeGreaterThan(1);
  });

  it('is read on if one object is nested too deeply, which one line says', async () => {
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
      'WARNING swf-monitor: an object of workflow-executions of e-5 is nested too deeply; it was skipped',
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
    expect(said).toEqual([expect.stringMatching(/^WARNING swf-monitor cannot be read: no route; /)]);
    isAway = false;
    await pass(130);
    expect(said.slice(1)).toEqual(['swf-monitor is back']);
    expect(reader.isHearing()).toBe(true);
  });
});
