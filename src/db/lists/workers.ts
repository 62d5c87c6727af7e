import type { Prepare } from '../sqlite/statements.ts';
import type { Condition } from './list-query.ts';

export const maxValues = 2000;

/**
 * The distinct values of an indexed column, at most 2,000, sorted. Each value takes one step along the index,
 * however many rows have it.
 * @param from the first value to return
 */
export const distinctValues = (sql: Prepare, table: string, column: string, from = '') =>
  sql<string>(
    `WITH RECURSIVE d (v) AS (
       SELECT min(${column}) FROM ${table} WHERE ${column} >= ?
       UNION ALL SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} > v) FROM d WHERE v IS NOT NULL LIMIT ${maxValues})
     SELECT v FROM d WHERE v IS NOT NULL`,
  ).values(from);

/** The full names of workers that have received a slice. */
export const workersOf = (sql: Prepare) => distinctValues(sql, 'tf_slices', 'assigned_worker');

/**
 * The ways to name a worker: in full, by its agent, or by its slot number. Each defines which slices (as SQL)
 * and which full names match.
 */
const namings = {
  whole: { condition: 'assigned_worker = ?', means: (worker: string, name: string) => worker === name },
  agent: {
    condition: `substr(assigned_worker, 1, instr(assigned_worker, '/') - 1) = ?`,
    means: (worker: string, name: string) => worker.startsWith(`${name}/`),
  },
  slot: {
    condition: `substr(assigned_worker, instr(assigned_worker, '/') + 1) = ?`,
    means: (worker: string, name: string) => worker.slice(worker.indexOf('/') + 1) === name,
  },
};

const hasWorker = (sql: Prepare, whole: string) =>
  sql('SELECT 1 FROM tf_slices WHERE assigned_worker = ? LIMIT 1').has(whole);

/**
 * An existing worker's full name always means that worker, whatever form the name has, since workers of other
 * programs choose their own names.
 */
function namingOf(sql: Prepare, text: string): { by: keyof typeof namings; name: string } {
  if (hasWorker(sql, text)) return { by: 'whole', name: text };
  if (/^\d{1,5}$/.test(text)) return { by: 'slot', name: String(Number(text)).padStart(2, '0') };
  const [, agent = '', slot = ''] = /^(.+)\/(\d)$/.exec(text) ?? [];
  if (slot !== '') return { by: 'whole', name: `${agent}/0${slot}` };
  return { by: text.includes('/') ? 'whole' : 'agent', name: text };
}

const isAgent = (sql: Prepare, name: string) => sql('SELECT 1 FROM system_agents WHERE agent_name = ?').has(name);

/**
 * Whether a worker with that name has received a slice, or its agent is known (the worker may have lost its
 * slices). With more than `maxValues` workers, any slot counts as known.
 */
export function isKnownWorker(sql: Prepare, text: string) {
  const { by, name } = namingOf(sql, text);
  if (by === 'whole') return hasWorker(sql, name) || isAgent(sql, name.split('/')[0] ?? '');
  if (by === 'agent') {
    if (isAgent(sql, name)) return true;
    const prefix = `${name}/`;
    return distinctValues(sql, 'tf_slices', 'assigned_worker', prefix)[0]?.startsWith(prefix) === true;
  }
  const workers = workersOf(sql);
  return workers.length >= maxValues || workers.some((worker) => worker.endsWith(`/${name}`));
}

/**
 * The condition that a slice is or was processed by the worker that `text` names: `7`, `07`,
 * `worker-agent-rita-5`, `worker-agent-rita-5/7` or `worker-agent-rita-5/07`. The condition `worker` uses an
 * index; `workers` is checked row by row.
 */
export function workerConditions(sql: Prepare, text: string | undefined): Record<'worker' | 'workers', Condition> {
  const none: Condition = ['1 = ?', undefined];
  if (text === undefined) return { worker: none, workers: none };
  const { by, name } = namingOf(sql, text);
  const condition: Condition = [namings[by].condition, name];
  return by === 'whole' ? { worker: condition, workers: none } : { worker: none, workers: condition };
}

/** Returns a function that tests whether a full name means this worker. */
export function workerTest(sql: Prepare, text: string): (worker: string) => boolean {
  const { by, name } = namingOf(sql, text);
  return (worker) => namings[by].means(worker, name);
}
