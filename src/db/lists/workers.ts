import type { Prepare } from '../sqlite/statements.ts';
import { distinctValues, maxValues } from './distinct-values.ts';
import type { Condition } from './list-query.ts';

/** The full names of workers that have had a slice. */
export const workersOf = (sql: Prepare): string[] => distinctValues(sql, 'tf_slices', 'assigned_worker');

/** How a worker is named: in full, by its agent, or by its slot number. */
type Naming = { whole: string } | { agent: string } | { slot: string };

const hasWorker = (sql: Prepare, whole: string): boolean =>
  sql<[string]>('SELECT 1 FROM tf_slices WHERE assigned_worker = ? LIMIT 1').has(whole);

/** An existing worker's name means that worker, whatever its form: workers of other programs choose their own names. */
function namingOf(sql: Prepare, text: string): Naming {
  if (hasWorker(sql, text)) return { whole: text };
  if (/^\d{1,5}$/.test(text)) return { slot: String(Number(text)).padStart(2, '0') };
  const [, agent = '', slot = ''] = /^(.+)\/(\d)$/.exec(text) ?? [];
  if (slot !== '') return { whole: `${agent}/0${slot}` };
  return text.includes('/') ? { whole: text } : { agent: text };
}

const isAgent = (sql: Prepare, name: string): boolean =>
  sql<[string]>('SELECT 1 FROM system_agents WHERE agent_name = ?').has(name);

/**
 * Whether a worker of that name has had a slice, or its agent is known: it may have lost its slices. With more than `maxValues` workers, an
 * unknown slot counts as known.
 */
export function isKnownWorker(sql: Prepare, text: string): boolean {
  const naming = namingOf(sql, text);
  if ('whole' in naming) return hasWorker(sql, naming.whole) || isAgent(sql, naming.whole.split('/')[0] ?? '');
  if ('agent' in naming) {
    if (isAgent(sql, naming.agent)) return true;
    const prefix = `${naming.agent}/`;
    return distinctValues(sql, 'tf_slices', 'assigned_worker', prefix)[0]?.startsWith(prefix) === true;
  }
  const workers = workersOf(sql);
  return workers.length >= maxValues || workers.some((worker) => worker.endsWith(`/${naming.slot}`));
}

/**
 * The condition that a slice is or was with a worker, named `7`, `07`, `worker-agent-rita-5`, `worker-agent-rita-5/7` or `worker-agent-rita-5/07`.
 * An index serves `worker`; `workers` is checked row by row.
 */
export function workerConditions(sql: Prepare, text: string | undefined): Record<'worker' | 'workers', Condition> {
  const none: Condition = ['1 = ?', undefined];
  if (text === undefined) return { worker: none, workers: none };
  const naming = namingOf(sql, text);
  if ('whole' in naming) return { worker: ['assigned_worker = ?', naming.whole], workers: none };
  if ('slot' in naming)
    return { worker: none, workers: [`substr(assigned_worker, instr(assigned_worker, '/') + 1) = ?`, naming.slot] };
  return { worker: none, workers: [`substr(assigned_worker, 1, instr(assigned_worker, '/') - 1) = ?`, naming.agent] };
}

/** Tests whether a full name is such a worker. */
export function workerTest(sql: Prepare, text: string): (worker: string) => boolean {
  const naming = namingOf(sql, text);
  if ('whole' in naming) return (worker) => worker === naming.whole;
  if ('slot' in naming) return (worker) => worker.slice(worker.indexOf('/') + 1) === naming.slot;
  return (worker) => worker.startsWith(`${naming.agent}/`);
}
