import type { Prepare } from '../sqlite/statements.ts';
import type { Condition } from './list-query.ts';

/** Most values to collect. */
export const maxValues = 2000;

/**
 * The values of an indexed column, each found by one step along the index: as fast for many rows as for few.
 * At most 2,000, sorted.
 * @param from the first value to return
 */
export const distinctValues = (sql: Prepare, table: string, column: string, from = '') =>
  sql<string>(
    `WITH RECURSIVE d (v) AS (
       SELECT min(${column}) FROM ${table} WHERE ${column} >= ?
       UNION ALL SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} > v) FROM d WHERE v IS NOT NULL LIMIT ${maxValues})
     SELECT v FROM d WHERE v IS NOT NULL`,
  ).values(from);

/** The full names of workers that have had a slice. */
export const workersOf = (sql: Prepare) => distinctValues(sql, 'tf_slices', 'assigned_worker');

/**
 * How a worker may be named, in full, by its agent, or by its slot number: which slices it means, as SQL, and
 * which full names.
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
 * An existing worker's name means that worker, whatever its form: workers of other programs choose their own
 * names.
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
 * Whether a worker of that name has had a slice, or its agent is known: it may have lost its slices. With
 * more than `maxValues` workers, an unknown slot counts as known.
 */
export function isKnownWorker(sql: Prepare, text: string): boolean {
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
 * The condition that a slice is or was with a worker, named `7`, `07`, `worker-agent-rita-5`,
 * `worker-agent-rita-5/7` or `worker-agent-rita-5/07`. An index serves `worker`; `workers` is checked row by
 * row.
 */
export function workerConditions(sql: Prepare, text: string | undefined): Record<'worker' | 'workers', Condition> {
  const none: Condition = ['1 = ?', undefined];
  if (text === undefined) return { worker: none, workers: none };
  const { by, name } = namingOf(sql, text);
  const condition: Condition = [namings[by].condition, name];
  return by === 'whole' ? { worker: condition, workers: none } : { worker: none, workers: condition };
}

/** Tests whether a full name is such a worker. */
export function workerTest(sql: Prepare, text: string): (worker: string) => boolean {
  const { by, name } = namingOf(sql, text);
  return (worker) => namings[by].means(worker, name);
}
