import type { Queries } from '../db/queries.ts';
import { printable } from '../lib/printable.ts';

/** The most values that a client is offered (specification, "Completion"). */
const most = 100;

/** The possible values of an argument that begin with the typed text. */
export function completionsOf(
  queries: Queries,
  argument: string,
  typed: string,
): { values: string[]; total: number; hasMore: boolean } {
  const known = candidates(queries, argument).filter((value) => value.startsWith(typed));
  return { values: known.slice(0, most).map(printable), total: known.length, hasMore: known.length > most };
}

function candidates(queries: Queries, argument: string): string[] {
  switch (argument) {
    case 'execution_id':
      return ['latest', ...queries.recentExecutionIds()];
    case 'namespace':
      return queries.namespaces();
    case 'since':
      return ['-1h', '-8h', '-24h', '-7d'];
    default:
      return [];
  }
}
