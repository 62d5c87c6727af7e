import { expect, it } from 'vitest';

import { worstFirst } from '../../src/web/state/worst-first.ts';

it('executions that need somebody come first on the wall: by their worst finding, then by health, the others in their order', () => {
  const seenWith = (health: 'progressing' | 'stalled' | 'slow', severity?: 'error' | 'warning' | 'info') => ({
    health,
    findings:
      severity === undefined ? [] : [{ code: 'X', severity, sentence: '', ids: [], next: { tool: '', arguments: {} } }],
  });
  const seen = {
    b: seenWith('progressing', 'info'),
    c: seenWith('progressing'),
    d: seenWith('progressing', 'error'),
    e: seenWith('stalled', 'warning'),
    f: seenWith('stalled', 'error'),
    g: seenWith('slow', 'error'),
    h: seenWith('progressing', 'error'),
  };
  const rows = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((execution_id) => ({ execution_id }));
  expect(
    worstFirst(rows, seen)
      .map(({ execution_id }) => execution_id)
      .join(''),
  ).toBe('fgdhebca');
});
