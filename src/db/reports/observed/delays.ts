import { bucketOf, type StageDelay, type StageName, stages } from '../../../domain/stages.ts';
import { indexPredicates } from '../../migrations/index-predicates.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** As SQL: when each STF file entered and left a stage, `a` and `b`. `?` is the execution. STF files are few, so each is read. */
const fileTimes: Readonly<Partial<Record<StageName, string>>> = {
  'stf_gen → stf_ready':
    'SELECT created_at AS a, processed_at AS b FROM stf_files WHERE execution_id = ? AND processed_at IS NOT NULL',
};

/** As SQL: the milliseconds that each TF file or slice spent in a stage, `ms`, in index order. `?` is the execution. */
const passages: Readonly<Partial<Record<StageName, string>>> = {
  'stf_ready → tf_file_registered': `(SELECT waited_ms AS ms FROM fastmon_files INDEXED BY fastmon_files_waited WHERE execution_id = ? AND ${indexPredicates.waitedTime})`,
  'slice → slice_started': `(SELECT waited_ms AS ms FROM tf_slices INDEXED BY tf_slices_waited WHERE execution_id = ? AND ${indexPredicates.waitedTime})`,
  'slice_started → slice_result': tookAs('completed'),
  'slice_started → failed result': tookAs('failed'),
};

function tookAs(status: 'completed' | 'failed'): string {
  return `(SELECT took_ms AS ms FROM tf_slices INDEXED BY tf_slices_took WHERE execution_id = ? AND status = '${status}' AND ${indexPredicates.tookTime})`;
}

/** The stages that any item has passed, with their measurements. */
const stagesOf = (sql: Prepare, executionId: string): { delay: StageDelay; measured: Measured }[] =>
  stages.flatMap(({ stage }) => {
    const [times, passage] = [fileTimes[stage], passages[stage]];
    const measured =
      times !== undefined
        ? ofFiles(sql, executionId, times)
        : passage === undefined
          ? undefined
          : ofPassage(sql, executionId, passage);
    return measured === undefined || measured.items === 0 ? [] : [{ delay: delayOf(stage, measured), measured }];
  });

/** Percentiles are exact, from the items themselves. The time of a stage's last item is not determined. */
function delayOf(stage: StageName, { items, mean, max, at }: Measured): StageDelay {
  const seconds = (ms: number): number => Math.round(ms) / 1000;
  const part = (share: number): number => seconds(at(Math.ceil(share * items) - 1));
  return { stage, items, p50: part(0.5), p95: part(0.95), max: seconds(max), mean: seconds(mean), last_at: '' };
}

/** Milliseconds of the items of a stage. */
interface Measured {
  items: number;
  mean: number;
  max: number;
  /** The n-th smallest, from 0. */
  at: (n: number) => number;
  /** How many items are of each size, by the buckets of `bucketOf`, smallest first. */
  buckets: () => [bucket: number, items: number][];
}

function ofFiles(sql: Prepare, executionId: string, times: string): Measured {
  const all = sql<[string], { a: string; b: string }>(times)
    .all(executionId)
    .map(({ a, b }) => Math.max(0, Date.parse(b) - Date.parse(a)))
    .toSorted((a, b) => a - b);
  const mean = all.reduce((sum, ms) => sum + ms, 0) / Math.max(1, all.length);
  return {
    items: all.length,
    mean,
    max: all.at(-1) ?? 0,
    at: (n) => all[n] ?? 0,
    buckets() {
      const counts = new Map<number, number>();
      for (const size of all.map((ms) => bucketOf(ms / 1000))) counts.set(size, (counts.get(size) ?? 0) + 1);
      return [...counts];
    },
  };
}

function ofPassage(sql: Prepare, executionId: string, passage: string): Measured {
  const all = sql<[string], { items: number; mean: number | null; max: number | null }>(
    `SELECT count(*) AS items, avg(ms) AS mean, max(ms) AS max FROM ${passage}`,
  ).get(executionId);
  const nth = sql<[string, number], { ms: number }>(`SELECT ms FROM ${passage} ORDER BY ms LIMIT 1 OFFSET ?`);
  return {
    items: all?.items ?? 0,
    mean: all?.mean ?? 0,
    max: all?.max ?? 0,
    at: (n) => nth.get(executionId, n)?.ms ?? 0,
    buckets: () =>
      sql<[string], { bucket: number; items: number }>(
        `SELECT ${bucket} AS bucket, count(*) AS items FROM ${passage} GROUP BY 1 ORDER BY 1`,
      )
        .all(executionId)
        .map((row): [number, number] => [row.bucket, row.items]),
  };
}

/** As SQL: the bucket of a delay, as `bucketOf` computes it. */
const bucket = 'iif(ms <= 1, 0, CAST(ceil(ln(ms) / ln(1.25)) AS INTEGER))';

/** How long the stages of an observed execution took, from the times in its messages. */
export const observedDelays = (sql: Prepare, executionId: string): StageDelay[] =>
  stagesOf(sql, executionId).map(({ delay }) => delay);

/** The delays with the number of items of each size, for a picture. */
export const observedBuckets = (sql: Prepare, executionId: string): (StageDelay & { buckets: [number, number][] })[] =>
  stagesOf(sql, executionId).map(({ measured, delay }) => ({ ...delay, buckets: measured.buckets() }));
