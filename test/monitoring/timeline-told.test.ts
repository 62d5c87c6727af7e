import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Attempts, Life } from '../../src/monitoring/timeline/attempts.ts';
import { type PhaseChange, phasesOf } from '../../src/monitoring/timeline/phases.ts';
import { pictureOf } from '../../src/monitoring/timeline/picture.ts';
import { conciseParts, pageParts } from '../../src/monitoring/timeline/told.ts';
import { attemptsOf, lifeOf, maxRetries, slices, start } from './made-attempts.ts';

const at = (second: number): number => start + second * 1000;
const change = (second: number, type: string, more: Partial<PhaseChange> = {}): PhaseChange => ({
  type,
  at: at(second),
  reason: undefined,
  by: undefined,
  ...more,
});

const changes = [
  change(1, 'run_imminent'),
  change(3, 'start_run'),
  change(10, 'pause_run', { reason: 'period' }),
  change(12, 'resume_run'),
  change(20, 'pause_workflow', { by: 'rita' }),
  change(21, 'pause_run', { reason: 'operator' }),
  change(26, 'resume_run'),
  change(26, 'resume_run'),
  change(40, 'end_run'),
  change(55, 'workflow_ended'),
];

const latency = [
  {
    stage: 'slice → slice_started' as const,
    items: 3,
    mean: 2,
    p50: 1,
    p95: 3,
    max: 4,
    last_at: '',
    buckets: [[5, 3]] as [number, number][],
  },
];

/** Two generated executions; each seed always makes the same one. */
const [first, second] = [11, 12].map((seed) =>
  attemptsOf(fc.sample(slices, { seed, numRuns: 9 }).toSorted((a, b) => b.length - a.length)[0] ?? []),
) as [Attempts, Attempts];

const wanted = { minWidth: 1, maxRetries, firstSlot: 0, slots: 100, maxSpans: 10_000 };

describe('phases', () => {
  it('are made from the messages that change them, and name the operator who paused the run', () => {
    const told = phasesOf(start, changes).map(({ phase, start: from, end, by }) => [
      phase,
      (from - start) / 1000,
      end === undefined ? undefined : (end - start) / 1000,
      ...(by === undefined ? [] : [by]),
    ]);
    expect(told).toEqual([
      ['before', 0, 1],
      ['imminent', 1, 3],
      ['physics', 3, 10],
      ['standby', 10, 12],
      ['physics', 12, 21],
      ['paused', 21, 26, 'rita'],
      ['physics', 26, 40],
      ['draining', 40, 55],
      ['after', 55, undefined],
    ]);
  });

  it('never end before they begin, even if a clock was set back, and empty ones are left out', () => {
    const told = phasesOf(start, [
      change(5, 'start_run'),
      change(3, 'pause_run', { reason: 'period' }),
      change(9, 'resume_run'),
    ]);
    expect(told.map(({ phase, start: from, end = Infinity }) => [phase, from <= end])).toEqual([
      ['before', true],
      ['standby', true],
      ['physics', true],
    ]);
  });
});

describe('a timeline in words and numbers', () => {
  it.each<[string, Life, { from: number; until: number }, Partial<typeof wanted>]>([
    ['of a whole execution', { ...lifeOf(first), hasEnded: true }, { from: 0, until: 100 }, {}],
    ['of a part of a running execution', lifeOf(first), { from: 12, until: 31 }, { slots: 3, firstSlot: 2 }],
    [
      'of an execution without a driver at its end',
      { ...lifeOf(second), silentSince: at(30), idle: [{ from: at(10), until: at(14) }] },
      { from: 0, until: 100 },
      {},
    ],
    ['in cells', { ...lifeOf(second), hasEnded: true }, { from: 0, until: 100 }, { maxSpans: 3 }],
  ])('%s has exactly the expected content', async (title, life, { from, until }, more) => {
    const attempts = title.startsWith('of a whole') || title.startsWith('of a part') ? first : second;
    const part = {
      life,
      from: at(from),
      until: Math.min(at(until), life.end),
      maxBins: 12,
      anchor: start,
      maxLevels: 0,
    };
    const picture = {
      ...pictureOf(attempts, { ...wanted, ...part, ...more }),
      phases: phasesOf(start, changes),
      latency,
    };
    const golden = JSON.stringify({ concise: conciseParts(picture, life), page: pageParts(picture, life) }, null, 1);
    await expect(`${golden}\n`).toMatchFileSnapshot(`../golden/timeline-${title.replaceAll(/[ ,]+/g, '-')}.json`);
  });
});
