import { harmless } from '../shared/harmless.ts';

/** Largest size of the whole answer. */
const maxBytes = 8192;

/** Shortens an answer that long texts make too large: the longest list loses rows first, its oldest and least important ones. */
export function withinBudget<
  T extends {
    events: unknown[];
    errors: unknown[];
    agents: unknown[];
    drivers?: unknown[] | undefined;
    notes?: unknown[] | undefined;
    findings: unknown[];
  },
>(answer: T): T {
  const lists = ['events', 'errors', 'agents', 'drivers', 'notes'] as const;
  while (Buffer.byteLength(harmless(answer).text) > maxBytes) {
    const longest = lists.reduce((a, b) => ((answer[b]?.length ?? 0) > (answer[a]?.length ?? 0) ? b : a));
    // Findings say most, so they go last, the least important first.
    const rows = answer[longest] ?? [];
    const goes = rows.length === 0 ? answer.findings : rows;
    if (goes.length === 0) return answer;
    goes.pop();
  }
  return answer;
}
