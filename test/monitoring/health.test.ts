import { describe, expect, it } from 'vitest';

import type { Facts, SliceInHand } from '../../src/monitoring/facts.ts';
import { healthOf } from '../../src/monitoring/health.ts';
import type { StageState } from '../../src/monitoring/stage-states.ts';
import { ago, factsOf } from './situation.ts';

/** A slice in hand for this many seconds, if two are usual: slow after 6, stuck after 15. */
const inHand = (seconds: number): Partial<Facts> => ({
  in_hand: [
    {
      slice_filename: 's',
      assigned_worker: 'w/01',
      since: ago(seconds),
      attempt: 1,
      isLost: false,
    } satisfies SliceInHand,
  ],
});

const stage = (state: StageState['state']): StageState => ({ state }) as StageState;

const alive = { alive: true, silent: false, since: ago(600) };

describe('the health of an execution', () => {
  it.each<[string, Partial<Facts>, StageState['state'][], string]>([
    ['that failed', { status: 'failed', driver: { ...alive, alive: false } }, ['stuck'], 'failed'],
    ['that was completed', { status: 'completed', isHeld: true }, ['stuck'], 'finished'],
    ['that was terminated', { status: 'terminated' }, [], 'finished'],
    ['whose driver is gone', { driver: { ...alive, alive: false } }, [], 'stalled'],
    [
      'whose driver is gone, with rows ahead of the clock',
      { driver: { ...alive, alive: false }, ahead_seconds: 60 },
      [],
      'stalled',
    ],
    ['whose driver is silent', { driver: { ...alive, silent: true } }, [], 'stalled'],
    ['whose driver is gone during a pause', { driver: { ...alive, alive: false }, isHeld: true }, [], 'stalled'],
    ['that was never driven from here', { driver: undefined }, [], 'progressing'],
    ['that is progressing', {}, ['done', 'working', 'waiting'], 'progressing'],
    ['with a slow stage', {}, ['working', 'slow'], 'slow'],
    ['with a stuck stage and a slow one', {}, ['slow', 'stuck'], 'stalled'],
    ['whose DAQ is done', { phase: 'completed' }, ['working'], 'draining'],
    ['whose DAQ is done, with a slow stage', { phase: 'completed' }, ['slow'], 'slow'],
    ['that an operator paused', { isHeld: true }, ['stuck'], 'paused'],
    ['in standby', { phase: 'standby' }, ['slow'], 'paused'],
    ['in standby with a stage that was stuck before', { phase: 'standby' }, ['stuck'], 'stalled'],
    ['whose broker is away, whatever is stuck', { broker_away_since: ago(30) }, ['stuck'], 'slow'],
    [
      'whose broker is away with a slice in hand that was in time',
      { broker_away_since: ago(30), ...inHand(34) },
      [],
      'slow',
    ],
    [
      'whose broker is away and whose driver is gone',
      { broker_away_since: ago(30), driver: { ...alive, alive: false } },
      [],
      'stalled',
    ],
    [
      'paused while the broker is away, with a slice that was in time',
      { isHeld: true, broker_away_since: ago(30), ...inHand(34) },
      [],
      'paused',
    ],
    ['in standby with a slice in hand', { phase: 'standby', ...inHand(5) }, [], 'paused'],
    ['in standby with a slow slice in hand', { phase: 'standby', ...inHand(7) }, [], 'slow'],
    ['paused with a slice that hangs', { isHeld: true, ...inHand(16) }, [], 'stalled'],
  ])('%s follows from status, driver, pause and stages', (_, facts, states, health) => {
    expect(healthOf(factsOf({ facts }), states.map(stage))).toBe(health);
  });
});
