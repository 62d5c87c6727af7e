import type { ExecutionParams } from '../../domain/params.ts';
import type { Plan, SampleToCut } from '../../domain/plan/plan.ts';
import { isRetried } from '../../domain/slice-states.ts';
import type { AuditCheck } from '../../monitoring/gate.ts';
import type { OwnExecution } from '../execution/find-execution.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** An execution, with all data that its audit reads. */
export interface Audited {
  sql: Prepare;
  execution: OwnExecution;
  params: ExecutionParams;
  plan: Plan;
  stfs: readonly StfRow[];
  samples: readonly SampleRow[];
  cuts: readonly CutRow[];
  whenMissing: Missing;
}

export interface StfRow {
  stf_filename: string;
  sequence: number;
  status: string;
  tf_count: number;
}

export interface SampleRow extends SampleToCut {
  tf_last: number;
}

/** Totals for the slices of one sample. */
interface CutRow extends Record<SliceCount, number> {
  tf_filename: string;
  /** The first and last frame of each slice: `0 9,10 19`. */
  frames: string;
}

const sliceCounts = [
  'slices_created',
  'slices_queued',
  'slices_processing',
  'slices_completed',
  'slices_failed',
  'slices_exhausted',
  'slice_retries',
] as const;
type SliceCount = (typeof sliceCounts)[number];

/** Reads every slice once, for all checks. */
export const cutsOf = (sql: Prepare, executionId: string, { worker: { max_retries } }: ExecutionParams) =>
  sql<CutRow>(
    `SELECT tf_filename, group_concat(tf_first || ' ' || tf_last) AS frames, count(*) AS slices_created,
       sum(status = 'queued') AS slices_queued, sum(status = 'processing') AS slices_processing,
       sum(status = 'completed') AS slices_completed, sum(status = 'failed') AS slices_failed,
       sum(status = 'failed' AND attempt > ?) AS slices_exhausted, sum(min(attempt, 1000000) - 1) AS slice_retries
     FROM tf_slices WHERE execution_id = ? GROUP BY tf_filename`,
  ).all(max_retries, executionId);

export function totalsOf(cuts: readonly CutRow[]): Record<SliceCount, number> {
  const total = (name: SliceCount) => cuts.reduce((sum, cut) => sum + cut[name], 0);
  return Object.fromEntries(sliceCounts.map((name) => [name, total(name)])) as Record<SliceCount, number>;
}

/**
 * `isWhole` for many samples, with a cache: most samples have the same frames and cuts, so few need checking.
 */
function wholeness(): (cut: CutRow, sample: SampleRow) => boolean {
  const known = new Map<string, boolean>();
  return (cut, sample) => {
    const alike = `${sample.tf_first} ${sample.tf_last}:${cut.frames}`;
    const found = known.get(alike) ?? isWhole(cut, sample);
    known.set(alike, found);
    return found;
  };
}

/** Whether the slices contain each frame of their sample exactly once. */
function isWhole({ frames }: CutRow, sample: SampleRow) {
  const slices = frames.split(',').map((slice) => slice.split(' ').map(Number) as [number, number]);
  slices.sort(([a], [b]) => a - b);
  return (
    slices[0]?.[0] === sample.tf_first &&
    slices.at(-1)?.[1] === sample.tf_last &&
    slices.every(([first], at) => at === 0 || first === (slices[at - 1]?.[1] ?? NaN) + 1)
  );
}

/** Checks that each sample has its planned slices, and that these contain each frame of the sample exactly once. */
export function checkSlices({ sql, execution, plan, samples, cuts, whenMissing }: Audited): AuditCheck[] {
  const holdsAll = wholeness();
  const left = new Map(cuts.map((cut) => [cut.tf_filename, cut]));
  const missing: string[] = [];
  const uncovered: string[] = [];
  let [expected, found, whole] = [0, 0, 0];
  for (const sample of samples) {
    const planned = plan.sliceCount(sample.tf_count);
    const cut = left.get(sample.tf_filename);
    left.delete(sample.tf_filename);
    expected += planned;
    found += cut?.slices_created ?? 0;
    if (cut === undefined || cut.slices_created < planned)
      missing.push(...missingSlices(sql, execution.execution_id, sample, plan));
    else if (holdsAll(cut, sample)) whole += 1;
    else uncovered.push(sample.tf_filename);
  }
  // The remaining slices have no sample.
  uncovered.push(...left.keys());
  const covered = { expected: whole + uncovered.length, found: whole, ids: uncovered };
  return [
    checked('slices', { expected, found, ids: missing }, whenMissing, 'planned TF slices are missing'),
    checked('coverage', covered, 'broken', 'slices leave a gap in their TF sample, overlap, or have no sample'),
  ];
}

function missingSlices(sql: Prepare, executionId: string, sample: SampleRow, plan: Plan) {
  const known = new Set(
    sql<string>('SELECT slice_filename FROM tf_slices WHERE tf_filename = ? AND execution_id = ?').values(
      sample.tf_filename,
      executionId,
    ),
  );
  return plan
    .slices(sample)
    .map(({ slice_filename }) => slice_filename)
    .filter((name) => !known.has(name));
}

/** Checks that every slice is final, and that every ended attempt has one result that counts. */
export function checkResults({ sql, execution, params, cuts, whenMissing }: Audited): AuditCheck {
  const { execution_id } = execution;
  const { slices_created: slices, slice_retries, slices_completed, slices_failed } = totalsOf(cuts);
  const ended = slice_retries + slices_completed + slices_failed;
  const results = appliedMessages(sql, execution_id, 'slice_result');
  const open = sql<{ slice_filename: string; status: string; attempt: number }>(
    `SELECT slice_filename, status, attempt FROM tf_slices INDEXED BY tf_slices_open
     WHERE execution_id = ? AND ${indexPredicates.openSlice} ORDER BY seq`,
  )
    .all(execution_id)
    .filter(({ status, attempt }) => status !== 'failed' || isRetried(attempt, params.worker.max_retries))
    .map(({ slice_filename }) => slice_filename);
  const counts = { expected: slices, found: slices - open.length, ids: open };
  if (ended === results || slices === 0)
    return checked('results', counts, whenMissing, 'TF slices have no final result');
  return {
    ...checked('results', counts, 'broken', ''),
    state: 'broken',
    problem: `${ended} attempts have ended, and ${results} results count`,
  };
}

/**
 * Number of applied messages of a type: computed as all messages minus the few without effect, so that no
 * rows have to be read.
 */
export function appliedMessages(sql: Prepare, executionId: string, type: string) {
  const ofType = `WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf('?')}`;
  const count = (rows: string) =>
    sql<number>(`SELECT count(*) FROM message_rows ${rows}`).value(executionId, type) ?? 0;
  const without = `INDEXED BY message_rows_execution_without_effect ${ofType} AND ${indexPredicates.withoutEffect}`;
  return count(ofType) - count(without);
}

/**
 * The checks of an execution. `mayBeWhole`: the execution has ended and no message can have been missed, so its
 * records are complete if all checks pass. `remark`: a limitation of the checks.
 */
export interface Checks {
  checks: AuditCheck[];
  mayBeWhole: boolean;
  remark?: string | undefined;
}

export const namedIds = 20;

/**
 * The meaning of missing items: something is not done yet, the records contradict each other, or it is unknown
 * which.
 */
type Missing = 'open' | 'broken' | 'unknown';

/** The counts that a check compares. `id_count` is by default the number of `ids`. */
export interface Compared extends Pick<AuditCheck, 'expected' | 'found' | 'ids'> {
  id_count?: number;
}

export function checked(check: AuditCheck['check'], compared: Compared, state: Missing, problem: string): AuditCheck {
  const { expected, found, ids, id_count = ids.length } = compared;
  const counts = { check, expected, found, ids: ids.slice(0, namedIds), id_count };
  return ids.length === 0 && expected === found ? { ...counts, state: 'ok' } : { ...counts, state, problem };
}

/** Compares stored counts with the numbers of rows, and returns the counts that differ, by name. */
export function comparedCounts(rows: Readonly<Record<string, number>>, kept: object | undefined): Compared {
  const names = Object.keys(rows);
  const ids = names.filter((name) => rows[name] !== (kept as Record<string, unknown> | undefined)?.[name]);
  return { expected: names.length, found: names.length - ids.length, ids };
}
