import type { Queries } from '../db/queries.ts';
import { printable } from '../lib/printable.ts';

/** The most values that a client is offered (specification, "Completion"). */
const most = 100;

/** The possible values of an argument that begin with the typed text. */
export function completionsOf(queries: Queries, argument: string, typed: string) {
  const known = (candidates.get(argument)?.(queries) ?? []).filter((value) => value.startsWith(typed));
  return { values: known.slice(0, most).map(printable), total: known.length, hasMore: known.length > most };
}

const candidates = new Map<string, (queries: Queries) => string[]>([
  ['execution_id', (queries) => ['latest', ...queries.recentExecutionIds()]],
  ['namespace', (queries) => queries.namespaces()],
  ['since', () => ['-1h', '-8h', '-24h', '-7d']],
]);
