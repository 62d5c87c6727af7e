import { plannedStfCount } from '../../domain/daq-schedule.ts';
import { stfFilename, tfFilename } from '../../domain/file-names.ts';
import { planOf } from '../../domain/plan/versions.ts';
import type { AuditCheck } from '../../monitoring/gate.ts';
import { type ExecutionRow, type OwnExecution, withPlan } from '../execution/find-execution.ts';
import { executionParams } from '../execution/params.ts';
import type { Moment } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import {
  type Audited,
  type Checks,
  type SampleRow,
  type StfRow,
  appliedMessages,
  checkResults,
  checkSlices,
  checked,
  comparedCounts,
  cutsOf,
  namedIds,
  totalsOf,
} from './audit-slices.ts';
import { heardChecks } from './observed/audit.ts';

/**
 * Whether an execution's data is complete and its records are consistent: every announced file became ready,
 * was sampled and cut as planned, and every slice got one final result; and the stored counts match the rows.
 */
export interface Audit {
  execution_id: string;
  /**
   * `balanced`: complete; `open`: nothing is wrong, but something has not been done; `broken`: the records
   * contradict each other.
   */
  verdict: 'balanced' | 'open' | 'broken';
  checks: AuditCheck[];
  remark?: string | undefined;
}

/** Audits an execution against its plan, or against what was received about it. */
export function audit(sql: Prepare, execution: ExecutionRow, moment: Moment): Audit {
  const planned = withPlan(execution);
  const { checks, mayBeWhole, remark } = planned ? plannedChecks(sql, planned) : heardChecks(sql, execution, moment);
  const { execution_id } = execution;
  if (checks.some(({ state }) => state === 'broken')) return { execution_id, verdict: 'broken', checks, remark };
  // Passing checks are not enough: more messages may be expected, or some may have been missed.
  const isWhole = mayBeWhole && checks.every(({ state }) => state === 'ok');
  return { execution_id, verdict: isWhole ? 'balanced' : 'open', checks, remark };
}

/** Reads every row of one execution, which takes a few hundred milliseconds for a run of two hours. */
function plannedChecks(sql: Prepare, execution: OwnExecution): Checks {
  const { execution_id } = execution;
  const params = executionParams(sql, execution);
  const plan = planOf(params);
  const rowsOf = <Row>(table: string, columns: string) =>
    sql<Row>(`SELECT ${columns} FROM ${table} WHERE execution_id = ? ORDER BY seq`).all(execution_id);
  const stfs = rowsOf<StfRow>('stf_files', 'stf_filename, sequence, status, tf_count');
  const samples = rowsOf<SampleRow>('fastmon_files', 'tf_filename, stf_filename, tf_first, tf_last, tf_count');
  const cuts = cutsOf(sql, execution_id, params);
  const isOver = execution.status === 'completed';
  // In a completed run, a missing item is a fault; in any other, the work may just not have been done.
  const whenMissing = isOver ? 'broken' : 'open';
  const audited: Audited = { sql, execution, params, plan, stfs, samples, cuts, whenMissing };
  const checks = [
    ...checkPlanned(audited),
    checkAnnounced(audited),
    checkReady(audited),
    checkSamples(audited),
    ...checkSlices(audited),
    checkResults(audited),
    checkCounts(audited),
  ];
  return { checks, mayBeWhole: isOver };
}

/**
 * Checks that all planned STFs were announced. A run that continues until it is stopped has no planned
 * number.
 */
function checkPlanned({ params, stfs, whenMissing }: Audited): AuditCheck[] {
  const expected = plannedStfCount(params);
  if (expected === undefined) return [];
  const counts = { expected, found: stfs.length, ids: [], id_count: Math.max(0, expected - stfs.length) };
  return [checked('stf_planned', counts, whenMissing, 'planned STF files were not announced')];
}

/**
 * Checks that the number of STFs matches the announcements in the log and `end_run`, and that the STFs are
 * numbered without gaps.
 */
function checkAnnounced({ sql, execution, stfs, whenMissing }: Audited): AuditCheck {
  const announced = appliedMessages(sql, execution.execution_id, 'stf_gen');
  const stated = sql<number | null>('SELECT total_stf_files FROM runs WHERE execution_id = ?');
  const expected = stated.value(execution.execution_id) ?? announced;
  const known = new Set(stfs.map(({ sequence }) => sequence));
  const most = Math.max(expected, stfs.at(-1)?.sequence ?? 0);
  const ids: string[] = [];
  // The number in `end_run` may be arbitrarily large.
  for (let sequence = 1; sequence <= most && ids.length < namedIds; sequence += 1)
    if (!known.has(sequence)) ids.push(stfFilename(execution.run_number, sequence));
  const state = announced === stfs.length ? whenMissing : 'broken';
  const counts = { expected, found: stfs.length, ids, id_count: most - known.size };
  return checked('stf_announced', counts, state, 'STF files were announced but not registered');
}

function checkReady({ stfs, whenMissing }: Audited): AuditCheck {
  const ids = stfs.filter(({ status }) => status !== 'processed').map(({ stf_filename }) => stf_filename);
  const counts = { expected: stfs.length, found: stfs.length - ids.length, ids };
  return checked('stf_ready', counts, whenMissing, 'STF files are not ready');
}

function checkSamples({ stfs, samples, plan, whenMissing }: Audited): AuditCheck {
  const known = new Set(samples.map(({ tf_filename }) => tf_filename));
  const ids: string[] = [];
  let expected = 0;
  for (const { stf_filename, sequence, tf_count } of stfs) {
    const planned = plan.sampleCount({ sequence, tf_count });
    expected += planned;
    for (let sample = 1; sample <= planned; sample += 1) {
      const name = tfFilename(stf_filename, sample);
      if (!known.has(name)) ids.push(name);
    }
  }
  return checked('samples', { expected, found: samples.length, ids }, whenMissing, 'planned TF samples are missing');
}

/** Stored counts by column name. */
type Kept = Record<string, number>;

/** Checks that the stored counts match the rows. */
function checkCounts({ sql, execution, stfs, samples, cuts, plan }: Audited): AuditCheck {
  const kept = sql<Kept>(
    `SELECT stfs_announced, stfs_ready, samples_expected, tf_files_received, slices_created, slices_queued, slices_processing,
       slices_completed, slices_failed, slices_exhausted, slice_retries, dataset_files
     FROM run_states JOIN runs USING (execution_id) WHERE execution_id = ?`,
  ).get(execution.execution_id);
  const ready = stfs.filter(({ status }) => status === 'processed').length;
  const rows: Kept = {
    ...totalsOf(cuts),
    stfs_announced: stfs.length,
    stfs_ready: ready,
    dataset_files: ready,
    samples_expected: stfs.reduce((sum, stf) => sum + plan.sampleCount(stf), 0),
    tf_files_received: samples.length,
  };
  const counts = comparedCounts(rows, kept);
  const told = counts.ids.map((name) => `${name} is ${kept?.[name]}, but there are ${rows[name]} rows`).join(', ');
  return checked('counts', counts, 'broken', `stored counts do not match the rows: ${told}`);
}
