import { describe, expect, it } from 'vitest';

import type { CountedDelay } from '../../src/domain/stages.ts';
import { capacityOf } from '../../src/monitoring/capacity.ts';
import { type Facts, secondsBetween, serviceSeconds } from '../../src/monitoring/facts.ts';
import { handState, oldestInHand, overdueSlices, paceOf } from '../../src/monitoring/pace.ts';
import { progressOf } from '../../src/monitoring/progress.ts';
import { ago, factsOf, type Given } from './situation.ts';

const delay = (stage: CountedDelay['stage'], items: number, p95: number, mean = p95): CountedDelay => ({
  stage,
  items,
  mean,
  p50: mean,
  p95,
  max: p95,
  last_at: ago(3),
});
const done = (items: number, p95: number, mean = p95): Partial<Facts> => ({
  delays: [delay('slice_started → slice_result', items, p95, mean)],
});
const payload = { worker: { payload: ['recon'], timeout_seconds: 100 } };
const planned = (seconds: number) => ({ fast_processing: { slice_processing_time: seconds } });

describe('the pace of slices', () => {
  it.each<[string, Given, number | undefined, number, number | undefined]>([
    ['that of the slices that are done', { facts: done(5, 4), params: planned(100) }, 4, 12, 24],
    ['as planned, before five are done', { facts: done(4, 4), params: planned(100) }, 100, 300, 600],
    ['as planned, before one is done', { facts: { delays: [] }, params: planned(10) }, 10, 30, 60],
    ['slow after at least 5 s and stalled after at least 15 s', { facts: done(5, 0.1) }, 0.1, 5, 15],
    ['unknown for a payload, before five are done', { facts: done(4, 4), params: payload }, undefined, 60, undefined],
    ['that of a payload’s slices', { facts: done(5, 4), params: payload }, 4, 12, 24],
    [
      'the planned one after a change of speed, if that is longer',
      { facts: { ...done(5, 4), hasChangedSpeed: true }, params: planned(10) },
      10,
      30,
      60,
    ],
    [
      'the observed one after a change of speed, if that is longer',
      { facts: { ...done(5, 40), hasChangedSpeed: true }, params: planned(10) },
      40,
      120,
      240,
    ],
    [
      'that of a payload’s slices, whatever the speed',
      { facts: { ...done(5, 4), hasChangedSpeed: true }, params: { ...payload, ...planned(10) } },
      4,
      12,
      24,
    ],
  ])('is %s', (_, given, usual_seconds, slow_seconds, stalled_seconds) => {
    expect(paceOf(factsOf(given))).toEqual({ usual_seconds, slow_seconds, stalled_seconds });
  });

  it('is converted from planned seconds to wall time using the speed', () => {
    const facts = factsOf({ facts: { delays: [] }, params: planned(100) });
    expect(paceOf({ ...facts, params: { ...facts.params, speed: 10 } })).toMatchObject({ usual_seconds: 10 });
    expect(paceOf({ ...facts, params: { ...facts.params, speed: 'max' } })).toMatchObject({
      usual_seconds: 0,
      slow_seconds: 5,
    });
  });

  const hand = (...seconds: number[]): Partial<Facts> => ({
    in_hand: seconds.map((age) => ({
      slice_filename: `s${age}`,
      assigned_worker: 'w',
      since: ago(age),
      attempt: 1,
      isLost: false,
    })),
  });
  const pace = { usual_seconds: 2, slow_seconds: 6, stalled_seconds: 15 };

  it.each([
    [[], 'working'],
    [[6], 'working'],
    [[6.1, 1], 'slow'],
    [[15], 'slow'],
    [[15.1], 'stuck'],
    // Most of them hang, then half, then fewer, while others are completed.
    [[40, 40, 40, 1], 'stuck'],
    [[40, 40, 1, 1], 'slow'],
    [[40, 1, 1, 6], 'slow'],
  ] as const)('lets slices in hand for %j s count as %s', (ages, state) => {
    expect(handState(factsOf({ facts: hand(...ages) }), pace)).toBe(state);
  });

  it('lets slices count as stuck if some hang and none was completed lately', () => {
    const facts = factsOf({ facts: hand(40, 1, 1, 1) });
    const delays = facts.delays.map((one) => ({ ...one, last_at: ago(7) }));
    expect(handState({ ...facts, delays }, pace)).toBe('stuck');
  });

  it('lets slices count as slow, but never as stuck, while the pace is unknown', () => {
    const unknown = { usual_seconds: undefined, slow_seconds: 6, stalled_seconds: undefined };
    expect(handState(factsOf({ facts: hand(10_000) }), unknown)).toBe('slow');
  });

  it('determines the overdue slices, and the oldest in hand', () => {
    const facts = factsOf({ facts: hand(20, 7, 6, 1) });
    expect(oldestInHand(facts)).toMatchObject({ slice_filename: 's20', seconds: 20 });
    expect(overdueSlices(facts, pace).map(({ slice_filename }) => slice_filename)).toEqual(['s20', 's7']);
    expect(oldestInHand(factsOf())).toBeUndefined();
  });

  it('does not count time in hand while the broker is away', () => {
    const facts = factsOf({ facts: { ...hand(70, 63), broker_away_since: ago(60) } });
    expect(oldestInHand(facts)).toMatchObject({ slice_filename: 's70', seconds: 10 });
    expect(overdueSlices(facts, pace).map(({ slice_filename }) => slice_filename)).toEqual(['s70']);
    expect(handState(facts, pace)).toBe('slow');
  });

  it('does not depend on slices whose workers are gone, with or without a driver', () => {
    const left = { lost: hand(30, 7).in_hand ?? [], in_hand: hand(20).in_hand ?? [] };
    for (const alive of [true, false]) {
      const facts = factsOf({ facts: { ...left, driver: { alive, silent: !alive, since: ago(100) } } });
      expect(overdueSlices(facts, pace).map(({ slice_filename }) => slice_filename)).toEqual(['s20']);
      expect(oldestInHand(facts)).toMatchObject({ slice_filename: 's20' });
    }
  });

  it('is never based on a negative time', () => {
    expect(secondsBetween(ago(0), Date.parse(ago(10)))).toBe(0);
    expect(secondsBetween(ago(10), Date.parse(ago(0)))).toBe(10);
  });
});

describe('the time that a worker needs for a slice', () => {
  it.each<[string, Given, number | undefined]>([
    ['as observed', { facts: done(3, 9, 4), params: planned(100) }, 4],
    ['as planned, before three are done', { facts: done(2, 9, 4), params: planned(100) }, 100],
    [
      'as planned, after a change of speed',
      { facts: { ...done(50, 9, 4), hasChangedSpeed: true }, params: planned(100) },
      100,
    ],
    [
      'as planned, if only failures have ended',
      { facts: { delays: [delay('slice_started → failed result', 5, 8, 7)] }, params: planned(100) },
      100,
    ],
    ['unknown for a payload of which no attempt has ended', { facts: { delays: [] }, params: payload }, undefined],
    [
      'unknown for a payload of which only failures have ended',
      { facts: { delays: [delay('slice_started → failed result', 5, 0.04, 0.04)] }, params: payload },
      undefined,
    ],
    ['as observed from the first slice of a payload on', { facts: done(1, 9, 4), params: payload }, 4],
    [
      'as observed for a payload, whatever the speed',
      { facts: { ...done(1, 9, 4), hasChangedSpeed: true }, params: payload },
      4,
    ],
  ])('is %s', (_, given, seconds) => {
    expect(serviceSeconds(factsOf(given))).toBe(seconds);
  });
});

describe('capacity', () => {
  const daq = { daq_state_machine: { stf_interval: 2, stf_generation_time: 0 } };
  const capacity = ({ facts = {}, counts = {}, params = {} }: Given = {}) =>
    capacityOf(factsOf({ facts: { ...done(100, 2, 4), ...facts }, counts, params: { ...daq, ...params } }));

  it('shows whether the slots suffice while STFs still arrive', () => {
    // 300 slices of 20 STFs, one every 2 s: 7.5 a second, of 4 s each.
    expect(capacity({ counts: { slices_queued: 61 } })).toEqual({
      service_seconds: 4,
      workers: 30,
      arrival_rate: 7.5,
      workers_needed: 30,
      keeps_up: true,
      backlog: 61,
      backlog_seconds: 9,
      drain_seconds: undefined,
    });
    expect(capacity({ facts: { slots: 29 } })).toMatchObject({ workers: 29, keeps_up: false });
    expect(capacity({ facts: { slots: undefined } })).toMatchObject({
      workers_needed: 30,
      keeps_up: undefined,
      backlog_seconds: undefined,
    });
    expect(capacity({ facts: { slots: 0 } })).toMatchObject({ keeps_up: false, backlog_seconds: undefined });
  });

  it('follows from the parameters of the run if the run never ends', () => {
    const params = {
      fast_processing: { stf_sampling_rate: 0.5, slices_per_sample: 8 },
      fastmon: { tf_samples_per_stf: 3 },
    };
    for (const facts of [{ stf_planned: undefined }, { stf_planned: 0 }, { slices_planned: undefined }])
      expect(capacity({ facts, params })).toMatchObject({ arrival_rate: 6, workers_needed: 24 });
  });

  it('has no arrival rate while the backlog drains', () => {
    expect(capacity({ facts: { phase: 'completed' }, counts: { slices_queued: 30 } })).toMatchObject({
      arrival_rate: undefined,
      workers_needed: undefined,
      keeps_up: undefined,
      backlog: 30,
      backlog_seconds: 4,
    });
  });

  /** A time in which nothing could go on, in seconds before the moment of the facts. */
  const idle = (from: number, until: number) => ({ from: Date.parse(ago(from)), until: Date.parse(ago(until)) });

  it('excludes pauses and times without a driver from the arrival rate', () => {
    const over = {
      status: 'completed',
      phase: 'completed',
      end_time: ago(0),
      phase_changed_at: ago(50),
      first_stf_at: ago(136),
      last_stf_at: ago(64),
    } as const;
    // Ten STFs in 72 s: one every 8 s; half of the time there was no driver, or the run was paused, or the time is not that of the STFs.
    expect(capacity({ facts: over })).toMatchObject({ arrival_rate: 1.88 });
    for (const spans of [[idle(120, 84)], [idle(120, 110), idle(100, 74)], [idle(200, 100)], [idle(100, 20)]])
      expect(capacity({ facts: { ...over, idle: spans } })).toMatchObject({ arrival_rate: 3.75 });
    expect(capacity({ facts: { ...over, idle: [idle(300, 0)] } })).toMatchObject({ arrival_rate: 7.5 });
  });

  it('includes the measured arrival rate and the time to drain once the run has ended', () => {
    const over = {
      status: 'completed',
      phase: 'completed',
      end_time: ago(0),
      phase_changed_at: ago(50),
      idle: [idle(45, 35)],
      first_stf_at: ago(100),
      last_stf_at: ago(64),
    } as const;
    // Ten STFs in 36 s: one every 4 s.
    expect(capacity({ facts: over })).toMatchObject({
      arrival_rate: 3.75,
      workers_needed: 15,
      keeps_up: true,
      backlog: undefined,
      drain_seconds: 40,
    });
    for (const facts of [{ first_stf_at: undefined }, { last_stf_at: undefined }, { last_stf_at: ago(100) }])
      expect(capacity({ facts: { ...over, ...facts } })).toMatchObject({ arrival_rate: 7.5 });
    expect(capacity({ facts: over, counts: { stf_count: 1 } })).toMatchObject({ arrival_rate: 7.5 });
    expect(capacity({ facts: { ...over, idle: [idle(50, 0)] } })).toMatchObject({ drain_seconds: 0 });
    for (const facts of [{ status: 'terminated' }, { phase_changed_at: null }, { end_time: null }] as const)
      expect(capacity({ facts: { ...over, ...facts } })?.drain_seconds).toBeUndefined();
  });

  it('is undefined at full speed, and until the processing time of a slice is known', () => {
    const facts = factsOf({ facts: done(100, 2) });
    expect(capacityOf({ ...facts, params: { ...facts.params, speed: 'max' } })).toBeUndefined();
    expect(capacity({ facts: { delays: [] }, params: payload })).toBeUndefined();
  });
});

describe('progress', () => {
  const of = (given: Given = {}, exhausted = 0) => {
    const { counts, params } = factsOf(given);
    return progressOf(counts, {
      params,
      stfs_ready: 3,
      samples_expected: 4,
      slices_expected: 60,
      slices_exhausted: exhausted,
      last_tick: 7.5,
    });
  };
  const run = { fast_processing: { stf_count: 10, physics_period_count: 2 } };

  it('is the share of planned slices that are final', () => {
    expect(of({ params: run, counts: { slices_completed: 99 } }, 1)).toEqual({
      stf_planned: 20,
      stf_ready: 3,
      tf_files_expected: 4,
      tf_files_planned: 20,
      slices_expected: 60,
      slices_final: 100,
      slices_planned: 300,
      percent: 33.3,
      simulation_tick: 7.5,
    });
  });

  it.each([
    [299, 99.6],
    [300, 100],
  ])('is 100 only once all slices are final: %i of 300', (slices_completed, percent) => {
    expect(of({ params: run, counts: { slices_completed } })).toMatchObject({ slices_planned: 300, percent });
  });

  it('has no percentage in a run that never ends or has no slices', () => {
    expect(of({ params: { fast_processing: { physics_period_count: 0 } } })).toMatchObject({
      stf_planned: undefined,
      tf_files_planned: undefined,
      slices_planned: undefined,
      percent: undefined,
    });
    expect(
      of({ params: { fast_processing: { stf_count: 2, physics_period_count: 1, stf_sampling_rate: 0 } } }),
    ).toMatchObject({ slices_planned: 0, percent: undefined });
  });
});
