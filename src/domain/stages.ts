import { rounded } from '../lib/rounded.ts';

/**
 * The stages of the data, in order. Each stage lies between two messages and is the work of one agent type.
 * `words` describes the stage for people, by the events at its start and end. The position of a stage in this
 * list is its number in the store: append only.
 */
export const stages = [
  { stage: 'stf_gen → stf_ready', agent: 'data', words: 'STF file made → ready' },
  { stage: 'stf_ready → tf_file_registered', agent: 'fastmon', words: 'STF file ready → TF sample made' },
  { stage: 'tf_file_registered → slice', agent: 'fast_processing', words: 'TF sample made → slice queued' },
  { stage: 'slice → slice_started', agent: 'worker', words: 'slice queued → begun' },
  { stage: 'slice_started → slice_result', agent: 'worker', words: 'slice begun → completed' },
  // A failure may take much more or less time than a success, so it does not show how long a slice usually
  // takes.
  { stage: 'slice_started → failed result', agent: 'worker', words: 'slice begun → failed' },
] as const;

/**
 * The stages of prompt processing, as reported to the testbed's monitor. Executions run by swf-mcp do not
 * have them.
 */
const promptStages = [
  { stage: 'stf_gen → registered', words: 'STF file made → registered' },
  { stage: 'registered → processed', words: 'STF file registered → processed' },
] as const;

export type StageName = (typeof stages | typeof promptStages)[number]['stage'];

const wordsOf = new Map<string, string>([...stages, ...promptStages].map(({ stage, words }) => [stage, words]));
const names = new RegExp(`\\b(?:${[...wordsOf.keys()].join('|')})\\b`, 'g');

/**
 * Rewords a stage, or a sentence about stages, for people. Tool answers name a stage by its two messages.
 */
export const stagesForPeople = (text: string) => text.replaceAll(names, (name) => wordsOf.get(name) ?? name);

/** How long a stage took for all its items in an execution, in seconds of wall time. */
export interface StageDelay extends Record<'items' | 'p50' | 'p95' | 'max', number> {
  stage: StageName;
}

/** The figures that answers give for a delay. */
export const shownDelay = ({ stage, items, p50, p95, max }: StageDelay) => ({ stage, items, p50, p95, max });

/** The delay of a stage whose items were counted as they passed. */
export interface CountedDelay extends StageDelay {
  mean: number;
  /** When the last item left the stage. */
  last_at: string;
}

/**
 * A bucket of similar delays. The upper limit of each bucket is a quarter higher than that of the previous
 * bucket, so a percentile read from the mean of its bucket is usually off by no more than about a tenth.
 */
export interface DelayBucket {
  bucket: number;
  items: number;
  total: number;
  longest: number;
  latest: string;
}

const growth = 1.25;
const minSeconds = 0.001;

/** The bucket that a delay belongs to: bucket 0 for up to a millisecond, the resolution of recorded times. */
export const bucketOf = (seconds: number) =>
  seconds <= minSeconds ? 0 : Math.ceil(Math.log(seconds / minSeconds) / Math.log(growth));

/**
 * The percentiles of a stage.
 * @param buckets at least one bucket, in the order of their sizes
 */
export function summarizeStage(stage: StageName, buckets: readonly DelayBucket[]): CountedDelay {
  const items = buckets.reduce((sum, bucket) => sum + bucket.items, 0);
  const total = buckets.reduce((sum, bucket) => sum + bucket.total, 0);
  const max = buckets.reduce((most, { longest }) => Math.max(most, longest), 0);
  const last_at = buckets.reduce((last, { latest }) => (latest > last ? latest : last), '');
  const at = (part: number) => {
    let below = 0;
    for (const bucket of buckets) {
      below += bucket.items;
      if (below >= part * items) return bucket.total / bucket.items;
    }
    return max;
  };
  return {
    stage,
    items,
    p50: rounded(at(0.5)),
    p95: rounded(at(0.95)),
    max: rounded(max),
    mean: rounded(total / items),
    last_at,
  };
}
