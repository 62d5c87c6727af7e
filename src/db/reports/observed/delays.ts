import { type StageDelay, type StageName, stages } from '../../../domain/stages.ts';
import { indexPredicates } from '../../migrations/index-predicates.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** As SQL: milliseconds from one time to another. */
const milliseconds = (from: string, to: string): string =>
  `CAST(round(1000 * max(0, unixepoch(${to}, 'subsec') - unixepoch(${from}, 'subsec'))) AS INTEGER)`;

/** As SQL: the milliseconds that each item of a stage took, `ms`. `?` is the execution. */
const passages: Readonly<Partial<Record<StageName, string>>> = {
  'stf_gen → stf_ready': `(SELECT ${milliseconds('created_at', 'processed_at')} AS ms FROM stf_files WHERE execution_id = ? AND processed_at IS NOT NULL)`,
  'stf_ready → tf_file_registered': `(SELECT ${milliseconds('processed_at', 'f.created_at')} AS ms
    FROM fastmon_files AS f JOIN stf_files USING (stf_filename, execution_id) WHERE execution_id = ? AND processed_at IS NOT NULL)`,
  'slice → slice_started': `(SELECT waited_ms AS ms FROM tf_slices INDEXED BY tf_slices_waited WHERE execution_id = ? AND ${indexPredicates.waitedTime})`,
  'slice_started → slice_result': tookAs('completed'),
  'slice_started → failed result': tookAs('failed'),
};

function tookAs(status: 'completed' | 'failed'): string {
  return `(SELECT took_ms AS ms FROM tf_slices INDEXED BY tf_slices_took WHERE execution_id = ? AND status = '${status}' AND ${indexPredicates.tookTime})`;
}

/** The stages with their passages, those that anything has gone through. */
const stagesOf = (sql: Prepare, executionId: string): { passage: string; delay: StageDelay }[] =>
  stages.flatMap(({ stage }) => {
    const passage = passages[stage];
    const delay = passage === undefined ? undefined : delayOf(sql, executionId, { stage, passage });
    return passage === undefined || delay === undefined ? [] : [{ passage, delay }];
  });

/** Stages of files: there are few, and their times are texts, so each is read once. */
const ofFiles: ReadonlySet<StageName> = new Set(['stf_gen → stf_ready', 'stf_ready → tf_file_registered']);

/** Percentiles are those of the items themselves. The last item of a stage is not looked for. */
function delayOf(
  sql: Prepare,
  executionId: string,
  { stage, passage }: { stage: StageName; passage: string },
): StageDelay | undefined {
  const { items, mean, max, at } = ofFiles.has(stage)
    ? listed(sql, executionId, passage)
    : indexed(sql, executionId, passage);
  if (items === 0) return undefined;
  const seconds = (ms: number): number => Math.round(ms) / 1000;
  const part = (share: number): number => seconds(at(Math.ceil(share * items) - 1));
  return { stage, items, p50: part(0.5), p95: part(0.95), max: seconds(max), mean: seconds(mean), last_at: '' };
}

/** Milliseconds of the items of a stage. */
interface Measured {
  items: number;
  mean: number;
  max: number;
  /** The n-th from 0 in their order. */
  at: (n: number) => number;
}

function listed(sql: Prepare, executionId: string, passage: string): Measured {
  const all = sql<[string], { ms: number }>(`SELECT ms FROM ${passage}`)
    .all(executionId)
    .map(({ ms }) => ms)
    .toSorted((a, b) => a - b);
  const mean = all.reduce((sum, ms) => sum + ms, 0) / Math.max(1, all.length);
  return { items: all.length, mean, max: all.at(-1) ?? 0, at: (n) => all[n] ?? 0 };
}

function indexed(sql: Prepare, executionId: string, passage: string): Measured {
  const all = sql<[string], { items: number; mean: number | null; max: number | null }>(
    `SELECT count(*) AS items, avg(ms) AS mean, max(ms) AS max FROM ${passage}`,
  ).get(executionId);
  const nth = sql<[string, number], { ms: number }>(`SELECT ms FROM ${passage} ORDER BY ms LIMIT 1 OFFSET ?`);
  return {
    items: all?.items ?? 0,
    mean: all?.mean ?? 0,
    max: all?.max ?? 0,
    at: (n) => nth.get(executionId, n)?.ms ?? 0,
  };
}

/** How long the stages of an observed execution took, from the times that its messages tell. */
export const observedDelays = (sql: Prepare, executionId: string): StageDelay[] =>
  stagesOf(sql, executionId).map(({ delay }) => delay);

/** As SQL: the bucket of a delay, as `bucketOf` has it. */
const bucket = 'iif(ms <= 1, 0, CAST(ceil(ln(ms) / ln(1.25)) AS INTEGER))';

/** The same with how many items are of each size, for a picture. */
export const observedBuckets = (sql: Prepare, executionId: string): (StageDelay & { buckets: [number, number][] })[] =>
  stagesOf(sql, executionId).map(({ passage, delay }) => ({
    ...delay,
    buckets: sql<[string], { bucket: number; items: number }>(
      `SELECT ${bucket} AS bucket, count(*) AS items FROM ${passage} GROUP BY 1 ORDER BY 1`,
    )
      .all(executionId)
      .map((row) => [row.bucket, row.items]),
  }));
