import type { HeardFacts } from '../../../src/monitoring/heard-facts.ts';

export const now = Date.parse('2026-01-01T01:00:00.000Z');
export const ago = (seconds: number): number => now - seconds * 1000;

const nothing = { count: 0, ids: [] };

/** A running observed execution in which nothing is wrong: an STF every 10 s, and slices that take 2 s. */
export const factsOf = ({
  counts,
  ...facts
}: Partial<Omit<HeardFacts, 'counts'>> & { counts?: Partial<HeardFacts['counts']> } = {}): HeardFacts => ({
  execution_id: 'stf_datataking-tester-0001',
  told_id: 'stf_datataking-tester-0001',
  run_id: '100010',
  status: 'running',
  phase: 'physics',
  told: undefined,
  isOver: false,
  slicing: 'seen',
  hearsResults: true,
  slices_told: 0,
  unsent: nothing,
  isBusHeard: true,
  counts: {
    stf_count: 11,
    tf_files_received: 11,
    slices_created: 150,
    slices_queued: 0,
    slices_processing: 0,
    slices_completed: 150,
    slices_failed: 0,
    ...counts,
  },
  now,
  isListening: true,
  heard_since: ago(600),
  gaps: [],
  first_message: ago(500),
  last_message: ago(2),
  messages: 251,
  stf_span: { first: ago(105), last: ago(5), n: 11 },
  tf_files_sliced: 11,
  without_execution: 0,
  results_repeated: 0,
  results_unmatched: 0,
  first_slice: ago(100),
  last_slice: ago(5),
  oldest_waiting: undefined,
  last_result: ago(2),
  passed: nothing,
  unsliced: nothing,
  unready: nothing,
  failed: { ...nothing, isFinal: false },
  first_failure: undefined,
  until: ago(0),
  causes: [],
  failing: undefined,
  concentration: undefined,
  slowest: undefined,
  slow_slots: undefined,
  slower: undefined,
  delays: [
    {
      stage: 'slice_started → slice_result',
      items: 150,
      mean: 2,
      p50: 2,
      p95: 3,
      max: 4,
      last_at: '2026-01-01T00:59:58.000Z',
    },
  ],
  ramp_up: undefined,
  last_worker_sign: ago(4),
  shrunken: undefined,
  broken_keys: [],
  ...facts,
});
