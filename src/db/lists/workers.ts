import type { Prepare } from '../sqlite/statements.ts';
import { distinctValues } from './distinct-values.ts';
import type { Condition } from './list-query.ts';

/** Workers that have had a slice, by their whole names. */
export const workersOf = (sql: Prepare): string[] => distinctValues(sql, 'tf_slices', 'assigned_worker');

/** The way in which a worker is named: whole, by its agent, or by the number of its slot. */
type Naming = { whole: string } | { agent: string } | { slot: string };

function namingOf(text: string): Naming {
  if (/^\d{1,5}$/.test(text)) return { slot: text.padStart(2, '0').replace(/^0+(?=\d\d)/, '') };
  const [agent = '', slot] = text.split('/');
  if (slot === undefined) return { agent };
  return { whole: /^\d$/.test(slot) ? `${agent}/0${slot}` : text };
}

/** The workers that a text names: `7`, `07`, `worker-agent-rita-5`, `worker-agent-rita-5/7` or `worker-agent-rita-5/07`. */
export function matchingWorkers(sql: Prepare, text: string): string[] {
  const naming = namingOf(text);
  if ('whole' in naming)
    return sql<[string]>('SELECT 1 FROM tf_slices WHERE assigned_worker = ? LIMIT 1').get(naming.whole) === undefined
      ? []
      : [naming.whole];
  const fits = (worker: string): boolean =>
    'agent' in naming ? worker.startsWith(`${naming.agent}/`) : worker.endsWith(`/${naming.slot}`);
  return workersOf(sql).filter(fits);
}

/** The condition that a slice is or was with such a worker: `worker` where an index serves it, `workers` where rows are looked at. */
export function workerConditions(text: string | undefined): Record<'worker' | 'workers', Condition> {
  const nothing: Condition = ['1 = ?', undefined];
  if (text === undefined) return { worker: nothing, workers: nothing };
  const naming = namingOf(text);
  if ('whole' in naming) return { worker: ['assigned_worker = ?', naming.whole], workers: nothing };
  if ('slot' in naming)
    return { worker: nothing, workers: [`substr(assigned_worker, instr(assigned_worker, '/') + 1) = ?`, naming.slot] };
  return {
    worker: nothing,
    workers: [`substr(assigned_worker, 1, instr(assigned_worker, '/') - 1) = ?`, naming.agent],
  };
}
