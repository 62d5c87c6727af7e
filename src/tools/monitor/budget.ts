import { harmless } from '../shared/harmless.ts';

/** Largest size of the whole answer. */
const maxBytes = 8192;

const lists = ['events', 'errors', 'agents', 'drivers', 'notes'] as const;

/** The parts that can lose rows. */
type Parts = Partial<Record<(typeof lists)[number] | 'findings', unknown[] | undefined>>;

const sizeOf = (answer: object): number => Buffer.byteLength(harmless(answer).text);

/**
 * Shortens an answer that long texts make too large: the longest list loses rows first, its oldest and least important ones. `note` says how many
 * each lost.
 */
export function withinBudget<T extends Parts>(answer: T): T & { note?: string } {
  const lost = new Map<string, number>();
  const shown = (): T & { note?: string } => (lost.size === 0 ? answer : { ...answer, note: noteOf(lost) });
  while (sizeOf(shown()) > maxBytes) {
    const longest = lists.reduce((a, b) => ((answer[b]?.length ?? 0) > (answer[a]?.length ?? 0) ? b : a));
    // Findings say most, so they go last, the least important first.
    const name = (answer[longest] ?? []).length === 0 ? 'findings' : longest;
    if (answer[name]?.pop() === undefined) break;
    lost.set(name, (lost.get(name) ?? 0) + 1);
  }
  return shown();
}

const noteOf = (lost: ReadonlyMap<string, number>): string =>
  `cut to ${maxBytes} bytes: left out ${[...lost].map(([name, count]) => `${count} of ${name}`).join(', ')}`;
