import { isDeepStrictEqual } from 'node:util';

import { fastProcessing, promptProcessing, workflowInId } from '../../domain/workflows.ts';
import { grouped } from '../../lib/grouped.ts';
import { foldStf, foldTf, type StfFact, type TfFact } from '../../observed/folding/files.ts';
import type { SaidFact } from '../../observed/folding/said.ts';
import { stfSubjects } from '../../observed/folding/subjects.ts';
import type { Fact } from '../../observed/reading/fact.ts';
import { addTo } from '../projection/sums.ts';
import { buffered } from '../sqlite/buffered.ts';
import { isOfPrompt, notePolicy, writeSites } from './prompt.ts';
import { foldWith, forgetSubject, type ObservedScope, saidAt } from './said.ts';

type Stf = NonNullable<ReturnType<typeof foldStf>>['row'];

/** As SQL: the number of samples or slices of an STF, some of which may have arrived before the STF. */
const countIn = (table: 'fastmon_files' | 'tf_slices') =>
  `(SELECT count(*) FROM ${table} AS f INDEXED BY ${table}_stf WHERE f.stf_filename = $stf_filename AND f.execution_id = $execution_id)`;

export function stfSaid(scope: ObservedScope, said: SaidFact<StfFact>, earlier: SaidFact<StfFact> | undefined) {
  const isPrompt = isOfPrompt(scope) || (isOfPromptAlone(said.fact) && promptSeen(scope));
  const { before, after } = foldWith(scope, said, earlier, (messages) => foldStf(messages, isPrompt));
  if (after === undefined) return;
  for (const seq of after.spare) forgetSubject(scope, { subject: 'told_jobs', key: after.row.stf_filename }, seq);
  if (said.fact.kind === 'stf_gen' && said.fact.policy !== undefined) notePolicy(scope, said.fact.policy);
  if (!isSame(before, after)) writeStf(scope, after, before);
}

/**
 * Whether a fact is of a kind that only agents for prompt processing report, since only they choose sites and
 * report jobs.
 */
const isOfPromptAlone = (fact: StfFact) =>
  fact.kind === 'told_jobs' || (fact.kind === 'told_stf' && fact.sites !== undefined);

type Folded = NonNullable<ReturnType<typeof foldStf>>;

function writeStf(scope: ObservedScope, { row, sites }: Folded, before: Folded | undefined) {
  const { sql, execution_id, run_number } = scope;
  sql(
    `INSERT INTO stf_files (stf_filename, run_number, execution_id, sequence, status, checksum, size_bytes, tf_count, created_at, registered_at, processed_at, took_ms, tf_file_count, slice_count)
     VALUES ($stf_filename, $run_number, $execution_id, $sequence, $status, $checksum, $size_bytes, $tf_count, $created_at, $registered_at, $processed_at, $took_ms, ${countIn('fastmon_files')}, ${countIn('tf_slices')})
     ON CONFLICT (stf_filename, execution_id) DO UPDATE SET sequence = excluded.sequence, status = excluded.status, checksum = excluded.checksum, size_bytes = excluded.size_bytes,
       tf_count = excluded.tf_count, created_at = excluded.created_at, registered_at = excluded.registered_at, processed_at = excluded.processed_at, took_ms = excluded.took_ms`,
  ).run({ ...row, execution_id, run_number });
  countStf(scope, before?.row, row);
  if (!isDeepStrictEqual(before?.sites ?? [], sites)) writeSites(scope, row.stf_filename, sites);
  if (row.processed_at !== before?.row.processed_at) noteWaiting(scope, row.stf_filename);
}

/**
 * Handles a message that only prompt processing sends. Its execution belongs to that workflow unless the
 * execution's id says otherwise; in that case, agents of both workflows take part. Returns whether the
 * execution belongs to prompt processing.
 */
export function promptSeen(scope: ObservedScope) {
  const named = scope.sql<string>('SELECT told_id FROM observed_runs WHERE execution_id = ?');
  const isOther = workflowInId(named.value(scope.execution_id) ?? '') === fastProcessing;
  if (!isOther) becomePrompt(scope);
  return !isOther;
}

/** The facts that only agents for fast processing report. */
const ofFastAlone: ReadonlySet<Fact['kind']> = new Set([
  'workers',
  'tf_file_registered',
  'told_tf',
  'slice',
  'result',
  'told_slice',
]);

const becomeFast = buffered(({ sql }, execution_id) => {
  const update = sql(
    'UPDATE workflow_executions SET workflow_name = ? WHERE execution_id = ? AND workflow_name IS NULL',
  );
  update.run(fastProcessing, execution_id);
});

/**
 * Handles a fact that only fast processing reports. If the execution's id does not show its workflow, this fact
 * does.
 */
export function workflowSeen({ tx, execution_id }: ObservedScope, { kind }: Fact) {
  if (ofFastAlone.has(kind)) becomeFast(tx, execution_id, () => true);
}

/** Refolds all STF files of an execution that turned out to belong to prompt processing. */
export function becomePrompt(scope: ObservedScope) {
  const { tx, sql, execution_id } = scope;
  if (isOfPrompt(scope)) return;
  const update = sql('UPDATE workflow_executions SET workflow_name = ? WHERE execution_id = ?');
  update.run(promptProcessing, execution_id);
  const rows = sql<{ key: string; seq: number }>(
    'SELECT key, seq FROM message_subjects WHERE execution_id = ? AND subject IN (SELECT value FROM json_each(?)) ORDER BY key, seq',
  ).all(execution_id, JSON.stringify(stfSubjects));
  for (const some of grouped(rows, ({ key }) => key).values()) {
    const messages = some.flatMap(({ seq }) => saidAt<StfFact>(tx, seq) ?? []);
    const after = foldStf(messages, true);
    if (after !== undefined) writeStf(scope, after, foldStf(messages));
  }
}

/**
 * Records the time between the message that an STF file is ready and the announcement of its TF file, in
 * whichever order they arrive.
 */
function noteWaiting({ sql, execution_id }: ObservedScope, stf_filename: string, tf_filename: string | null = null) {
  sql(
    `UPDATE fastmon_files AS f INDEXED BY fastmon_files_stf SET waited_ms = max(0, CAST(round((julianday(f.created_at) - julianday(s.processed_at)) * 86400000) AS INTEGER))
     FROM stf_files AS s WHERE s.stf_filename = $stf_filename AND s.execution_id = $execution_id
       AND f.stf_filename = $stf_filename AND f.execution_id = $execution_id AND ($tf_filename IS NULL OR f.tf_filename = $tf_filename)
       AND EXISTS (SELECT 1 FROM message_subjects AS o WHERE o.execution_id = $execution_id AND o.subject = 'tf_file_registered' AND o.key = f.tf_filename)`,
  ).run({ stf_filename, execution_id, tf_filename });
}

/**
 * Whether a file belongs to the dataset of its run because it is ready or, in prompt processing, registered.
 */
const isInDataset = ({ status, registered_at }: Stf) => status === 'processed' || registered_at !== null;

/** Updates the counts of an execution when an STF file is mentioned for the first time or changes. */
function countStf({ tx, sql, execution_id }: ObservedScope, before: Stf | undefined, now: Stf) {
  const change = (is: (stf: Stf) => boolean) => Number(is(now)) - Number(before !== undefined && is(before));
  const ready = change(({ status }) => status === 'processed');
  if (before === undefined) addTo(tx, 'run_states', [execution_id], 'stfs_announced', 1);
  if (ready !== 0) addTo(tx, 'run_states', [execution_id], 'stfs_ready', ready);
  const files = change(isInDataset);
  const bytes = (now.size_bytes ?? 0) - (before?.size_bytes ?? 0);
  if (files !== 0 || bytes !== 0)
    sql(
      'UPDATE runs SET dataset_files = dataset_files + ?, dataset_bytes = dataset_bytes + ? WHERE execution_id = ?',
    ).run(files, bytes, execution_id);
}

export function tfSaid(scope: ObservedScope, said: SaidFact<TfFact>, earlier: SaidFact<TfFact> | undefined) {
  const { before, after } = foldWith(scope, said, earlier, foldTf);
  if (after === undefined || isSame(before, after)) return;
  const { tx, sql, execution_id, run_number } = scope;
  const { row } = after;
  sql(
    `INSERT INTO fastmon_files (tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, created_at, slice_count)
     VALUES ($tf_filename, $stf_filename, $run_number, $execution_id, $tf_first, $tf_last, $tf_count, $created_at,
       coalesce((SELECT slices FROM observed_samples AS o WHERE o.tf_filename = $tf_filename AND o.execution_id = $execution_id), 0))
     ON CONFLICT (tf_filename, execution_id) DO UPDATE SET stf_filename = excluded.stf_filename, tf_first = excluded.tf_first, tf_last = excluded.tf_last,
       tf_count = excluded.tf_count, created_at = excluded.created_at, waited_ms = NULL`,
  ).run({ ...row, execution_id, run_number });
  if (after.isAnnounced && before?.isAnnounced !== true)
    addTo(tx, 'run_states', [execution_id], 'tf_files_received', 1);
  const { tf_filename, stf_filename } = row;
  if (stf_filename !== null) noteWaiting(scope, stf_filename, tf_filename);
  const recount = sql(
    `UPDATE stf_files SET tf_file_count = ${countIn('fastmon_files')} WHERE stf_filename = $stf_filename AND execution_id = $execution_id`,
  );
  const stfs = new Set([before?.row.stf_filename, stf_filename]);
  if (stfs.size > 1) for (const stf of stfs) recount.run({ stf_filename: stf ?? '', execution_id });
}

/** Whether two folds of a file differ only in which messages repeat others. */
const isSame = (a: object | undefined, b: object) => isDeepStrictEqual({ ...a, repeats: [] }, { ...b, repeats: [] });
