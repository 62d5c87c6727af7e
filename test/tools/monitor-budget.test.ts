import { describe, expect, it } from 'vitest';

import { createQueries } from '../../src/db/queries.ts';
import { getWorkflowMonitorTool, monitorOf, withinBudget } from '../../src/tools/get-workflow-monitor.ts';
import { callTool } from '../../src/tools/run-tool.ts';
import { makeRunningStore } from '../made-store.ts';
import { contextOf, noPast } from '../past/questions.ts';

const rows = (count: number, length: number): string[] => Array.from({ length: count }, () => 'x'.repeat(length));
const answer = { events: rows(6, 100), errors: rows(5, 100), agents: rows(3, 100), findings: rows(2, 100) };

describe('a monitor answer', () => {
  it('stays unchanged, without a note, if it fits the budget', () => {
    expect(withinBudget(structuredClone(answer))).toEqual(answer);
  });

  it('drops rows of the longest list first, and counts them in a note', () => {
    const shortened = withinBudget({ ...structuredClone(answer), events: rows(9, 1200) });
    expect(Buffer.byteLength(JSON.stringify(shortened))).toBeLessThanOrEqual(8192);
    expect(shortened.events.length).toBeLessThan(9);
    expect(shortened.note).toContain(`left out ${9 - shortened.events.length} from events`);
    expect(shortened.findings).toEqual(answer.findings);
  });

  it('drops the oldest drivers and notes, and adds the drivers to drivers_omitted', () => {
    const drivers = rows(5, 1900).map((text, at) => `${at}${text}`);
    const notes = rows(5, 1900).map((text, at) => `${at}${text}`);
    const shortened = withinBudget({
      events: [],
      errors: [],
      agents: [],
      findings: [],
      drivers,
      notes,
      drivers_omitted: 7,
    });
    // Drivers are oldest first, notes newest first.
    expect(shortened.drivers.map(([first]) => first)).toEqual(['3', '4']);
    expect(shortened.notes.map(([first]) => first)).toEqual(['0', '1']);
    expect(shortened).toMatchObject({ drivers_omitted: 10 });
  });

  it('drops findings only when nothing else is left to drop', () => {
    const shortened = withinBudget({ ...structuredClone(answer), findings: rows(9, 2000) });
    expect(shortened).toMatchObject({ events: [], errors: [], agents: [] });
    expect(shortened.note).toBe(
      `cut to 8192 bytes: left out 6 from events, 5 from errors, 3 from agents, ${9 - shortened.findings.length} from findings`,
    );
  });

  it('fits the budget together with the moment that is added to it', async () => {
    const made = await makeRunningStore();
    const now = Date.now();
    const queries = createQueries(made.store.db, () => true);
    const whole = monitorOf('latest', { queries, now });
    const length = 8180 - Buffer.byteLength(JSON.stringify({ ...whole, note: '' }));
    const handle = (): object => ({ ...whole, note: 'x'.repeat(length) });
    const tool = { ...getWorkflowMonitorTool, handle: handle as () => Record<string, unknown> };
    const told = await callTool(tool, { execution_id: 'latest' }, contextOf(queries, now, noPast));
    expect(told).toHaveProperty('as_of_exact');
    expect(told['note']).toMatch(/; cut to 8192 bytes: left out \d+ from /);
    expect(Buffer.byteLength(JSON.stringify(told))).toBeLessThanOrEqual(8192);
  });
});
