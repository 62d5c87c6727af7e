import { describe, expect, it } from 'vitest';

import type { DriverSpan } from '../../src/monitoring/evidence.ts';
import { findingRules, findingsOf } from '../../src/monitoring/findings/index.ts';
import { agent, driver, gone, inHand, offDuty, stage, undriven } from './parts.ts';
import { ago, type Given, situationOf } from './situation.ts';

const withoutPayload = offDuty({ detail: 'slices require the payload recon.sh, but this worker has none' });

/** A situation for every finding, each with nothing else wrong. */
const situations: Readonly<Record<string, Given>> = {
  EXECUTION_FAILED: {
    facts: { status: 'failed', end_time: ago(5) },
    evidence: {
      status_reason: 'fastmon failed 3 times',
      first_error: { timestamp: ago(9), agent: 'fastmon-agent-rita-3', message: 'no room' },
    },
  },
  WORK_UNDONE: {
    facts: { status: 'terminated', slices_final: 140, end_time: ago(5) },
    evidence: { given_up: 4 },
  },
  TAKE_UP_FAILED: {
    facts: undriven,
    evidence: {
      take_ups: 3,
      driver: gone,
      drivers: [driver({ until: ago(40), ended: 'fault', code: 'DATA_UNAVAILABLE', reason: '/data is full (ENOSPC)' })],
    },
  },
  DRIVER_FAULT: {
    facts: undriven,
    evidence: {
      driver: gone,
      drivers: [driver({ until: ago(40), ended: 'fault', code: 'DATA_UNAVAILABLE', reason: '/data is full (ENOSPC)' })],
    },
  },
  DRIVER_SILENT: {
    facts: { driver: { alive: true, silent: true, since: ago(600) } },
    evidence: { driver: { ...gone, alive: true } },
  },
  DRIVER_GONE: { facts: undriven, evidence: { driver: gone, drivers: [driver({ until: ago(40), ended: 'lost' })] } },
  BROKER_AWAY: { facts: { isOverBroker: true, broker_away_since: ago(30) } },
  PAUSED: {
    facts: { isHeld: true },
    evidence: { paused_by: { name: 'mcp', sent_by: 'mcp', time: ago(100), reason: 'beam dump' } },
  },
  TAKEN_UP: {
    evidence: {
      begun_again: 2,
      drivers: [
        driver({ until: ago(300), ended: 'lost' }),
        driver({ epoch: 2, since: ago(200), by: 'otto', pid: 4712 }),
      ],
    },
  },
  PAYLOAD_CHANGED: {
    evidence: { payload_change: { at: ago(200), before: 'recon.sh sha256:0123…', now: 'recon.sh sha256:4567…' } },
  },
  NOTHING_SUCCEEDS: {
    facts: {
      failing: {
        attempts: 12,
        firstAttempts: 6,
        isMore: false,
        since: Date.parse(ago(40)),
        last_done: Date.parse(ago(45)),
      },
    },
    evidence: { causes: [{ cause: 'exit code 1', attempts: 12, example: undefined }] },
  },
  FAILURES_ON_ONE: {
    evidence: {
      concentration: {
        kind: 'slot',
        places: ['worker-agent-rita-5/04'],
        failed: 11,
        tried: 11,
        failed_elsewhere: 0,
        tried_elsewhere: 139,
        errors: ['exit code 127: libtrack.so.3 is missing', 'exit code 127: libtrack.so.3 is missing'],
      },
    },
  },
  STOP_PENDING: {
    evidence: { pending_stop: { name: 'rita', time: ago(20), reason: 'wrong trigger table' } },
  },
  SLICE_SLOW: {
    evidence: {
      slowest: { slice_filename: 'swf.100010.000001_slice_003.tf', worker: 'worker-agent-rita-5/07', seconds: 58 },
    },
  },
  SLOT_SLOW: {
    evidence: {
      slow_slots: { slots: [{ slot: 'worker-agent-rita-5/07', seconds: 4.3, slices: 38 }], others_seconds: 1 },
    },
  },
  SLICES_SLOWER: { evidence: { slower: { isMachineKnown: true, first_seconds: 0.62, last_seconds: 1.24 } } },
  SLICE_OVERDUE: { facts: { in_hand: [inHand(20)] }, counts: { slices_processing: 1 } },
  STAGE_STUCK: { judged: { stages: [stage('fastmon', 'stuck')] } },
  STAGE_SLOW: { judged: { stages: [stage('fastmon', 'slow')] } },
  AGENT_MISSING: { facts: { isOverBroker: true, delays: [] }, evidence: { missing: ['data', 'worker'] } },
  AGENT_GONE: { facts: { lost: [inHand(80)] }, evidence: { agents: [agent({ status: 'STALE' })] } },
  WORKER_GONE: { facts: { lost: [inHand(80)] } },
  FILE_GONE: {
    evidence: { gone: [{ hostname: 'host-b', files: 2, first: 'swf.100010.000001_tf_001.tf', since: ago(90) }] },
  },
  NO_WORKER_FOR: {
    evidence: {
      unfit: [
        {
          reason: 'NO_PAYLOAD',
          kind: 'recon.sh',
          slices: 15,
          hostname: 'host-b',
          detail: withoutPayload.detail ?? null,
          agent: withoutPayload.agent,
          others: 1,
        },
      ],
    },
  },
  WORKER_USELESS: {
    evidence: {
      useless: [
        { agent: 'worker-agent-rita-5', hostname: 'host-b', unheard_since: undefined },
        { agent: 'stranger', hostname: 'host-c', unheard_since: ago(50) },
      ],
    },
  },
  WORKER_OFF_DUTY: {
    evidence: {
      off_duty: [
        withoutPayload,
        {
          ...withoutPayload,
          agent: 'data-agent-rita-2',
          agent_type: 'data',
          reason: 'NO_FILE',
          kind: '/data',
          since: undefined,
        },
      ],
    },
  },
  UNANSWERED: {
    evidence: {
      unanswered: [
        { role: 'data', files: 2, first: 'swf.100010.000001.stf', since: ago(90), off_duty: undefined },
        {
          role: 'fastmon',
          files: 1,
          first: 'swf.100010.000002.stf',
          since: ago(80),
          off_duty: {
            agent: 'fastmon-agent-rita-3',
            hostname: 'host-b',
            detail: 'off duty for NO_FILE /data: it is not shared',
          },
        },
      ],
    },
  },
  READER_BEHIND: { evidence: { behind: [{ role: 'fastmon', rows: 1000, since: ago(61) }] } },
  SLICES_FAILED: {
    counts: { slices_failed: 2 },
    evidence: {
      failed: { count: 2, ids: ['swf.100010.000001_slice_003.tf'], isFinal: true },
      causes: [
        { cause: 'exit code 1: no geometry for run N', attempts: 8, example: 'exit code 1: no geometry for run 7' },
      ],
      first_failure: ago(9),
    },
  },
  SLICES_RETRIED: {
    facts: { slice_retries: 3 },
    evidence: { slices_retried: 2, causes: [{ cause: 'exit code 1', attempts: 3, example: undefined }] },
  },
  WORKERS_TOO_FEW: {
    judged: {
      capacity: {
        service_seconds: 30,
        workers: 30,
        arrival_rate: 7.14,
        workers_needed: 215,
        keeps_up: false,
        backlog: 500,
        backlog_seconds: 500,
        drain_seconds: undefined,
      },
    },
  },
  MESSAGES_REFUSED: { evidence: { refused: { count: 3, ids: ['other/0123456789abcdef'] } } },
  MESSAGES_WAITING: { evidence: { waiting: { count: 2, ids: ['x/stf_ready/swf.100010.000003.stf'] } } },
  UNREADABLE: { evidence: { unreadable: ['logs'] } },
  DATA_OLD: { evidence: { data_as_of: ago(75) } },
  CLOCK_OFF: { evidence: { agents: [agent({ last_heartbeat: ago(1), clock_offset: -90 })] } },
};

const faultAgo = (seconds: number): DriverSpan =>
  driver({ until: ago(seconds), ended: 'fault', code: 'DATA_UNAVAILABLE', reason: '/data is full (ENOSPC)' });

const takenUpAgo = (seconds: number) => ({
  isOverBroker: true,
  driver: { alive: true, silent: false, since: ago(seconds) },
});

describe('the findings', () => {
  it('are absent if nothing is wrong', () => {
    expect(findingsOf({ driving: situationOf() })).toEqual([]);
  });

  it('are worded as in the golden file, each with nothing else wrong', async () => {
    expect(Object.keys(situations).toSorted()).toEqual(
      findingRules
        .filter(({ needs }) => needs !== 'heard')
        .map(({ code }) => code)
        .toSorted(),
    );
    const told = Object.entries(situations).map(
      ([code, given]) => [code, findingsOf({ driving: situationOf(given) })] as const,
    );
    for (const [code, findings] of told) {
      expect(findings.length).toBeGreaterThan(0);
      expect(findings.map((finding) => finding.code)).toEqual(findings.map(() => code));
    }
    const golden = JSON.stringify(Object.fromEntries(told), null, 2);
    await expect(`${golden}\n`).toMatchFileSnapshot('../golden/findings.json');
  });

  it('are sorted by severity', () => {
    const { evidence: one } = situations['MESSAGES_REFUSED'] as Given;
    const both = situationOf({
      ...situations['STAGE_STUCK'],
      evidence: { ...one, ...situations['SLICES_RETRIED']?.evidence },
      facts: { slice_retries: 3 },
    });
    expect(findingsOf({ driving: both }).map(({ severity }) => severity)).toEqual(['error', 'warning', 'info']);
  });

  it.each([
    ['DRIVER_SILENT', { facts: { driver: { alive: true, silent: false, since: ago(600) } } }],
    ['SLICE_OVERDUE', { facts: { in_hand: [inHand(5.9)] } }],
    ['AGENT_GONE', { evidence: { agents: [agent({ status: 'STALE', last_heartbeat: ago(59) })] } }],
    ['READER_BEHIND', { evidence: { behind: [{ role: 'fastmon', rows: 1000, since: ago(60) }] } }],
    ['DATA_OLD', { evidence: { data_as_of: ago(59) } }],
    ['CLOCK_OFF', { evidence: { agents: [agent({ last_heartbeat: ago(1), clock_offset: 2 })] } }],
    [
      'TAKE_UP_FAILED',
      { ...situations['TAKE_UP_FAILED'], evidence: { ...situations['TAKE_UP_FAILED']?.evidence, take_ups: 2 } },
    ],
    ['TAKE_UP_FAILED', { evidence: { drivers: [faultAgo(61), faultAgo(20), faultAgo(5)] } }],
    // A driver that has just begun has not heard the agents yet, and a worker of another make sends no heartbeats.
    ['AGENT_MISSING', { facts: { ...takenUpAgo(14), delays: [] }, evidence: { missing: ['data'] } }],
    ['AGENT_MISSING', { facts: { isOverBroker: true }, evidence: { missing: ['worker'] } }],
    [
      'AGENT_MISSING',
      { facts: { isOverBroker: true, delays: [], in_hand: [inHand(599)] }, evidence: { missing: ['worker'] } },
    ],
  ] satisfies [string, Given][])('do not include %s until its limit is exceeded', (code, given) => {
    expect(findingsOf({ driving: situationOf(given) }).map((finding) => finding.code)).not.toContain(code);
  });

  it('include AGENT_MISSING for workers if a slice has been in hand for longer than its timeout', () => {
    const given = {
      facts: { isOverBroker: true, delays: [], in_hand: [inHand(601)] },
      evidence: { missing: ['worker'] },
    };
    expect(findingsOf({ driving: situationOf(given) }).map(({ code }) => code)).toContain('AGENT_MISSING');
  });

  it('say in SLICES_FAILED that no slice succeeded, once the execution has ended', () => {
    const counts = { slices_completed: 0, slices_failed: 30 };
    const told = (status: 'completed' | 'running') => {
      const failed = { count: status === 'completed' ? 30 : 2, ids: [], isFinal: true };
      const given = { ...situations['SLICES_FAILED'], facts: { status }, counts, evidence: { failed } };
      return findingsOf({ driving: situationOf(given) }).find(({ code }) => code === 'SLICES_FAILED')?.sentence;
    };
    expect(told('completed')).toMatch(/^No slice succeeded: 30 TF slices failed permanently/);
    expect(told('running')).toMatch(/^2 TF slices failed permanently/);
  });

  it('include TAKE_UP_FAILED if drivers fail again and again, even if results are recorded', () => {
    const given = { evidence: { drivers: [faultAgo(59), faultAgo(20), faultAgo(5)] } };
    const [finding] = findingsOf({ driving: situationOf(given) }).filter(({ code }) => code === 'TAKE_UP_FAILED');
    expect(finding?.sentence).toBe(
      'DATA_UNAVAILABLE: /data is full (ENOSPC). 3 drivers failed within 60 s while worker results kept arriving, so the service keeps resuming the execution. Fix the cause.',
    );
  });
});
