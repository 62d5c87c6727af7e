import { type ExecutionParams, executionParamsSchema } from '../workflow/params.ts';
import { planSlices, plannedSampleCount, stfFilename, tfFilename } from '../workflow/plan.ts';
import { isRetried } from '../workflow/slices.ts';
import type { ExecutionRow } from './executions.ts';
import type { Prepare } from './statements.ts';

/**
 * Whether an execution's data are complete and its records agree: everything that was announced has become ready, been
 * sampled and cut as planned, and got one final result, and the kept counts are those of the rows.
 */
export interface Audit {
  execution_id: string;
  /** `balanced`: all there; `open`: nothing is wrong, and something is not done; `broken`: the records contradict each other. */
  verdict: 'balanced' | 'open' | 'broken';
  checks: AuditCheck[];
}

export interface AuditCheck {
  check: 'stf_announced' | 'stf_ready' | 'samples' | 'slices' | 'coverage' | 'results' | 'counts';
  state: 'ok' | 'open' | 'broken';
  expected: number;
  found: number;
  /** Ids of what is missing or wrong, the first of them. */
  ids: string[];
  /** How many there are, those that are not named too. */
  id_count: number;
  /** What is meant by it, where it is not ok. */
  problem?: string;
}

/** Ids that a check names. */
const namedIds = 20;

interface StfRow {
  stf_filename: string;
  sequence: number;
  status: string;
  tf_count: number;
}

interface SampleRow {
  tf_filename: string;
  stf_filename: string;
  tf_first: number;
  tf_last: number;
  tf_count: number;
}

/** The slices of one sample taken together. */
interface CutRow extends Record<SliceCount, number> {
  tf_filename: string;
  /** First and last frame of each slice: `0 9,10 19`. */
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

/** Looks at every row of one execution: some hundreds of milliseconds for a run of two hours. */
export function auditExecution(sql: Prepare, execution: ExecutionRow): Audit {
  const { execution_id } = execution;
  const params = paramsOf(sql, execution_id);
  const stfs = rowsOf<StfRow>(sql, 'stf_filename, sequence, status, tf_count', 'stf_files', execution_id);
  const samples = rowsOf<SampleRow>(
    sql,
    'tf_filename, stf_filename, tf_first, tf_last, tf_count',
    'fastmon_files',
    execution_id,
  );
  const cuts = cutsOf(sql, execution_id, params);
  // A run that was to go on to its end and says that it has, must be whole; any other may lack what was not done.
  const whenMissing = execution.status === 'completed' ? 'broken' : 'open';
  const checks = [
    checkAnnounced(sql, execution, stfs, whenMissing),
    checkReady(stfs, whenMissing),
    checkSamples(stfs, samples, params, whenMissing),
    ...checkSlices(sql, samples, { cuts, params }, whenMissing),
    checkResults(sql, execution_id, { cuts, params }, whenMissing),
    checkCounts(sql, execution, { stfs, samples: samples.length, cuts, params }),
  ];
  return { execution_id, verdict: verdictOf(execution, checks), checks };
}

function verdictOf({ status }: ExecutionRow, checks: readonly AuditCheck[]): Audit['verdict'] {
  if (checks.some(({ state }) => state === 'broken')) return 'broken';
  // What still runs may be whole so far and is not done.
  return status === 'completed' && checks.every(({ state }) => state === 'ok') ? 'balanced' : 'open';
}

function paramsOf(sql: Prepare, executionId: string): ExecutionParams {
  const row = sql<[string], { params: string }>('SELECT params FROM workflow_executions WHERE execution_id = ?').get(
    executionId,
  );
  return executionParamsSchema.parse(JSON.parse(row?.params ?? '{}'));
}

const rowsOf = <Row>(sql: Prepare, columns: string, table: string, executionId: string): Row[] =>
  sql<[string], Row>(`SELECT ${columns} FROM ${table} WHERE execution_id = ? ORDER BY seq`).all(executionId);

type Missing = 'open' | 'broken';

/** A check of which some items are missing or wrong. */
function checked(
  check: AuditCheck['check'],
  {
    expected,
    found,
    ids,
    id_count = ids.length,
  }: { expected: number; found: number; ids: string[]; id_count?: number },
  state: Missing,
  problem: string,
): AuditCheck {
  const counts = { check, expected, found, ids: ids.slice(0, namedIds), id_count };
  return ids.length === 0 && expected === found ? { ...counts, state: 'ok' } : { ...counts, state, problem };
}

/** As many STFs as the log announces and as the end of the run tells, numbered without a gap. */
function checkAnnounced(
  sql: Prepare,
  { execution_id, run_number }: ExecutionRow,
  stfs: readonly StfRow[],
  whenMissing: Missing,
): AuditCheck {
  const said = appliedMessages(sql, execution_id, 'stf_gen');
  const run = sql<[number], { total_stf_files: number | null }>(
    'SELECT total_stf_files FROM runs WHERE run_number = ?',
  ).get(run_number);
  const expected = run?.total_stf_files ?? said;
  const known = new Set(stfs.map(({ sequence }) => sequence));
  const most = Math.max(expected, ...(stfs.length === 0 ? [0] : [stfs.at(-1)?.sequence ?? 0]));
  const ids: string[] = [];
  // The end of a run may claim any number.
  for (let sequence = 1; sequence <= most && ids.length < namedIds; sequence += 1)
    if (!known.has(sequence)) ids.push(stfFilename(run_number, sequence));
  const state = said === stfs.length ? whenMissing : 'broken';
  return checked(
    'stf_announced',
    { expected, found: stfs.length, ids, id_count: most - known.size },
    state,
    'STF files were announced and are not registered',
  );
}

function checkReady(stfs: readonly StfRow[], whenMissing: Missing): AuditCheck {
  const ids = stfs.filter(({ status }) => status !== 'processed').map(({ stf_filename }) => stf_filename);
  const counts = { expected: stfs.length, found: stfs.length - ids.length, ids };
  return checked('stf_ready', counts, whenMissing, 'STF files are not ready');
}

function checkSamples(
  stfs: readonly StfRow[],
  samples: readonly SampleRow[],
  params: ExecutionParams,
  whenMissing: Missing,
): AuditCheck {
  const known = new Set(samples.map(({ tf_filename }) => tf_filename));
  const ids: string[] = [];
  let expected = 0;
  for (const { stf_filename, sequence, tf_count } of stfs) {
    const planned = plannedSampleCount(sequence, tf_count, params);
    expected += planned;
    for (let sample = 1; sample <= planned; sample += 1) {
      const name = tfFilename(stf_filename, sample);
      if (!known.has(name)) ids.push(name);
    }
  }
  return checked('samples', { expected, found: samples.length, ids }, whenMissing, 'planned TF samples are missing');
}

/** Reads every slice once, for all checks. */
function cutsOf(sql: Prepare, executionId: string, { worker: { max_retries } }: ExecutionParams): CutRow[] {
  return sql<[number, string], CutRow>(
    `SELECT tf_filename, group_concat(tf_first || ' ' || tf_last) AS frames, count(*) AS slices_created,
       sum(status = 'queued') AS slices_queued, sum(status = 'processing') AS slices_processing,
       sum(status = 'completed') AS slices_completed, sum(status = 'failed') AS slices_failed,
       sum(status = 'failed' AND attempt > ?) AS slices_exhausted, sum(attempt - 1) AS slice_retries
     FROM tf_slices WHERE execution_id = ? GROUP BY tf_filename`,
  ).all(max_retries, executionId);
}

function totalsOf(cuts: readonly CutRow[]): Record<SliceCount, number> {
  const total = (name: SliceCount): number => cuts.reduce((sum, cut) => sum + cut[name], 0);
  return Object.fromEntries(sliceCounts.map((name) => [name, total(name)])) as Record<SliceCount, number>;
}

/** Whether slices together hold each frame of their sample once. */
function isWhole({ frames }: CutRow, sample: SampleRow): boolean {
  const slices = frames.split(',').map((slice) => slice.split(' ').map(Number) as [number, number]);
  slices.sort(([a], [b]) => a - b);
  return (
    slices[0]?.[0] === sample.tf_first &&
    slices.at(-1)?.[1] === sample.tf_last &&
    slices.every(([first], at) => at === 0 || first === (slices[at - 1]?.[1] ?? NaN) + 1)
  );
}

/** As many slices of each sample as planned, and together they hold each of its frames once. */
function checkSlices(
  sql: Prepare,
  samples: readonly SampleRow[],
  { cuts, params }: { cuts: readonly CutRow[]; params: ExecutionParams },
  whenMissing: Missing,
): AuditCheck[] {
  const { slices_per_sample } = params.fast_processing;
  const left = new Map(cuts.map((cut) => [cut.tf_filename, cut]));
  const missing: string[] = [];
  const uncovered: string[] = [];
  let [expected, found, whole] = [0, 0, 0];
  for (const sample of samples) {
    const planned = Math.min(slices_per_sample, sample.tf_count);
    const cut = left.get(sample.tf_filename);
    left.delete(sample.tf_filename);
    expected += planned;
    found += cut?.slices_created ?? 0;
    if (cut === undefined || cut.slices_created < planned)
      missing.push(...missingSlices(sql, sample, slices_per_sample));
    else if (isWhole(cut, sample)) whole += 1;
    else uncovered.push(sample.tf_filename);
  }
  // Slices of samples that are not there.
  uncovered.push(...left.keys());
  return [
    checked('slices', { expected, found, ids: missing }, whenMissing, 'planned TF slices are missing'),
    checked(
      'coverage',
      { expected: whole + uncovered.length, found: whole, ids: uncovered },
      'broken',
      'slices leave a gap in their TF sample, overlap, or have no sample',
    ),
  ];
}

function missingSlices(sql: Prepare, sample: SampleRow, slicesPerSample: number): string[] {
  const known = new Set(
    sql<[string], { slice_filename: string }>('SELECT slice_filename FROM tf_slices WHERE tf_filename = ?')
      .all(sample.tf_filename)
      .map(({ slice_filename }) => slice_filename),
  );
  return planSlices(sample, slicesPerSample)
    .map(({ slice_filename }) => slice_filename)
    .filter((name) => !known.has(name));
}

/** Every slice is final, and every attempt that has ended has one result that counts. */
function checkResults(
  sql: Prepare,
  executionId: string,
  { cuts, params }: { cuts: readonly CutRow[]; params: ExecutionParams },
  whenMissing: Missing,
): AuditCheck {
  const { slices_created: slices, slice_retries, slices_completed, slices_failed } = totalsOf(cuts);
  const ended = slice_retries + slices_completed + slices_failed;
  const results = appliedMessages(sql, executionId, 'slice_result');
  const open = sql<[string], { slice_filename: string; status: string; attempt: number }>(
    `SELECT slice_filename, status, attempt FROM tf_slices INDEXED BY tf_slices_open
     WHERE execution_id = ? AND status IN ('queued', 'processing', 'failed') ORDER BY seq`,
  )
    .all(executionId)
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

/** How many messages of a type had an effect: all but the few that had none, so that no row need be looked at. */
function appliedMessages(sql: Prepare, executionId: string, type: string): number {
  const all = sql<[string, string], { n: number }>(
    'SELECT count(*) AS n FROM workflow_messages WHERE execution_id = ? AND message_type = ?',
  ).get(executionId, type)?.n;
  const without = sql<[string, string], { n: number }>(
    `SELECT count(*) AS n FROM workflow_messages WHERE +execution_id = ? AND message_type = ? AND effect <> 'applied'`,
  ).get(executionId, type)?.n;
  return (all ?? 0) - (without ?? 0);
}

/** What is kept beside the rows, by the name of its column. */
type Kept = Record<string, number>;

/** The counts that are kept beside the rows are those of the rows. */
function checkCounts(
  sql: Prepare,
  { run_number }: ExecutionRow,
  {
    stfs,
    samples,
    cuts,
    params,
  }: { stfs: readonly StfRow[]; samples: number; cuts: readonly CutRow[]; params: ExecutionParams },
): AuditCheck {
  const kept = sql<[number], Kept>(
    `SELECT stfs_announced, stfs_ready, samples_expected, tf_files_received, slices_created, slices_queued, slices_processing,
       slices_completed, slices_failed, slices_exhausted, slice_retries, dataset_files
     FROM run_states JOIN runs USING (run_number) WHERE run_number = ?`,
  ).get(run_number);
  const ready = stfs.filter(({ status }) => status === 'processed').length;
  const rows: Kept = {
    ...totalsOf(cuts),
    stfs_announced: stfs.length,
    stfs_ready: ready,
    dataset_files: ready,
    samples_expected: stfs.reduce((sum, stf) => sum + plannedSampleCount(stf.sequence, stf.tf_count, params), 0),
    tf_files_received: samples,
  };
  const wrong = Object.keys(rows).filter((name) => rows[name] !== kept?.[name]);
  const all = Object.keys(rows).length;
  return checked(
    'counts',
    { expected: all, found: all - wrong.length, ids: wrong },
    'broken',
    `kept counts are not those of the rows: ${wrong.map((name) => `${name} is ${kept?.[name]}, rows are ${rows[name]}`).join(', ')}`,
  );
}
