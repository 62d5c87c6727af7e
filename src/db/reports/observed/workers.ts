import type { StageDelay } from '../../../domain/stages.ts';
import { millisecondsOf } from '../../../lib/time.ts';
import { type HeardFacts, noResultSeconds } from '../../../monitoring/heard-facts.ts';
import type { ExecutionRow } from '../../execution/find-execution.ts';
import { numberOf } from '../../migrations/names.ts';
import type { Prepare } from '../../sqlite/statements.ts';
import { named } from './samples.ts';

/** The workers that are gone, or are bound to an earlier run, while slices wait. */
export function workersFacts(
  sql: Prepare,
  { execution_id, namespace, slices_queued }: ExecutionRow,
  { until, delays, isOver }: { until: number; delays: readonly StageDelay[]; isOver: boolean },
): Pick<HeardFacts, 'gone_workers' | 'bound_workers'> {
  if (isOver || slices_queued === 0) return { gone_workers: [], bound_workers: [] };
  const values = { id: execution_id, namespace, since: new Date(until - noResultSeconds(delays) * 1000).toISOString() };
  const worker = `FROM system_agents AS a JOIN observed_runs AS o ON o.execution_id = current_execution_id
    WHERE heard_on IS NOT NULL AND agent_type = 'worker' AND a.namespace = $namespace AND current_execution_id`;
  return {
    gone_workers: sql<string>(
      `SELECT agent_name ${worker} = $id AND last_heartbeat < $since ORDER BY 1 LIMIT ${named}`,
    ).values(values),
    bound_workers: sql<{ worker: string; run_id: string }>(
      `SELECT agent_name AS worker, run_id ${worker} <> $id AND last_heartbeat >= $since
         AND o.first_ms < (SELECT first_ms FROM observed_runs WHERE execution_id = $id) ORDER BY 1 LIMIT ${named}`,
    ).all(values),
  };
}

/**
 * When any worker last gave a sign of life before a given time: later signs prove nothing about the observed
 * period. Milliseconds since 1970.
 */
export function lastWorkerSign(sql: Prepare, namespace: string, until: number) {
  const last = sql<string | null>(
    `SELECT max(last_heartbeat) FROM system_agents WHERE heard_on IS NOT NULL AND agent_type = 'worker' AND namespace = ? AND last_heartbeat <= ?`,
  );
  return millisecondsOf(last.value(namespace, new Date(until).toISOString()));
}

/** How long workers take to start, in seconds, as announced by fast processing for the run. */
export function rampUp(sql: Prepare, executionId: string) {
  const seconds = sql(
    `SELECT iif(json_valid(body), body ->> '$.content.worker_rampup_time', NULL) FROM message_rows INDEXED BY message_rows_type
     WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf(`'run_imminent_worker'`)} ORDER BY seq LIMIT 1`,
  ).value(executionId);
  return typeof seconds === 'number' && seconds >= 0 ? seconds : undefined;
}
