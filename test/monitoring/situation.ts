import { executionParamsSchema } from '../../src/domain/params.ts';
import type { Evidence } from '../../src/monitoring/evidence.ts';
import type { Facts } from '../../src/monitoring/facts.ts';
import type { Judgement, Situation } from '../../src/monitoring/findings/rule.ts';
import { healthOf } from '../../src/monitoring/health.ts';
import { paceOf } from '../../src/monitoring/pace.ts';

const now = Date.parse('2026-01-01T01:00:00.000Z');

/** The time this many seconds before the moment of a situation. */
export const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

/** Tests name the process as the driver that it is. */
type GivenEvidence = Omit<Evidence, 'process'> & { driver: Evidence['process'] };

export type Given = Partial<{
  facts: Partial<Facts>;
  counts: Partial<Facts['counts']>;
  params: object;
  evidence: Partial<GivenEvidence>;
  judged: Partial<Judgement>;
}>;

/** An execution in which nothing is wrong: it runs, is driven, and slices take two seconds. Tests give what differs. */
export function factsOf({ facts = {}, counts = {}, params = {} }: Given = {}): Facts {
  const parsed = executionParamsSchema.parse(params);
  return {
    now,
    until: facts.end_time ? Date.parse(facts.end_time) : now,
    ahead_seconds: 0,
    status: 'running',
    phase: 'physics',
    start_time: ago(600),
    end_time: null,
    phase_changed_at: ago(590),
    isHeld: false,
    params: { ...parsed, speed: 1 },
    hasChangedSpeed: false,
    isOverBroker: false,
    broker_away_since: undefined,
    slots: 30,
    counts: {
      stf_count: 10,
      tf_files_received: 10,
      slices_created: 150,
      slices_queued: 0,
      slices_processing: 0,
      slices_completed: 150,
      slices_failed: 0,
      ...counts,
    },
    stfs_ready: 10,
    samples_expected: 10,
    samples_of_unready: 0,
    slices_expected: 150,
    stf_planned: 20,
    slices_planned: 300,
    slices_final: 150,
    slice_retries: 0,
    delays: [{ stage: 'slice_started → slice_result', items: 100, mean: 2, p50: 2, p95: 2, max: 3, last_at: ago(3) }],
    first_stf_at: ago(580),
    last_stf_at: ago(2),
    waiting_since: {},
    standbys: [],
    first_slice_at: ago(575),
    failing: undefined,
    idle: [],
    in_hand: [],
    others_in_hand: 0,
    lost: [],
    driver: { alive: true, silent: false, since: ago(600) },
    ...facts,
  };
}

const evidence: GivenEvidence = {
  execution_id: 'stf_datataking-tester-0001',
  status_reason: null,
  driver: { pid: 4711, hostname: 'host-a', last_sign: ago(2), alive: true, silent: false },
  drivers: [],
  agents: [],
  lost_starts: [],
  missing: [],
  behind: [],
  take_ups: 0,
  unfit: [],
  off_duty: [],
  useless: [],
  unanswered: [],
  gone: [],
  first_error: undefined,
  first_failure: undefined,
  concentration: undefined,
  by_worker: [],
  slowest: undefined,
  slow_slots: undefined,
  slower: undefined,
  pending_stop: undefined,
  stopped_by: undefined,
  failed: { count: 0, ids: [], isFinal: true },
  given_up: 0,
  begun_again: 0,
  payload_change: undefined,
  slices_retried: 0,
  causes: [],
  paused_by: undefined,
  refused: { count: 0, ids: [] },
  waiting: { count: 0, ids: [] },
  data_as_of: ago(1),
  unreadable: [],
};

export function situationOf(given: Given = {}): Situation {
  const facts = factsOf(given);
  const judged = { health: healthOf(facts, []), stages: [], pace: paceOf(facts), capacity: undefined, left: undefined };
  const { driver: process, ...others } = { ...evidence, ...given.evidence };
  return { ...others, process, ...facts, ...judged, ...given.judged };
}
