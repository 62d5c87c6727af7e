import { describe, expect, it } from 'vitest';

import { findingsOf } from '../../src/monitoring/findings/index.ts';
import { agent, driver, gone, inHand, offDuty, stage, undriven } from './parts.ts';
import { ago, type Given, situationOf } from './situation.ts';

const lost = (seconds: number, slot?: string) => ({ ...inHand(seconds, slot), isLost: true });
const capacity = (more: object = {}) => ({
  service_seconds: 30.04,
  workers: 30,
  arrival_rate: 7.14,
  workers_needed: 215,
  keeps_up: false,
  backlog: 500,
  backlog_seconds: 500,
  drain_seconds: undefined,
  ...more,
});
const delays = (mean: number, waited: number) => [
  {
    stage: 'slice → slice_started' as const,
    items: 99,
    mean: waited,
    p50: waited,
    p95: waited,
    max: waited,
    last_at: ago(5),
  },
  { stage: 'slice_started → slice_result' as const, items: 99, mean, p50: mean, p95: mean, max: mean, last_at: ago(3) },
];
const cause = (name: string, attempts: number) => ({ cause: name, attempts, example: undefined });
const payload = { worker: { payload: ['recon.sh'], timeout_seconds: 90 } };
const failures = (count: number, ids = ['a.tf']) => ({ count, ids, isFinal: true });
const failed = { status: 'failed', end_time: ago(5) } as const;
const numbers = (n: number): number[] => Array.from({ length: n }, (_, at) => at + 1);
const overBroker = { isOverBroker: true, delays: [] };

/** Situations in which the sentence of a finding differs from the usual one. */
const situations: Readonly<Record<string, Given>> = {
  'too few workers in a run that never ends': { facts: { stf_planned: undefined }, judged: { capacity: capacity() } },
  'too few workers, one slice waiting': { judged: { capacity: capacity({ backlog: 1 }) } },
  'enough workers': { judged: { capacity: capacity({ workers_needed: 30 }) } },
  'no backlog': { judged: { capacity: capacity({ backlog: 0 }) } },
  'no worker at all': { judged: { capacity: capacity({ workers: 0 }) } },
  'figures that are not known': { judged: { capacity: { service_seconds: 30 } as never } },
  'too few workers in a pause': { facts: { isHeld: true }, judged: { capacity: capacity() } },
  'too few workers in standby': { facts: { phase: 'standby' }, judged: { capacity: capacity() } },
  'too few workers after the DAQ': { facts: { phase: 'completed' }, judged: { capacity: capacity() } },
  'too few workers without a driver': { facts: undriven, evidence: { driver: gone }, judged: { capacity: capacity() } },
  'too few workers in a stopped run': {
    facts: { status: 'terminated', slices_final: 150, slices_planned: 150 },
    judged: { capacity: capacity({ drain_seconds: 900 }) },
  },
  'were too few workers': {
    facts: { status: 'completed', delays: delays(30, 31) },
    judged: { capacity: capacity({ drain_seconds: 90.4, workers_needed: 150 }) },
  },
  'were too few workers, but slices waited in a pause, or for a driver': {
    facts: {
      status: 'completed',
      delays: delays(30, 31),
      idle: [{ from: Date.parse(ago(300)), until: Date.parse(ago(298.5)) }],
    },
    judged: { capacity: capacity({ drain_seconds: 900, workers_needed: 150 }) },
  },
  'were too few workers, but a slot is slow': {
    facts: { status: 'completed', delays: delays(30, 31) },
    evidence: { slow_slots: { slots: [{ slot: 'w/07', seconds: 90, slices: 12 }], others_seconds: 30 } },
    judged: { capacity: capacity({ drain_seconds: 900, workers_needed: 150 }) },
  },
  'were too few workers, but slices take longer and longer': {
    facts: { status: 'completed', delays: delays(30, 31) },
    evidence: { slower: { isMachineKnown: true, first_seconds: 20, last_seconds: 50 } },
    judged: { capacity: capacity({ drain_seconds: 900, workers_needed: 150 }) },
  },
  'were too few workers, but few slices waited': {
    facts: { status: 'completed', delays: delays(30, 30) },
    judged: { capacity: capacity({ drain_seconds: 900, workers_needed: 150 }) },
  },
  'were too few workers, for a moment': {
    facts: { status: 'completed', delays: delays(30, 31) },
    judged: { capacity: capacity({ drain_seconds: 90, workers_needed: 150 }) },
  },
  'more workers than slices would have been needed': {
    facts: { status: 'completed', delays: delays(30, 31) },
    judged: { capacity: capacity({ drain_seconds: 900, workers_needed: 151 }) },
  },
  'workers that kept up': {
    facts: { status: 'completed', delays: delays(30, 31) },
    judged: { capacity: capacity({ drain_seconds: 900, keeps_up: true, workers_needed: 20 }) },
  },
  'an unknown time after the DAQ': {
    facts: { status: 'completed', delays: delays(30, 31) },
    judged: { capacity: capacity({ workers_needed: 150 }) },
  },
  'stopped before all was made': { facts: { status: 'terminated', end_time: ago(5) } },
  'stopped with everything made and done': { facts: { status: 'terminated', end_time: ago(5), slices_planned: 150 } },
  'failed with everything that was made done': { facts: failed, evidence: { status_reason: 'fastmon failed 3 times' } },
  'stopped without a plan': { facts: { status: 'terminated', end_time: ago(5), slices_planned: undefined } },
  'stopped with slices that nobody had in hand': {
    facts: { status: 'terminated', slices_final: 140, end_time: ago(5) },
  },
  'completed with slices left, which cannot be': {
    facts: { status: 'completed', slices_final: 140, end_time: ago(5) },
  },
  'one agent missing, and work waits for it': {
    facts: overBroker,
    evidence: { missing: ['data'] },
    judged: { stages: [stage('data', 'stuck'), stage('fastmon', 'slow')] },
  },
  'workers missing, and slices wait for them': {
    facts: { ...overBroker, waiting_since: { worker: ago(50) } },
    counts: { slices_queued: 5 },
    params: { fast_processing: { slice_processing_time: 2 } },
    evidence: { missing: ['worker'] },
    judged: { stages: [stage('worker', 'slow')] },
  },
  'an agent missing without work for it': {
    facts: overBroker,
    evidence: { missing: ['data'] },
    judged: { stages: [{ ...stage('data', 'stuck'), waiting: 0 }] },
  },
  'an agent missing while the broker is away': {
    facts: { ...overBroker, broker_away_since: ago(30) },
    evidence: { missing: ['data'] },
  },
  'an agent missing without a driver': {
    facts: { ...overBroker, ...undriven },
    evidence: { missing: ['data'], driver: gone },
  },
  'an agent missing in a run that is over': {
    facts: { ...overBroker, status: 'completed' },
    evidence: { missing: ['data'] },
  },
  'an agent missing just after a take-up': {
    facts: { ...overBroker, driver: { alive: true, silent: false, since: ago(15) } },
    evidence: { missing: ['data'] },
  },
  'workers missing, the last heard of lately': {
    facts: { isOverBroker: true, delays: delays(2, 1) },
    evidence: { missing: ['worker'] },
  },
  'workers missing, the last heard of long ago': {
    facts: { isOverBroker: true, delays: delays(2, 1).map((one) => ({ ...one, last_at: ago(60) })) },
    evidence: { missing: ['worker'] },
  },
  'an agent of this process gone': {
    evidence: { agents: [agent({ status: 'STALE', isRemote: false, last_heartbeat: ago(31) })] },
  },
  'agents gone with slices in hand': {
    facts: { lost: [lost(80), lost(79, '08')] },
    evidence: { agents: [agent({ status: 'STALE' })] },
  },
  'an agent gone whose slices others started again': {
    evidence: {
      agents: [agent({ status: 'STALE' })],
      lost_starts: [
        {
          slice_filename: 'a_slice_001.tf',
          worker: `${agent({}).agent_name}/01`,
          status: 'completed',
          worker_now: 'w/02',
        },
        {
          slice_filename: 'a_slice_002.tf',
          worker: `${agent({}).agent_name}/02`,
          status: 'processing',
          worker_now: 'w/03',
        },
        {
          slice_filename: 'a_slice_003.tf',
          worker: 'worker-agent-other-1/01',
          status: 'processing',
          worker_now: 'w/04',
        },
      ],
    },
  },
  'seven agents gone': {
    evidence: {
      agents: Array.from({ length: 7 }, (_, n) => agent({ status: 'STALE', agent_name: `worker-agent-rita-${n}` })),
    },
  },
  'an agent that ended cleanly': { evidence: { agents: [agent({ status: 'STALE', state: 'EXITED' })] } },
  'an agent gone while the broker is away': {
    facts: { isOverBroker: true, broker_away_since: ago(30) },
    evidence: { agents: [agent({ status: 'STALE' })] },
  },
  'an agent gone without a driver': {
    facts: undriven,
    evidence: { driver: gone, agents: [agent({ status: 'STALE' })] },
  },
  'an agent gone after the end': { facts: { status: 'completed' }, evidence: { agents: [agent({ status: 'STALE' })] } },
  'a slice overdue, and all slots taken': {
    facts: { in_hand: [inHand(14)], slots: 1 },
    counts: { slices_processing: 1 },
  },
  'slices overdue over a broker': {
    facts: {
      in_hand: [inHand(16), inHand(14, '08'), inHand(13, '09'), inHand(12, '10')],
      isOverBroker: true,
      slots: 1,
    },
    counts: { slices_processing: 4 },
  },
  'a payload overdue': {
    facts: { in_hand: [inHand(61)], delays: [] },
    counts: { slices_processing: 1 },
    params: payload,
  },
  'a slice overdue without a driver': {
    facts: { in_hand: [inHand(61)], ...undriven },
    evidence: { driver: gone },
    counts: { slices_processing: 1 },
  },
  'a slice overdue after the end': { facts: { in_hand: [inHand(61)], status: 'completed' } },
  'the clock behind': { evidence: { agents: [agent({ last_heartbeat: ago(1), clock_offset: -2.5 })] } },
  'two clocks off, one seen twice': {
    evidence: {
      agents: [
        agent({ last_heartbeat: ago(1), clock_offset: 3 }),
        agent({ last_heartbeat: ago(1), agent_name: 'data-agent-rita-2', hostname: 'host-c', clock_offset: -4 }),
        agent({ last_heartbeat: ago(1), agent_name: 'worker-agent-rita-6', clock_offset: 3 }),
      ],
    },
  },
  'a row of the future': { facts: { ahead_seconds: 420 } },
  'an empty store': { evidence: { data_as_of: undefined } },
  'a driver gone over a broker': {
    facts: { ...undriven, isOverBroker: true },
    evidence: { driver: gone, drivers: [driver({ until: ago(40), ended: 'lost' })] },
  },
  'a driver gone while an operator holds the run': {
    facts: { ...undriven, isHeld: true },
    evidence: {
      driver: gone,
      drivers: [driver({ until: ago(40), ended: 'lost' })],
      paused_by: { name: 'maria', sent_by: 'maria', time: ago(100), reason: 'beam dump' },
    },
  },
  'taken over, and stopped later': {
    facts: { status: 'terminated' },
    evidence: {
      drivers: [driver({ until: ago(300), ended: 'lost' }), driver({ epoch: 2, since: ago(200), pid: 4712 })],
      stopped_by: { name: 'rita', time: ago(100) },
    },
  },
  'taken over only to be stopped': {
    facts: { status: 'terminated' },
    evidence: {
      drivers: [driver({ until: ago(300), ended: 'lost' }), driver({ epoch: 2, since: ago(200), pid: 4712 })],
      stopped_by: { name: 'rita', time: ago(201) },
    },
  },
  'just being stopped after its driver was gone': {
    evidence: {
      drivers: [driver({ until: ago(300), ended: 'lost' }), driver({ epoch: 2, since: ago(200), pid: 4712 })],
      pending_stop: { name: 'rita', time: ago(201) },
    },
  },
  'a driver interrupted': {
    facts: undriven,
    evidence: { driver: gone, drivers: [driver({ until: ago(40), ended: 'interrupted' })] },
  },
  'a driver gone after the end': {
    facts: { ...undriven, status: 'completed' },
    evidence: { driver: gone, drivers: [driver({ until: ago(40), ended: 'lost' })] },
  },
  'a fault without words': {
    facts: undriven,
    evidence: { driver: gone, drivers: [driver({ until: ago(40), ended: 'fault', pid: undefined })] },
  },
  'a fault that names its cure': {
    facts: undriven,
    evidence: {
      driver: gone,
      drivers: [
        driver({
          until: ago(40),
          ended: 'fault',
          code: 'X',
          reason: 'run "swf-mcp resume stf_datataking-tester-0001".',
        }),
      ],
    },
  },
  'a fault that is over': {
    evidence: {
      driver: { ...gone, alive: true },
      drivers: [driver({ until: ago(40), ended: 'fault' }), driver({ epoch: 2 })],
    },
  },
  'taken up in vain without a fault': {
    facts: undriven,
    evidence: { take_ups: 4, driver: gone, drivers: [driver({ until: ago(40), ended: 'lost' })] },
  },
  'taken up in vain by a fault without a code': {
    facts: undriven,
    evidence: {
      take_ups: 3,
      driver: gone,
      drivers: [driver({ until: ago(40), ended: 'fault', reason: 'out of luck' })],
    },
  },
  'taken up often, but driven': { evidence: { take_ups: 3, driver: { ...gone, alive: true }, drivers: [driver()] } },
  'drivers that fail often without words': {
    evidence: {
      drivers: [50, 20, 5].map((seconds, index) => driver({ epoch: index + 1, until: ago(seconds), ended: 'fault' })),
    },
  },
  'drivers that were lost often': {
    evidence: {
      drivers: [50, 20, 5].map((seconds, index) =>
        driver({ epoch: index + 1, until: ago(seconds), ended: 'interrupted' }),
      ),
    },
  },
  'drivers that failed often in a run that is over': {
    facts: { status: 'completed' },
    evidence: {
      drivers: [50, 20, 5].map((seconds, index) => driver({ epoch: index + 1, until: ago(seconds), ended: 'fault' })),
    },
  },
  'paused by nobody known': { facts: { isHeld: true, phase: 'standby' } },
  'paused without a reason, by a claimed name': {
    facts: { isHeld: true },
    evidence: { paused_by: { name: 'rita', sent_by: 'mcp', claimed_by: 'rita', time: ago(100) } },
  },
  'paused while the driver is silent': {
    facts: { isHeld: true, driver: { alive: true, silent: true, since: ago(600) } },
    evidence: { driver: { ...gone, alive: true } },
  },
  'paused without a driver from here': { facts: { isHeld: true, driver: undefined } },
  'paused and over': { facts: { isHeld: true, status: 'completed' } },
  'resumed once, nothing started again': {
    evidence: { drivers: [driver({ until: ago(300), ended: 'lost' }), driver({ epoch: 2, since: ago(290) })] },
  },
  'resumed often, earlier drivers forgotten': {
    evidence: {
      begun_again: 1,
      drivers: [driver({ epoch: 7, until: ago(300), ended: 'lost' }), driver({ epoch: 8, since: ago(290) })],
    },
  },
  'one slice failed of an unknown first': {
    counts: { slices_failed: 1 },
    evidence: { failed: failures(1), causes: [cause('x'.repeat(161), 1)] },
  },
  'slices failed of many causes': {
    counts: { slices_failed: 2 },
    evidence: { failed: failures(2), causes: [cause('a', 2), cause('b', 2), cause('c', 1)] },
  },
  'slices failed of very many causes': {
    counts: { slices_failed: 2 },
    evidence: {
      failed: failures(2),
      causes: [cause('a', 997), cause('b', 1), cause('c', 1), cause('d', 1)],
    },
  },
  'slices failed in a run that is over': {
    facts: { status: 'completed' },
    counts: { slices_failed: 2 },
    evidence: { failed: failures(2, []) },
  },
  'one slice tried again': { facts: { slice_retries: 1 }, evidence: { slices_retried: 1 } },
  'slices tried again and one failed': {
    facts: { slice_retries: 4 },
    counts: { slices_failed: 1 },
    evidence: { slices_retried: 2, failed: failures(1, []), causes: [cause('a', 4)] },
  },
  'no worker for one slice': {
    evidence: {
      unfit: [{ reason: 'NO_FILE', kind: '/data', slices: 1, hostname: 'host-b', detail: null, agent: 'w', others: 0 }],
    },
  },
  'no worker for slices, with very many words': {
    evidence: {
      unfit: [
        {
          reason: 'NO_FILE',
          kind: '/data',
          slices: 2,
          hostname: 'host-b',
          detail: 'why '.repeat(200),
          agent: 'w',
          others: 2,
        },
      ],
    },
  },
  'no worker for slices of a run that is over': {
    facts: { status: 'completed' },
    evidence: {
      unfit: [{ reason: 'NO_FILE', kind: '/data', slices: 1, hostname: 'host-b', detail: null, agent: 'w', others: 0 }],
    },
  },
  'a worker off duty for each reason': {
    evidence: {
      off_duty: [
        offDuty(),
        offDuty({ reason: 'NO_FILE', kind: '/data', slots: null }),
        offDuty({ reason: 'WRONG_FILE', kind: 'a.tf', since: undefined }),
        offDuty({ reason: 'MOOD' }),
      ],
    },
  },
  'a worker off duty that another finding tells': {
    evidence: {
      off_duty: [offDuty()],
      unfit: [
        { reason: 'NO_PAYLOAD', kind: 'recon.sh', slices: 1, hostname: 'host-b', detail: null, agent: 'w', others: 0 },
      ],
    },
  },
  'a worker off duty for another kind': {
    evidence: {
      off_duty: [offDuty({ kind: 'other.sh' })],
      unfit: [
        { reason: 'NO_PAYLOAD', kind: 'recon.sh', slices: 1, hostname: 'host-b', detail: null, agent: 'w', others: 0 },
      ],
    },
  },
  'a data agent off duty that another finding tells': {
    evidence: {
      off_duty: [offDuty({ agent: 'd', agent_type: 'data' })],
      unanswered: [
        {
          role: 'data',
          files: 1,
          first: 'a.stf',
          since: ago(90),
          off_duty: { agent: 'd', hostname: 'host-b', detail: 'it is not shared' },
        },
      ],
    },
  },
  'a worker that rests': {
    evidence: {
      off_duty: [
        offDuty({
          reason: 'FAILING',
          kind: 'e',
          detail: 'w rests until 2026-12-01T10:00:10Z: its last 3 attempts failed',
        }),
      ],
    },
  },
  'four slots of a worker that rest, and one of another': {
    evidence: {
      off_duty: [
        ...['18', '17', '20'].map((slot) =>
          offDuty({ reason: 'FAILING', kind: 'e', detail: `w/${slot} rests until 2026-12-01T10:00:10Z: no room` }),
        ),
        offDuty({ reason: 'FAILING', kind: 'e', detail: 'w/19 waits: no room' }),
        offDuty({ agent: 'v', reason: 'FAILING', kind: 'e', detail: undefined }),
      ],
    },
  },
  'a worker off duty without a driver': { facts: undriven, evidence: { driver: gone, off_duty: [offDuty()] } },
  'a worker off duty after the end': { facts: { status: 'completed' }, evidence: { off_duty: [offDuty()] } },
  'every stage stuck': {
    facts: { waiting_since: { worker: ago(50) }, delays: [] },
    counts: { slices_queued: 5 },
    params: { fast_processing: { slice_processing_time: 2 } },
    judged: {
      stages: (['daq_simulator', 'data', 'fastmon', 'fast_processing', 'worker'] as const).map((name) =>
        stage(name, 'stuck'),
      ),
    },
  },
  'a stage stuck without a driver': {
    facts: undriven,
    evidence: { driver: gone },
    judged: { stages: [stage('data', 'stuck')] },
  },
  'a stage stuck after the end': { facts: { status: 'completed' }, judged: { stages: [stage('data', 'stuck')] } },
  'a worker gone with slices, and its agent known': { facts: { lost: [lost(80), lost(70, '08')] } },
  'the broker away without a driver': {
    facts: { ...undriven, isOverBroker: true, broker_away_since: ago(30) },
    evidence: { driver: gone },
  },
  'the broker away after the end': {
    facts: { isOverBroker: true, status: 'completed', broker_away_since: ago(30) },
  },
  'a driver silent after the end': {
    facts: { status: 'completed', driver: { alive: true, silent: true, since: ago(600) } },
    evidence: { driver: { ...gone, alive: true } },
  },
  'a slow slice of an unknown worker': { evidence: { slowest: { slice_filename: 'a.tf', worker: null, seconds: 58 } } },
  'a slow slice, and nothing known of others': {
    facts: { delays: [] },
    evidence: { slowest: { slice_filename: 'a.tf', worker: 'w', seconds: 58 } },
  },
  'nothing succeeds, of many attempts': {
    facts: {
      failing: { attempts: 500, firstAttempts: 90, isMore: true, since: Date.parse(ago(40)), last_done: undefined },
    },
  },
  'nothing ever succeeded': {
    facts: {
      status: 'completed',
      end_time: ago(5),
      failing: { attempts: 10, firstAttempts: 5, isMore: false, since: Date.parse(ago(15)), last_done: undefined },
    },
    counts: { slices_completed: 0, slices_created: 150 },
  },
  'nothing succeeds for less than ten seconds': {
    facts: {
      failing: { attempts: 10, firstAttempts: 5, isMore: false, since: Date.parse(ago(9.9)), last_done: undefined },
    },
  },
  'nothing succeeds of nine attempts': {
    facts: {
      failing: { attempts: 9, firstAttempts: 5, isMore: false, since: Date.parse(ago(90)), last_done: undefined },
    },
  },
  'nothing succeeds of four slices': {
    facts: {
      failing: { attempts: 12, firstAttempts: 4, isMore: false, since: Date.parse(ago(90)), last_done: undefined },
    },
  },
  'failures on five slots': {
    evidence: {
      concentration: {
        kind: 'slot',
        places: ['a', 'b', 'c', 'd', 'e'],
        failed: 9,
        tried: 10,
        failed_elsewhere: 2,
        tried_elsewhere: 90,
        errors: [],
      },
    },
  },
  'failures of one STF file': {
    evidence: {
      concentration: {
        kind: 'STF file',
        places: ['b.stf'],
        failed: 4,
        tried: 4,
        failed_elsewhere: 0,
        tried_elsewhere: 41,
        errors: Array.from({ length: 4 }, () => 'no calibration.db'),
      },
    },
  },
  'a stop that waits, without a reason': { evidence: { pending_stop: { name: 'rita', time: ago(20) } } },
  'a stop that waits without a driver': {
    facts: undriven,
    evidence: { driver: gone, pending_stop: { name: 'rita', time: ago(20) } },
  },
  'a stop that waits without a driver, over a broker': {
    facts: { ...undriven, ...overBroker },
    evidence: { driver: gone, pending_stop: { name: 'rita', time: ago(20) } },
  },
  'one message refused': { evidence: { refused: { count: 1, ids: ['a'] } } },
  'one message waiting': { evidence: { waiting: { count: 1, ids: ['a'] } } },
  'parts that cannot be read': { evidence: { unreadable: ['logs', 'agents'] } },
};

describe('a finding', () => {
  it('has exactly the recorded sentence in each variant of its situation', async () => {
    const told = Object.entries(situations).map(([title, given]) => [
      title,
      findingsOf({ driving: situationOf(given) }),
    ]);
    const golden = JSON.stringify(Object.fromEntries(told), null, 2);
    await expect(`${golden}\n`).toMatchFileSnapshot('../golden/finding-variants.json');
  });
});

it('work that agents cannot do is listed for up to twenty slots and kinds, and the rest is counted', () => {
  const off_duty = [
    ...numbers(30).map((n) => offDuty({ reason: 'FAILING', kind: 'e', detail: `w/${n} waits: no room` })),
    ...numbers(30).map((n) => offDuty({ reason: 'NO_FILE', kind: `http://host-${n}` })),
  ];
  const of = { reason: 'NO_FILE', slices: 1, hostname: 'host-b', detail: null, agent: 'w', others: 0 };
  const unfit = numbers(21).map((n) => ({ ...of, kind: `http://place-${n}` }));
  const sentencesOf = (code: string): string[] =>
    findingsOf({ driving: situationOf({ evidence: { off_duty, unfit } }) })
      .filter((finding) => finding.code === code)
      .map(({ sentence }) => sentence);
  const [resting, ...kinds] = sentencesOf('WORKER_OFF_DUTY');
  expect(resting).toMatch(/no room\. Slots 10, 11(?:, \d+){17} and 10 more take no slices either\. /);
  expect(kinds).toHaveLength(20);
  expect(kinds.filter((sentence) => sentence.includes(' more '))).toEqual([
    expect.stringMatching(/http:\/\/host-20\. .* The same applies to 10 more kinds of work\.$/),
  ]);
  const waiting = sentencesOf('NO_WORKER_FOR');
  expect(waiting).toHaveLength(20);
  expect(waiting.at(-1)).toMatch(/ The same applies to 1 more kind of work\.$/);
});
