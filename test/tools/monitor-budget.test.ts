import { describe, expect, it } from 'vitest';

import { withinBudget } from '../../src/tools/get-workflow-monitor.ts';

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
    expect(shortened.note).toContain(`left out ${9 - shortened.events.length} of events`);
    expect(shortened.findings).toEqual(answer.findings);
  });

  it('drops the oldest drivers and notes, and counts drivers beside those that are left out already', () => {
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
      `cut to 8192 bytes: left out 6 of events, 5 of errors, 3 of agents, ${9 - shortened.findings.length} of findings`,
    );
  });
});
