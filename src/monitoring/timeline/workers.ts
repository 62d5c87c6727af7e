import { completedState, failedState } from '../../domain/slice-states.ts';
import { type Attempts, type Life, type Period, workTime } from './attempts.ts';
import { endOfAttempt } from './cells.ts';

/** The work of one worker slot in a window. @param worker its number among the names of workers */
const newWorker = (worker: number) => ({
  worker,
  completed: 0,
  failed: 0,
  /** Milliseconds. */
  busy: 0,
  longest: 0,
  /** Time that its ended attempts took, wherever they began. Milliseconds. */
  work: 0,
  /** When it first started a slice, in milliseconds since 1970. */
  first: Infinity,
});

/** Worker slots that did anything in a window. */
export function workersOf(attempts: Attempts, { from, until }: Period, life: Life) {
  const workers = new Map<number, ReturnType<typeof newWorker>>();
  for (let at = 0; at < attempts.length; at += 1) {
    const worker = attempts.worker[at] as number;
    const end = endOfAttempt(attempts, at, life);
    const begun = attempts.started[at] as number;
    const start = Number.isNaN(begun) ? end : begun;
    if (worker < 0 || Number.isNaN(end) || end < from || start > until) continue;
    const found = workers.get(worker) ?? newWorker(worker);
    workers.set(worker, found);
    const isOver = !Number.isNaN(attempts.completed[at]) && end <= until;
    if (isOver && attempts.state[at] === completedState) found.completed += 1;
    if (isOver && attempts.state[at] === failedState) found.failed += 1;
    if (isOver) found.work += end - start;
    found.busy += workTime(life, Math.max(start, from), Math.min(end, until));
    found.longest = Math.max(found.longest, end - start);
    found.first = Math.min(found.first, start);
  }
  return [...workers.values()];
}
