import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { watchFindings } from '../../../src/commands/drive/drive.ts';
import type { Queries } from '../../../src/db/queries.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('a run logs a finding once, after two consecutive checks, and again if the finding returns', () => {
  let found: object[] = [];
  const queries = {
    snapshot: (ask: () => unknown) => ask(),
    execution: () => ({}),
    dataAsOf: () => undefined,
    assessWithFindings: () => ({ findings: found }),
  } as unknown as Queries;
  const lines: string[] = [];
  const end = watchFindings(queries, 'e-1', { write: ({ message }) => lines.push(message) });
  const missing = { code: 'AGENT_MISSING', severity: 'error', sentence: 'No data agent.' };
  const told = { code: 'SLICES_FAILED', severity: 'error', sentence: 'It has its own lines.' };
  const info = { code: 'TAKEN_UP', severity: 'info', sentence: 'It was resumed.' };
  const stuck = (about: string) => ({ code: 'STAGE_STUCK', severity: 'error', sentence: about, about });
  const looks: [findings: object[], told: string[]][] = [
    [[missing, told, info], []],
    [[missing, told, info], ['AGENT_MISSING: No data agent.']],
    [[missing], []],
    [[stuck('data')], []],
    [[stuck('data'), stuck('worker')], ['STAGE_STUCK: data']],
    [[stuck('worker'), missing], ['STAGE_STUCK: worker']],
    [[missing], ['AGENT_MISSING: No data agent.']],
  ];
  for (const [findings, expected] of looks) {
    found = findings;
    lines.length = 0;
    vi.advanceTimersByTime(5000);
    expect(lines).toEqual(expected);
  }
  end();
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual(['AGENT_MISSING: No data agent.']);
});
