import type { ExecutionRow } from '../db/executions.ts';
import type { Queries } from '../db/queries.ts';
import { workflowParamsSchema } from '../workflow/params.ts';
import { progressOf } from '../workflow/progress.ts';
import type { Health } from '../workflow/states.ts';

/** An execution at one moment, as far as people watch it. */
export interface Snapshot {
  execution: ExecutionRow;
  health: Health;
  driver: ReturnType<Queries['driver']>;
  /** An operator has paused it. */
  isHeld: boolean;
  progress: ReturnType<typeof progressOf>;
  /** Worker slots that a run of this configuration has. */
  slots: number;
  speed: string;
  retries: number;
  /** Failed without a retry left. */
  exhausted: number;
  last: { message_id: string; sent_at: string } | undefined;
  /** The last error that an agent logged. */
  error: { timestamp: string; message: string } | undefined;
}

const errorLevel = 40;

export function takeSnapshot(queries: Queries, executionId: string): Snapshot {
  return queries.snapshot(() => {
    const execution = queries.execution(executionId);
    const detail = queries.executionDetail(execution);
    const { fast_processing, speed } = workflowParamsSchema.parse(detail.params);
    const { execution_id } = execution;
    return {
      execution,
      health: queries.health(execution),
      driver: queries.driver(execution_id),
      isHeld: queries.isHeld(execution_id),
      progress: progressOf(execution, detail),
      slots: fast_processing.target_worker_count,
      speed: String(speed),
      retries: detail.slice_retries,
      exhausted: detail.slices_exhausted,
      last: queries.lastMessage(execution_id),
      error: queries.logs({ execution_id, level: errorLevel }, { order: 'newest', limit: 1, uncounted: true }).rows[0],
    };
  });
}

/** Items a second over the last while, from what was seen. */
export interface Rates {
  stfs: number | undefined;
  samples: number | undefined;
  slices: number | undefined;
}

interface Seen {
  at: number;
  stfs: number;
  samples: number;
  slices: number;
}

/** Long enough that workers who finish all at once do not make a rate jump, in milliseconds. */
const windowMilliseconds = 60_000;
/** Too short a time says nothing of a rate. */
const leastMilliseconds = 1000;

/** Follows an execution and tells its rates. Times are those of a clock that only grows, in milliseconds. */
export function createRates() {
  const seen: Seen[] = [];
  return function add({ execution, progress }: Snapshot, at: number): Rates {
    seen.push({
      at,
      stfs: progress.stf_ready,
      samples: execution.tf_files_received,
      slices: progress.slices_final,
    });
    // The oldest that is left is at least as old as the window, so that the rate is one over all of it.
    while (seen.length > 2 && (seen[1] as Seen).at <= at - windowMilliseconds) seen.shift();
    const first = seen[0] as Seen;
    const last = seen.at(-1) as Seen;
    const seconds = (last.at - first.at) / 1000;
    const rate = (key: 'stfs' | 'samples' | 'slices'): number | undefined =>
      seconds * 1000 < leastMilliseconds || last[key] === first[key] ? undefined : (last[key] - first[key]) / seconds;
    return { stfs: rate('stfs'), samples: rate('samples'), slices: rate('slices') };
  };
}
