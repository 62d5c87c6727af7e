import {
  type Service,
  type SlowerSlices,
  slowerSlices,
  type SlowSlots,
  slowSlots,
} from '../../monitoring/service-times.ts';
import { sliceSeconds } from '../lists/tf-slices.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The first and the last slices to look at, each. */
const lookedAt = 1500;

/** The findings that the times of an execution's completed first attempts support, among its first and its last slices. */
export function serviceFindings(
  sql: Prepare,
  executionId: string,
): { slow_slots: SlowSlots | undefined; slower: SlowerSlices | undefined } {
  const services = servicesOf(sql, executionId);
  return { slow_slots: slowSlots(services), slower: slowerSlices(services) };
}

type Row = Omit<Service, 'overhead' | 'at'> & { key: number; at: string | null; took: number | null };

function servicesOf(sql: Prepare, executionId: string): Service[] {
  const from = (order: 'ASC' | 'DESC'): Row[] =>
    sql<[string, number], Row>(
      `SELECT seq AS key, assigned_worker AS slot, coalesce(stf_filename, tf_filename) AS stf, assigned_at AS at, processing_seconds AS seconds, ${sliceSeconds} AS took
       FROM tf_slices INDEXED BY tf_slices_execution
       WHERE execution_id = ? AND status = 'completed' AND attempt = 1 AND processing_seconds IS NOT NULL AND assigned_worker IS NOT NULL
       ORDER BY seq ${order} LIMIT ?`,
    ).all(executionId, lookedAt);
  const rows = new Map([...from('ASC'), ...from('DESC')].map((row) => [row.key, row]));
  return [...rows.values()].map(({ slot, stf, at, seconds, took }) => ({
    slot,
    stf,
    seconds,
    at: Date.parse(at ?? '') || 0,
    overhead: took === null ? undefined : Math.max(0, took - seconds),
  }));
}
