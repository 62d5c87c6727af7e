import type { Monitor } from '../shared/answers.ts';
import { healthsWorstFirst } from './tab.ts';

type Seen = Pick<Monitor, 'findings' | 'health'>;

const severities = ['error', 'warning', 'info'];

/** The place of a word, behind all of them if it is not there. */
function placeIn(words: readonly string[], word: string | undefined): number {
  const at = words.indexOf(word ?? '');
  return at === -1 ? words.length : at;
}

/** How much an execution needs somebody, 0 the most: its worst finding counts first, then its health. */
function rankOf({ findings, health }: Partial<Seen> = {}): number {
  return (
    placeIn(severities, findings?.[0]?.severity) * (healthsWorstFirst.length + 1) + placeIn(healthsWorstFirst, health)
  );
}

/** Executions that need somebody come first; others keep their order. @param seen their monitors, as far as they have come */
export const worstFirst = <Row extends { execution_id: string }>(
  rows: readonly Row[],
  seen: Readonly<Record<string, Seen>>,
): Row[] => rows.toSorted((a, b) => rankOf(seen[a.execution_id]) - rankOf(seen[b.execution_id]));
