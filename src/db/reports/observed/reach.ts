import { isPrompt } from '../../../domain/workflows.ts';
import { stringsIn } from '../../../lib/read-json.ts';
import type { HeardFacts, HeardRecord } from '../../../monitoring/heard-facts.ts';
import { areAll } from '../../../observed/dialects.ts';
import { broadcastTopic, mayCarryResults, mayCarrySlices } from '../../../observed/topics.ts';
import type { ExecutionRow } from '../../execution/find-execution.ts';
import { numberOf } from '../../migrations/names.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** Whether the slices of a run can be seen; see `HeardFacts`. */
export function slicingOf(sql: Prepare, execution: ExecutionRow, record: HeardRecord): HeardFacts['slicing'] {
  if (isPrompt(execution)) return 'never';
  if (execution.slices_created > record.slices_unheard) return 'seen';
  if (record.slices_unheard > 0) return 'unheard';
  const topics = topicsOf(sql, execution.namespace, record);
  const isSubscribed = topics?.some(mayCarrySlices);
  if (areAll(record.dialects, 'isOurs')) return 'unheard';
  // A result shows that there are slices.
  if (record.results_unmatched > 0) return isSubscribed === true ? 'seen' : 'unheard';
  if (hasFastProcessing(sql, execution.execution_id)) return isSubscribed === false ? 'unheard' : 'seen';
  if (isSubscribed === undefined) return 'none or unheard';
  return isSubscribed ? 'none' : 'unheard';
}

/** Whether a run's slices and their results arrive on a subscribed topic, as far as is known. */
export function arrivalsOf(sql: Prepare, execution: ExecutionRow, record: HeardRecord) {
  const mayArrive = (mayCarry: (topic: string) => boolean) =>
    topicsOf(sql, execution.namespace, record)?.some(mayCarry) ?? true;
  return {
    hearsSlices: execution.slices_created > record.slices_unheard || mayArrive(mayCarrySlices),
    hearsResults:
      execution.slices_queued < execution.slices_created || record.results_unmatched > 0 || mayArrive(mayCarryResults),
  };
}

/**
 * Whether fast processing takes part in a run: it does if workers are requested, the message that ends the run
 * is repeated for them, or the runner reported a fast processing configuration.
 */
const hasFastProcessing = (sql: Prepare, executionId: string) =>
  sql(
    `SELECT 1 WHERE EXISTS (SELECT 1 FROM message_rows INDEXED BY message_rows_type WHERE execution_no = ${numberOf('$id')} AND type_no = ${numberOf(`'run_imminent_worker'`)})
       OR EXISTS (SELECT 1 FROM message_rows INDEXED BY message_rows_type WHERE execution_no = ${numberOf('$id')} AND type_no = ${numberOf(`'end_run'`)} AND destination <> '${broadcastTopic}')
       OR EXISTS (SELECT 1 FROM workflow_executions WHERE execution_id = $id AND json_valid(params) AND params -> '$.fast_processing' IS NOT NULL)`,
  ).has({ id: executionId });

/** The topics subscribed to during a run; undefined if unknown. */
function topicsOf(sql: Prepare, namespace: string, { first_message, last_message }: HeardRecord) {
  const topics = sql<string | null>(
    `SELECT topics FROM hearings WHERE namespace IN ('', ?) AND since_ms <= ? AND until_ms >= ?`,
  ).values(namespace, last_message, first_message);
  const known = topics.map(stringsIn);
  return known.includes(undefined) ? undefined : known.flatMap((some) => some ?? []);
}
