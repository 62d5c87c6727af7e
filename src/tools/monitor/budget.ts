import { harmless } from '../shared/harmless.ts';

/** The whole answer. */
const mostBytes = 8192;

/** Texts of many bytes may make an answer too long: what there is most of goes first, the oldest and least of it. */
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
  while (Buffer.byteLength(harmless(answer).text) > mostBytes) {
    const longest = lists.reduce((a, b) => ((answer[b]?.length ?? 0) > (answer[a]?.length ?? 0) ? b : a));
    // Findings say most, so they go last, the least of them first.
    const rows = answer[longest] ?? [];
    const goes = rows.length === 0 ? answer.findings : rows;
    if (goes.length === 0) return answer;
    goes.pop();
  }
  return answer;
}
