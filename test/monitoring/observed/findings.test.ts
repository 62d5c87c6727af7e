import { describe, expect, it } from 'vitest';

import { findingRules, findingsOf } from '../../../src/monitoring/findings/index.ts';
import { withKnown } from '../../../src/monitoring/findings/known.ts';
import { heardHealth } from '../../../src/monitoring/health.ts';
import type { PromptFacts } from '../../../src/monitoring/prompt-facts.ts';
import { ago, factsOf } from './situation.ts';

type Given = Parameters<typeof factsOf>[0];

const two = { count: 2, ids: ['a', 'b'] };
const one = { count: 1, ids: ['a'] };
const none = { count: 0, ids: [] };
const delay = (p95: number) => [
  { stage: 'slice_started → slice_result' as const, items: 99, mean: p95, p50: p95, p95, max: p95, last_at: '' },
];
const key = (name: string, example?: string) => ({
  sender: 'x',
  message_type: 'slice',
  key: name,
  missing: 2,
  of: 9,
  example,
});
const gap = (from: number, until: number, isFilled?: boolean) => ({
  from: ago(from),
  until: ago(until),
  reason: 'the line was cut',
  ...(isFilled === undefined ? {} : { isFilled }),
});
const failing = (attempts: number, seconds: number, more: { isMore?: boolean; last_done?: number } = {}) => ({
  attempts,
  firstAttempts: attempts,
  isMore: false,
  since: ago(seconds),
  last_done: undefined,
  ...more,
});

/** A run of prompt processing in which nothing is wrong, except what is given. */
const prompt = (more: Partial<PromptFacts> = {}): PromptFacts => ({
  policy: undefined,
  poll_seconds: undefined,
  sites: [],
  isTold: true,
  isHandedOver: true,
  first_stf: ago(300),
  last_report: ago(20),
  unregistered: none,
  open: none,
  failed: none,
  reasons: [],
  data_run: 'open',
  ended_at: undefined,
  waits_for: undefined,
  ...more,
});

const bound = { worker: 'w-1', run_id: '100009' };

const site = (name: string, failed: number) => ({ site: name, registered: 9, processing: 0, processed: 0, failed });

/** Situations in which one thing is wrong, by the code of the finding that reports it. */
const situations: Readonly<Record<string, Record<string, Given>>> = {
  SLICES_UNANSWERED: {
    'none ever': {
      oldest_waiting: ago(120),
      last_result: undefined,
      last_worker_sign: ago(1),
      counts: { slices_queued: 3 },
    },
    'none lately': { oldest_waiting: ago(500), last_result: ago(121), counts: { slices_queued: 1 }, passed: one },
    'none within six usual times': {
      oldest_waiting: ago(601),
      last_result: ago(600),
      delays: delay(100),
      counts: { slices_queued: 1 },
    },
    'passed over': { passed: two, delays: delay(30) },
  },
  NO_TRANSFORMER: {
    'after the usual time': { first_slice: ago(360), last_result: undefined, last_worker_sign: undefined },
    'after the time that was told': {
      first_slice: ago(900),
      last_result: undefined,
      last_worker_sign: ago(90),
      ramp_up: 30,
      counts: { slices_created: 1 },
    },
  },
  RUN_SILENT: {
    'for long': { last_message: ago(120) },
    'before the first STF': {
      phase: 'imminent',
      stf_span: undefined,
      messages: 3,
      first_message: ago(200),
      last_message: ago(150),
    },
    'in standby': { phase: 'standby', last_message: ago(600) },
    'whose runner never reports the end': {
      phase: 'completed',
      is_done: 1,
      told: { status: 'running', at: ago(500), by: 'x' },
      last_message: ago(120),
    },
    'where only REST reports': { phase: 'none', isBusHeard: false, last_message: ago(900) },
  },
  STF_NOT_READY: { two: { unready: two }, one: { unready: one } },
  SLICES_NOT_SENT: { two: { unsent: two }, 'one that no result can be of': { unsent: two, results_unmatched: 0 } },
  SAMPLES_UNSLICED: {
    'two, and no slice for a minute': { unsliced: two, last_slice: ago(61) },
    'two, and no slice at all': { unsliced: two, last_slice: undefined },
    'two that wait while slices are sent': { unsliced: two, last_slice: ago(3), oldest_unsliced: ago(95) },
    'one of a run that has ended': { unsliced: one, last_slice: ago(3), isOver: true },
  },
  TRANSFORMER_GONE: {
    one: { gone_workers: ['w-1'], counts: { slices_queued: 3 } },
    two: { gone_workers: ['w-1', 'w-2'], counts: { slices_queued: 1 } },
  },
  TRANSFORMER_BOUND: {
    one: {
      bound_workers: [{ worker: 'w-1', run_id: '100009' }],
      oldest_waiting: ago(60),
      last_result: undefined,
      counts: { slices_queued: 3 },
    },
    'two, after a last result': {
      bound_workers: ['w-1', 'w-2'].map((worker) => ({ worker, run_id: '100009' })),
      oldest_waiting: ago(119),
      last_result: ago(60),
      counts: { slices_queued: 1 },
    },
  },
  NOT_HANDED_OVER: {
    'for a minute': { prompt: prompt({ isHandedOver: false, first_stf: ago(60) }) },
    'to the end': { prompt: prompt({ isHandedOver: false, first_stf: ago(9) }), status: 'completed', isOver: true },
  },
  DATA_AGENT_WAITS: { 'for an earlier run': { prompt: prompt({ waits_for: '100009', data_run: undefined }) } },
  STF_NOT_REGISTERED: { two: { prompt: prompt({ unregistered: two }) } },
  STF_FAILED: {
    'at a site, with a reason': {
      prompt: prompt({ failed: two, sites: [site('A', 2), site('B', 0)], reasons: ['no'] }),
    },
    'without one': { prompt: prompt({ failed: one }) },
  },
  STF_NOT_PROCESSED: {
    'without a report': { prompt: prompt({ open: two, last_report: ago(240) }) },
    'with a long interval of reports': { prompt: prompt({ open: one, poll_seconds: 100, last_report: ago(360) }) },
    'when observation ended': { prompt: prompt({ open: two }), isObserved: false, isListening: false },
  },
  RUN_NOT_CLOSED: { 'a minute after its end': { prompt: prompt({ ended_at: ago(60) }), phase: 'completed' } },
  WORKFLOWS_MIXED: {
    'in fast processing': { strangers: ['data-agent-1'] },
    'in prompt processing': { strangers: ['fastmon-1', 'fpa-1'], prompt: prompt() },
  },
  SLICES_FAILED: {
    'several workers': {
      counts: { slices_failed: 7 },
      failed: { count: 7, ids: ['s.tf'], isFinal: true },
      by_worker: [
        { name: 'w-1', tried: 36, failed: 7 },
        { name: 'w-2', tried: 39, failed: 0 },
      ],
    },
    'more workers than are named': {
      counts: { slices_failed: 9 },
      failed: { count: 9, ids: [], isFinal: false },
      by_worker: [5, 3, 1, 0, 0, 0].map((failed, n) => ({ name: `w-${n}`, tried: 10, failed })),
    },
    two: { failed: { ...two, isFinal: false }, causes: [{ cause: 'exit code 1', attempts: 2, example: undefined }] },
    'one of a run that has ended': { status: 'completed', failed: { ...one, isFinal: true } },
  },
  NOT_HEARD: {
    'one gap': { gaps: [gap(100, 40)] },
    'two gaps': { gaps: [gap(300, 200), gap(100, 40)] },
    'one of two is still open': { gaps: [gap(300, 200, true), gap(100, 40, false)] },
    'all are filled': { gaps: [gap(300, 200, true), gap(100, 40, true)] },
  },
  TOLD_OTHERWISE: {
    'slices wait': { told: { status: 'completed', at: ago(60), by: 'x' }, counts: { slices_queued: 2 } },
    'one slice waits': { told: { status: 'failed', at: ago(60), by: 'x' }, counts: { slices_queued: 1 } },
    'more were registered than heard': { told: { status: 'completed', at: ago(60), by: 'x' }, slices_told: 151 },
    'one was registered': { told: { status: 'completed', at: ago(60), by: 'x' }, slices_told: 1 },
  },
  CONTRACT_BROKEN: {
    'one key': { broken_keys: [key('run_id', 'm1')] },
    'without an example': { broken_keys: [key('run_id')] },
    'four keys': { broken_keys: ['a', 'b', 'c', 'd'].map((name) => key(name, `m-${name}`)) },
  },
  CLOCK_OFF: { 'the reader an hour behind': { ahead_seconds: 3600 } },
  SIZE_CHANGED: { 'of two': { shrunken: { count: 2, first: 'f.tf', largest: 2, usual: 5 } } },
  RESULTS_UNMATCHED: { one: { results_unmatched: 1 }, two: { results_unmatched: 2 } },
  ID_TWICE: { 'another name': { execution_id: 'stf_datataking-tester-0001~100011' } },
  RESULTS_REPEATED: {
    one: { results_repeated: 1, repeated_ids: ['heard/1/slice_result/ab'] },
    two: { results_repeated: 2, repeated_ids: ['a', 'b'], counts: { slices_failed: 1 } },
  },
  NOTHING_SUCCEEDS: {
    'while it runs': { failing: failing(10, 60), counts: { slices_completed: 0 } },
    'in a run that is over': { status: 'completed', failing: failing(12, 60, { last_done: ago(70) }) },
    'for longer than was looked at': { failing: failing(500, 60, { isMore: true }) },
  },
  FAILURES_ON_ONE: {
    'one host': {
      concentration: {
        kind: 'host',
        places: ['node-7'],
        failed: 9,
        tried: 10,
        failed_elsewhere: 0,
        tried_elsewhere: 90,
        errors: ['exit code 1'],
      },
    },
    'five slots': {
      concentration: {
        kind: 'slot',
        places: ['w/01', 'w/02', 'w/03', 'w/04', 'w/05'],
        failed: 9,
        tried: 10,
        failed_elsewhere: 2,
        tried_elsewhere: 90,
        errors: [],
      },
    },
  },
  SLOT_SLOW: {
    'one worker': { slow_slots: { slots: [{ slot: 'w-7', seconds: 4.3, slices: 38 }], others_seconds: 1 } },
    'four slots': {
      slow_slots: {
        slots: ['a', 'b', 'c', 'd'].map((name) => ({ slot: `w/${name}`, seconds: 4, slices: 12 })),
        others_seconds: 1,
      },
    },
  },
  SLICES_SLOWER: { 'of a run': { slower: { isMachineKnown: false, first_seconds: 0.62, last_seconds: 1.24 } } },
  SLICE_SLOW: {
    'of a known worker': { slowest: { slice_filename: 's.tf', seconds: 50, worker: 'w' } },
    'of an unknown worker': { slowest: { slice_filename: 's.tf', seconds: 50.5, worker: null } },
  },
};

const codesOf = (given: Given): string[] => findingsOf({ heard: factsOf(given) }).map(({ code }) => code);

describe('the findings of an observed execution', () => {
  it('are absent if nothing is wrong', () => {
    expect(findingsOf({ heard: factsOf() })).toEqual([]);
  });

  it('are worded as in the golden file, each with nothing else wrong', async () => {
    expect(Object.keys(situations).toSorted()).toEqual(
      findingRules
        .filter(({ needs }) => needs !== 'driving')
        .map(({ code }) => code)
        .toSorted(),
    );
    const told = Object.entries(situations).flatMap(([code, some]) =>
      Object.entries(some).map(
        ([title, given]) => [`${code}: ${title}`, findingsOf({ heard: factsOf(given) })] as const,
      ),
    );
    for (const [title, findings] of told)
      expect(findings.map(({ code }) => code)).toEqual([title.slice(0, title.indexOf(':'))]);
    const golden = JSON.stringify(Object.fromEntries(told), null, 2);
    await expect(`${golden}\n`).toMatchFileSnapshot('../../golden/observed-findings.json');
  });

  it.each<[string, Given]>([
    [
      'a slice that has waited for less than two minutes',
      { oldest_waiting: ago(119), last_result: ago(119), counts: { slices_queued: 1 } },
    ],
    ['slices that have waited briefly, long after the last result', { oldest_waiting: ago(10), last_result: ago(300) }],
    [
      'workers that have not appeared yet',
      { first_slice: ago(359), last_result: undefined, last_worker_sign: undefined },
    ],
    [
      'workers that are alive but have no result yet',
      { first_slice: ago(900), last_result: undefined, last_worker_sign: ago(359) },
    ],
    ['a run that has been quiet for less than two minutes', { last_message: ago(119) }],
    [
      'a run that has been quiet for less than five minutes, after an STF every minute',
      { stf_span: { first: ago(900), last: ago(300), n: 11 }, last_message: ago(299) },
    ],
    ['a quiet run that has ended', { status: 'completed', last_message: ago(900) }],
    ['a quiet run with an announced end', { phase: 'completed', last_message: ago(900) }],
    ['a quiet run in standby', { phase: 'standby', last_message: ago(599) }],
    ['registered slices of a run from which nothing was heard', { unsent: two, isBusHeard: false }],
    [
      'registered slices that unmatched results may belong to',
      { unsent: two, results_unmatched: 2, counts: { slices_created: 0 } },
    ],
    ['results without slices in a run that sends none', { results_unmatched: 2, counts: { slices_created: 0 } }],
    [
      'an end that was reported less than a minute ago',
      { told: { status: 'completed', at: ago(59), by: 'x' }, counts: { slices_queued: 1 } },
    ],
    [
      'waiting slices while the runner reports that it is running',
      { told: { status: 'running', at: ago(90), by: 'x' }, counts: { slices_queued: 1 } },
    ],
    ['an end after which nothing was registered', { told: { status: 'completed', at: ago(90), by: 'x' } }],
    ['as many slices registered as heard', { told: { status: 'completed', at: ago(90), by: 'x' }, slices_told: 150 }],
    [
      'a worker that has been bound elsewhere for less than a minute',
      { bound_workers: [bound], oldest_waiting: ago(59) },
    ],
    ['a run that was handed over', { prompt: prompt() }],
    [
      'a run whose first file is less than a minute old',
      { prompt: prompt({ isHandedOver: false, first_stf: ago(59) }) },
    ],
    ['a run that is sent to no site', { prompt: prompt({ isHandedOver: false, policy: 'none' }) }],
    ['a run that skips all sites', { prompt: prompt({ isHandedOver: false, policy: 'skip' }) }],
    ['a run whose bus was not heard', { prompt: prompt({ isHandedOver: false }), isBusHeard: false }],
    ['a run whose beginning was not heard', { prompt: prompt({ isHandedOver: false }), phase: 'none' }],
    ['a run that an observer joined late', { prompt: prompt({ isHandedOver: false }), isBeginHeard: false }],
    [
      'unregistered files where nothing is reported over REST',
      { prompt: prompt({ isTold: false, unregistered: two }) },
    ],
    [
      'a quiet run with waiting files where only the monitor is read',
      { prompt: prompt({ open: two }), isBusHeard: false, last_message: ago(900) },
    ],
    ['files that wait for the next report', { prompt: prompt({ open: two, last_report: ago(239) }) }],
    ['files without any report', { prompt: prompt({ open: two, last_report: undefined }) }],
    ['a run that ended a moment ago and is still open', { prompt: prompt({ ended_at: ago(59) }), phase: 'completed' }],
    ['a run that is closed', { prompt: prompt({ ended_at: ago(600), data_run: 'closed' }), phase: 'completed' }],
    [
      'an ended run whose bus was not heard',
      { told: { status: 'completed', at: ago(90), by: 'x' }, slices_told: 9, isBusHeard: false },
    ],
  ])('do not report %s', (_, given) => {
    expect(codesOf(given)).toEqual([]);
  });
});

describe('the health of an observed execution', () => {
  it.each<[string, Given, string | undefined]>([
    ['that failed', { status: 'failed', last_message: ago(900) }, 'failed'],
    ['that completed', { status: 'completed', last_message: ago(900) }, 'finished'],
    ['that was terminated', { status: 'terminated' }, 'finished'],
    ['that is progressing', {}, 'progressing'],
    ['in standby', { phase: 'standby', last_message: ago(599) }, 'paused'],
    [
      'in a standby of ten minutes, which may have been a stop',
      { phase: 'standby', last_message: ago(600) },
      undefined,
    ],
    ['with an announced end', { phase: 'completed', last_message: ago(900) }, 'draining'],
    [
      'with an announced end whose runner reports over REST, while slices wait',
      { phase: 'completed', told: { status: 'running', at: ago(900), by: 'x' }, last_message: ago(900) },
      'draining',
    ],
    [
      'with an announced end that its runner never reports over REST',
      { phase: 'completed', is_done: 1, told: { status: 'running', at: ago(900), by: 'x' }, last_message: ago(900) },
      undefined,
    ],
    ['that is silent', { last_message: ago(900) }, 'stalled'],
    ['without answers to slices', { oldest_waiting: ago(120), last_result: ago(120) }, 'stalled'],
    [
      'in standby, without answers to slices',
      { phase: 'standby', oldest_waiting: ago(120), last_result: ago(120) },
      'stalled',
    ],
    ['in which nothing succeeds', { failing: failing(10, 60) }, 'stalled'],
    ['in which two attempts failed', { failing: failing(2, 60) }, 'progressing'],
    [
      'that has been quiet for four minutes, after a message every minute',
      { stf_span: undefined, counts: { stf_count: 1 }, messages: 11, first_message: ago(840), last_message: ago(240) },
      'progressing',
    ],
    [
      'that has been quiet for five minutes, after a message every minute',
      { stf_span: undefined, counts: { stf_count: 1 }, messages: 11, first_message: ago(900), last_message: ago(300) },
      'stalled',
    ],
    ['whose run stays open', { status: 'terminated', isOver: true, prompt: prompt({ ended_at: ago(9) }) }, 'stalled'],
    ['with files in PanDA', { status: 'completed', prompt: prompt({ open: two, data_run: 'closed' }) }, 'draining'],
    [
      'that is no longer observed, with files in PanDA',
      { status: 'completed', isListening: false, prompt: prompt({ open: two, data_run: 'closed' }) },
      undefined,
    ],
    ['with rows ahead of the clock', { ahead_seconds: 6 }, undefined],
    [
      'whose files are no longer reported on',
      { status: 'completed', prompt: prompt({ open: two, last_report: ago(240), data_run: 'closed' }) },
      'stalled',
    ],
    [
      'from which nothing new is read, with files in PanDA',
      { phase: 'none', isBusHeard: false, prompt: prompt({ open: two }), last_message: ago(900) },
      'draining',
    ],
    [
      'from which nothing new is read, without files in PanDA',
      { phase: 'none', isBusHeard: false, prompt: prompt(), last_message: ago(900) },
      'stalled',
    ],
    [
      'that is silent on the bus while PanDA has files',
      { prompt: prompt({ open: two }), last_message: ago(900) },
      'stalled',
    ],
    ['that was not handed over', { prompt: prompt({ isHandedOver: false }) }, 'stalled'],
    ['whose files are all done', { status: 'completed', prompt: prompt({ data_run: 'closed' }) }, 'finished'],
    ['that failed with an open run', { status: 'failed', prompt: prompt({ ended_at: ago(600) }) }, 'failed'],
    ['with one message', { stf_span: undefined, messages: 1, last_message: ago(119) }, 'progressing'],
  ])('follows from status, silence, answers and phase: one %s', (_, given, health) => {
    expect(heardHealth(factsOf(given))).toBe(health);
  });
});

describe('known findings', () => {
  const given = {
    shrunken: { count: 2, first: 'a', largest: 1, usual: 9 },
    broken_keys: [key('k', 'm-1')],
    gaps: [gap(100, 40)],
  };
  const codesWith = (known: readonly string[], facts: Given = given) =>
    withKnown('e', findingsOf({ heard: factsOf(facts) }), known).map(({ code }) => code);

  it.each<[string, readonly string[], string[]]>([
    ['none known', [], ['NOT_HEARD', 'CONTRACT_BROKEN', 'SIZE_CHANGED']],
    ['one known by its code', ['SIZE_CHANGED'], ['NOT_HEARD', 'CONTRACT_BROKEN', 'KNOWN']],
    ['two known by their codes', ['SIZE_CHANGED', 'CONTRACT_BROKEN'], ['NOT_HEARD', 'KNOWN']],
    ['one known for its sender', ['CONTRACT_BROKEN x'], ['NOT_HEARD', 'SIZE_CHANGED', 'KNOWN']],
    ['one known for a pattern of senders', ['CONTRACT_BROKEN *'], ['NOT_HEARD', 'SIZE_CHANGED', 'KNOWN']],
    [
      'one known only for another sender',
      ['CONTRACT_BROKEN y*', 'CONTRACT_BROKEN .'],
      ['NOT_HEARD', 'CONTRACT_BROKEN', 'SIZE_CHANGED'],
    ],
  ])('are replaced by one line: %s', (_, known, codes) => {
    expect(codesWith(known)).toEqual(codes);
  });

  it.each([
    ['they name four', 4, ['KNOWN']],
    ['they name five, and may have left out others', 5, ['TRANSFORMER_GONE']],
  ])('match a pattern only if their list of ids is complete: %s', (_, count, codes) => {
    const ids = Array.from({ length: count }, (__, n) => `w-a${n}`);
    const next = { tool: 'list_agents' as const, arguments: {} };
    const finding = { code: 'TRANSFORMER_GONE', severity: 'warning' as const, sentence: 'x', ids, next };
    expect(withKnown('e', [finding], ['TRANSFORMER_GONE w-a*']).map(({ code }) => code)).toEqual(codes);
  });

  it('are counted on a separate line, and never count as errors', () => {
    const [, line] = withKnown('e', findingsOf({ heard: factsOf(given) }), ['SIZE_CHANGED', 'CONTRACT_BROKEN']);
    expect(line).toMatchObject({ severity: 'info', sentence: '2 known findings: CONTRACT_BROKEN, SIZE_CHANGED.' });
    expect(codesWith(['STF_NOT_READY'], { unready: two })).toEqual(['STF_NOT_READY']);
  });
});
