import type { Monitor } from '../shared/answers.ts';

const severities = ['error', 'warning', 'info'];

/** How much an execution needs somebody, 0 the most. */
function rankOf(monitor: Pick<Monitor, 'findings'> | undefined): number {
  const rank = severities.indexOf(monitor?.findings[0]?.severity ?? '');
  return rank === -1 ? severities.length : rank;
}

/** Executions that need somebody come first; others keep their order. @param seen their monitors, as far as they have come */
export const worstFirst = <Row extends { execution_id: string }>(
  rows: readonly Row[],
  seen: Readonly<Record<string, Pick<Monitor, 'findings'>>>,
): Row[] => rows.toSorted((a, b) => rankOf(seen[a.execution_id]) - rankOf(seen[b.execution_id]));
