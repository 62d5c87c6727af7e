import { uncompiled } from '../../domain/fields.ts';
import { type ExecutionParams, executionParamsSchema } from '../../domain/params.ts';
import { configInvalid } from '../../lib/errors.ts';
import { onceFor } from '../../lib/once-for.ts';
import { readJson } from '../../lib/read-json.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { type ExecutionRow, type OwnExecution, withPlan } from './find-execution.ts';

/** The columns of an execution that identify its parameters. */
type ExecutionKey = Pick<OwnExecution, 'key' | 'execution_id' | 'run_number' | 'start_time'>;

interface Known {
  /** Distinguishes this execution from one with the same id that was cached in a transaction later rolled back. */
  made: string;
  params: ExecutionParams;
}

/**
 * Maximum number of executions to cache, which limits the memory of a server that is asked about many
 * executions.
 */
const maxKept = 500;

const cacheOf: (sql: Prepare) => Map<string, Known> = onceFor(() => new Map());

/**
 * The parameters of an execution as recorded in the log, which is their only source. They never change, and
 * parsing their JSON for each message would be most of the work, so each connection parses it once. Throws
 * `CONFIG_INVALID` if this program cannot use them.
 */
export function executionParams(sql: Prepare, execution: ExecutionKey) {
  const { key, execution_id, run_number, start_time } = execution;
  const cache = cacheOf(sql);
  const made = `${key}/${run_number}/${start_time}`;
  const known = cache.get(execution_id);
  if (known?.made === made) return known.params;
  const recorded = sql<string>('SELECT params FROM workflow_executions WHERE execution_id = ?');
  const params = parseParams(recorded.value(execution_id) ?? '{}', execution_id);
  if (cache.size >= maxKept) cache.clear();
  cache.set(execution_id, { made, params });
  return params;
}

function parseParams(text: string, executionId: string) {
  const { data, error } = executionParamsSchema.safeParse(readJson(text), uncompiled);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw configInvalid(
    `the configuration recorded for ${executionId} cannot be used here: ${issue?.path.join('.')}: ${issue?.message}; use the version of swf-mcp that recorded it`,
  );
}

/** The parameters of an execution, if this store has its plan. */
export function knownParams(sql: Prepare, execution: ExecutionRow) {
  const planned = withPlan(execution);
  return planned && executionParams(sql, planned);
}

export function forgetParams(sql: Prepare, executionId: string) {
  cacheOf(sql).delete(executionId);
}
