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

/** The slices of one sample taken together; `breaks` counts those that do not begin where the one before ends. */
interface CutRow {
  tf_filename: string;
  slices: number;
  tf_first: number;
  tf_last: number;
  breaks: number;
}

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
  // A run that was to go on to its end and says that it has, must be whole; any other may lack what was not done.
  const whenMissing = execution.status === 'completed' ? 'broken' : 'open';
  const checks = [
    checkAnnounced(sql, execution, stfs, whenMissing),
    checkReady(stfs, whenMissing),
    checkSamples(stfs, samples, params, whenMissing),
    ...checkSlices(sql, execution_id, samples, params, whenMissing),
    checkResults(sql, execution_id, params, whenMissing),
    checkCounts(sql, execution, { stfs, samples: samples.length, params }),
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
  const said = sql<[string], { n: number }>(
    `SELECT count(*) AS n FROM workflow_messages WHERE execution_id = ? AND message_type = 'stf_gen' AND effect = 'applied'`,
  ).get(execution_id);
  const run = sql<[number], { total_stf_files: number | null }>(
    'SELECT total_stf_files FROM runs WHERE run_number = ?',
  ).get(run_number);
  const expected = run?.total_stf_files ?? said?.n ?? 0;
  const known = new Set(stfs.map(({ sequence }) => sequence));
  const most = Math.max(expected, ...(stfs.length === 0 ? [0] : [stfs.at(-1)?.sequence ?? 0]));
  const ids: string[] = [];
  // The end of a run may claim any number.
  for (let sequence = 1; sequence <= most && ids.length < namedIds; sequence += 1)
    if (!known.has(sequence)) ids.push(stfFilename(run_number, sequence));
  const state = said?.n === stfs.length ? whenMissing : 'broken';
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

/** As many slices of each sample as planned, and together they hold each of its frames once. */
function checkSlices(
  sql: Prepare,
  executionId: string,
  samples: readonly SampleRow[],
  { fast_processing: { slices_per_sample } }: ExecutionParams,
  whenMissing: Missing,
): AuditCheck[] {
  const cuts = new Map(
    sql<[string], CutRow>(
      `SELECT tf_filename, count(*) AS slices, min(tf_first) AS tf_first, max(tf_last) AS tf_last,
         sum(before IS NOT NULL AND tf_first <> before + 1) AS breaks
       FROM (SELECT tf_filename, tf_first, tf_last, lag(tf_last) OVER (PARTITION BY tf_filename ORDER BY tf_first) AS before
             FROM tf_slices WHERE execution_id = ?)
       GROUP BY tf_filename`,
    )
      .all(executionId)
      .map((cut) => [cut.tf_filename, cut]),
  );
  const missing: string[] = [];
  const uncovered: string[] = [];
  let [expected, found, whole] = [0, 0, 0];
  for (const sample of samples) {
    const planned = Math.min(slices_per_sample, sample.tf_count);
    const cut = cuts.get(sample.tf_filename);
    cuts.delete(sample.tf_filename);
    expected += planned;
    found += cut?.slices ?? 0;
    if ((cut?.slices ?? 0) < planned) missing.push(...missingSlices(sql, sample, slices_per_sample));
    else if (cut?.breaks === 0 && cut.tf_first === sample.tf_first && cut.tf_last === sample.tf_last) whole += 1;
    else uncovered.push(sample.tf_filename);
  }
  // Slices of samples that are not there.
  uncovered.push(...cuts.keys());
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
  { worker: { max_retries } }: ExecutionParams,
  whenMissing: Missing,
): AuditCheck {
  const attempts = sql<[string], { n: number; final: number; results: number }>(
    `SELECT count(*) AS n,
       (SELECT count(*) FROM workflow_messages WHERE execution_id = s.execution_id AND message_type = 'slice_result' AND effect = 'applied') AS results,
       sum(attempt - 1 + (status IN ('completed', 'failed'))) AS final
     FROM tf_slices AS s WHERE execution_id = ?`,
  ).get(executionId);
  const open = sql<[string], { slice_filename: string; status: string; attempt: number }>(
    `SELECT slice_filename, status, attempt FROM tf_slices
     WHERE execution_id = ? AND status IN ('queued', 'processing', 'failed') ORDER BY seq`,
  )
    .all(executionId)
    .filter(({ status, attempt }) => status !== 'failed' || isRetried(attempt, max_retries))
    .map(({ slice_filename }) => slice_filename);
  const slices = attempts?.n ?? 0;
  const counts = { expected: slices, found: slices - open.length, ids: open };
  const lacks = (attempts?.final ?? 0) - (attempts?.results ?? 0);
  if (lacks === 0 || slices === 0) return checked('results', counts, whenMissing, 'TF slices have no final result');
  return {
    ...checked('results', counts, 'broken', ''),
    state: 'broken',
    problem: `${attempts?.final} attempts have ended, and ${attempts?.results} results count`,
  };
}

/** What is kept beside the rows, by the name of its column. */
type Kept = Record<string, number>;

/** The counts that are kept beside the rows are those of the rows. */
function checkCounts(
  sql: Prepare,
  { execution_id, run_number }: ExecutionRow,
  { stfs, samples, params }: { stfs: readonly StfRow[]; samples: number; params: ExecutionParams },
): AuditCheck {
  const kept = sql<[number], Kept>(
    `SELECT stfs_announced, stfs_ready, samples_expected, tf_files_received, slices_created, slices_queued, slices_processing,
       slices_completed, slices_failed, slices_exhausted, slice_retries, dataset_files
     FROM run_states JOIN runs USING (run_number) WHERE run_number = ?`,
  ).get(run_number);
  const slices = sql<[number, string], Kept>(
    `SELECT count(*) AS slices_created, total(status = 'queued') AS slices_queued, total(status = 'processing') AS slices_processing,
       total(status = 'completed') AS slices_completed, total(status = 'failed') AS slices_failed,
       total(status = 'failed' AND attempt > ?) AS slices_exhausted, total(attempt - 1) AS slice_retries
     FROM tf_slices WHERE execution_id = ?`,
  ).get(params.worker.max_retries, execution_id);
  const ready = stfs.filter(({ status }) => status === 'processed').length;
  const rows: Kept = {
    ...slices,
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
