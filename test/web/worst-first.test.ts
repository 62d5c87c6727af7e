import { expect, it } from 'vitest';

import { worstFirst } from '../../src/web/state/worst-first.ts';

it('executions that need somebody come first on the wall, the others in their order', () => {
  const finding = (severity: 'error' | 'warning' | 'info') => ({
    findings: [{ code: 'X', severity, sentence: '', ids: [], next: { tool: '', arguments: {} } }],
  });
  const seen = {
    b: finding('info'),
    c: { findings: [] },
    d: finding('error'),
    e: finding('warning'),
    f: finding('error'),
  };
  const rows = ['a', 'b', 'c', 'd', 'e', 'f'].map((execution_id) => ({ execution_id }));
  expect(worstFirst(rows, seen).map(({ execution_id }) => execution_id)).toEqual(['d', 'f', 'e', 'b', 'a', 'c']);
});
