import { argumentInvalid } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import { clause } from '../../lib/words.ts';
import { headColumns, type MessageHead } from '../lists/messages.ts';
import { payloadAsked } from '../lists/tf-slices.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { sliceLostStarts } from '../migrations/lost-starts.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { shortId, typeNumbers } from '../migrations/names.ts';
import type { Moment } from '../presence/leases.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';
import { goneWorkers } from './slices-in-hand.ts';

/** A file of the workflow: its kind, and its execution. */
export interface Product {
  kind: 'stf' | 'tf' | 'slice';
  name: string;
  execution_id: string;
  run_number: number | null;
  status: string;
  stf_filename: string | null;
  tf_filename: string | null;
}

/** The state of a slice: its attempts so far, and its position in the queue. */
export type SliceStanding = NonNullable<ReturnType<typeof sliceStanding>>;

/** Maximum number of slices to count ahead of a slice. */
const maxAhead = 100_000;

/**
 * The state of a slice; undefined if the slice is unknown. `now`: in milliseconds since 1970; for an ended
 * execution, its end.
 */
export function sliceStanding(sql: Prepare, { name, execution_id }: Product, { isAlive, now }: Moment) {
  const slice = sql<
    { key: number; status: string; lost_starts: number } & Record<
      'assigned_worker' | 'assigned_at' | 'payload',
      string | null
    >
  >(
    `SELECT seq AS key, status, ${sliceLostStarts('s')} AS lost_starts, assigned_worker, assigned_at, ${payloadAsked} AS payload
     FROM tf_slices AS s WHERE slice_filename = ? AND execution_id = ?`,
  ).get(name, execution_id);
  if (slice === undefined) return undefined;
  const attempts = sql<{ queued_at: string; started_at: string | null; starts: number }>(
    'SELECT queued_at, started_at, starts FROM slice_attempts WHERE slice_filename = ? AND execution_id = ? ORDER BY attempt',
  ).all(name, execution_id);
  const last = attempts.at(-1);
  const isQueued = slice.status === 'queued';
  const begun = last === undefined || last.started_at === null ? undefined : Date.parse(last.started_at);
  const until = isQueued ? now : (begun ?? now);
  return {
    /** Number of attempts that a worker has started. */
    attempts_made: attempts.filter(({ starts }) => starts > 0).length + slice.lost_starts,
    /** Seconds that the slice has been waiting, or that it waited before its last attempt started. */
    waiting_seconds: last === undefined ? 0 : Math.max(0, until - Date.parse(last.queued_at)) / 1000,
    /** Number of queued slices of the same execution ahead of this one; undefined if it is not queued. */
    ahead: isQueued ? queuedBefore(sql, execution_id, slice.key) : undefined,
    worker: slice.assigned_worker ?? undefined,
    /** The payload that the last attempt requires, as name and digest; undefined for the placeholder. */
    payload: slice.payload ?? undefined,
    /** Whether the process of the slice's worker is known to be gone. */
    isGone: slice.status === 'processing' && goneWorkers(sql, isAlive)(slice),
    /** Undefined if no worker has the slice in hand. */
    seconds_in_hand: slice.status === 'processing' && begun !== undefined ? Math.max(0, now - begun) / 1000 : undefined,
  };
}

const queuedBefore = (sql: Prepare, executionId: string, key: number) =>
  sql<number>(
    `SELECT count(*) FROM (SELECT 1 FROM tf_slices INDEXED BY tf_slices_open
         WHERE execution_id = ? AND status = 'queued' AND ${indexPredicates.openSlice} AND seq < ? LIMIT ${maxAhead})`,
  ).value(executionId, key) ?? 0;

/** Throws `ARGUMENT_INVALID` for an unknown name; the error shows the form of valid names. */
export function findProduct(sql: Prepare, name: string) {
  const found = productOf(sql, name);
  if (found !== undefined) return found;
  throw argumentInvalid(
    `there is no STF file, TF sample or TF slice ${JSON.stringify(name.slice(0, 100))}; names look like swf.101993.000001.stf, swf.101993.000001_tf_001.tf and swf.101993.000001_slice_000.tf${clause(', and the nearest ', nearestProduct(sql, name))}`,
  );
}

function productOf(sql: Prepare, name: string) {
  return sql<Product>(
    `SELECT 'stf' AS kind, stf_filename AS name, execution_id, run_number, status, stf_filename, NULL AS tf_filename
     FROM stf_files WHERE stf_filename = ?
     UNION ALL SELECT 'tf', tf_filename, execution_id, run_number, 'registered', stf_filename, tf_filename FROM fastmon_files WHERE tf_filename = ?
     UNION ALL SELECT 'slice', slice_filename, execution_id, run_number, status, stf_filename, tf_filename FROM tf_slices WHERE slice_filename = ?`,
  ).get(name, name, name);
}

/**
 * The product whose name equals the given one except for the ending, or else, among the newest STF files, the
 * one with the most similar name.
 */
function nearestProduct(sql: Prepare, name: string) {
  const whole = productOf(sql, `${name}.tf`);
  if (whole !== undefined) return `name is ${whole.name}`;
  const recent = sql<string>('SELECT stf_filename AS name FROM stf_files ORDER BY seq DESC LIMIT 200');
  const [near] = nearest(name, recent.values(), 1);
  return near && `STF file is ${near}`;
}

/** A message in the trace of a product, with the fields that a worker reports. */
interface Hop extends MessageHead {
  /** The worker that started or ended an attempt. */
  worker: string | null;
  attempt: number | null;
  /** For a result: `done` or `failed`. */
  outcome: string | null;
  error: string | null;
}

/**
 * As SQL: a field of a body, only for types that have the field in the vocabulary. Other messages may use the
 * same field name for something else.
 */
const fieldOf = (field: string, ...types: string[]) =>
  `CASE WHEN type_no IN ${typeNumbers(types)} THEN ${jsonField('body', field)} END`;

const hopColumns = [
  headColumns,
  `${fieldOf('worker_id', 'slice_started', 'slice_result')} AS worker`,
  `${fieldOf('attempt', 'slice', 'slice_started', 'slice_result')} AS attempt`,
  `${fieldOf('state', 'slice_result')} AS outcome`,
  `${fieldOf('error', 'slice_result')} AS error`,
].join(', ');

/** Observed messages, found by their `seq`, with the fields that a worker reports. */
function hopsAt(sql: Prepare, seqs: readonly number[]) {
  const isResult = `type_no IN ${typeNumbers(['slice_result'])}`;
  const rows = sql<Hop>(
    `SELECT ${headColumns}, iif(${isResult}, ${messageColumns.sender_agent}, NULL) AS worker, NULL AS attempt,
       iif(${isResult}, ${jsonField('body', 'content.state')}, NULL) AS outcome, iif(${isResult}, ${jsonField('body', 'content.result.error')}, NULL) AS error
     FROM message_rows WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY sent_ms, seq`,
  );
  return rows.all(JSON.stringify(seqs));
}

/**
 * The `seq` of the messages whose subject is a file, its source or a slice, if subjects are recorded. Subjects
 * are not recorded for swf-mcp's own executions, whose message ids contain the names of their subjects.
 */
function seqsAbout(sql: Prepare, { kind, name, execution_id, stf_filename, tf_filename }: Product) {
  const subjects = [
    ['stf_gen', stf_filename],
    ['stf_ready', stf_filename],
    ['tf_file_registered', tf_filename],
    ['attempt', kind === 'slice' ? name : null],
  ] as const;
  return subjects.flatMap(([subject, key]) =>
    key === null
      ? []
      : sql<number>(
          'SELECT seq FROM message_subjects WHERE execution_id = ? AND subject = ? AND key = ? AND stands_seq IS NULL',
        ).values(execution_id, subject, key),
  );
}

/**
 * The messages in a product's trace, found by their ids: those about its sources, about the product itself, and
 * about what was made from it.
 */
export function messagesOf(sql: Prepare, product: Product, limit: number) {
  const { kind, name, execution_id, stf_filename, tf_filename } = product;
  const seqs = seqsAbout(sql, product);
  if (seqs.length > 0) return hopsAt(sql, seqs.slice(0, limit));
  const exact = [
    `${execution_id}/stf_gen/${stf_filename ?? ''}`,
    `${execution_id}/stf_ready/${stf_filename ?? ''}`,
    ...(tf_filename === null ? [] : [`${execution_id}/tf_file_registered/${tf_filename}`]),
  ];
  const ranges = {
    slice: ['slice', 'slice_started', 'slice_result'].map((type) => `${execution_id}/${type}/${name}/`),
    tf: [],
    // The samples of an STF.
    stf: [`${execution_id}/tf_file_registered/${(stf_filename ?? '').replace(/\.stf$/, '_tf_')}`],
  }[kind];
  const rows = [
    ...exact.map((id) => sql<Hop>(`SELECT ${hopColumns} FROM message_rows WHERE short_id = ${shortId('?')}`).all(id)),
    ...ranges.map((prefix) =>
      sql<Hop>(
        `SELECT ${hopColumns} FROM message_rows WHERE short_id >= ${shortId('?')} AND short_id < ${shortId('?')} ORDER BY short_id LIMIT ?`,
      ).all(prefix, `${prefix}\u{10FFFF}`, limit),
    ),
  ].flat();
  return rows.toSorted((a, b) => a.key - b.key).slice(0, limit);
}

/** The slices made from an STF or a sample, counted by status, with the time of the last completion. */
export function slicesOf(sql: Prepare, { kind, name, execution_id }: Product) {
  const column = kind === 'stf' ? 'stf_filename' : 'tf_filename';
  return sql<{ status: string; n: number; last_at: string | null }>(
    `SELECT status, count(*) AS n, max(completed_at) AS last_at FROM tf_slices WHERE ${column} = ? AND execution_id = ? GROUP BY status`,
  ).all(name, execution_id);
}
