import type { Health } from '../domain/states.ts';
import type { Facts } from './facts.ts';
import { nothingSucceeds } from './failures-in-a-row.ts';
import { handState, paceOf } from './pace.ts';
import type { StageState } from './stage-states.ts';

/** The health of an execution, beside its status. */
export function healthOf(facts: Facts, stages: readonly StageState[]): Health {
  const { status, phase, driver, isHeld } = facts;
  if (status === 'failed') return 'failed';
  if (status !== 'running') return 'finished';
  if (driver !== undefined && (!driver.alive || driver.silent)) return 'stalled';
  // Workers finish slices in hand during a pause too, so a pause does not excuse a slice that hangs.
  const hand = handState(facts, paceOf(facts));
  const inPause = hand === 'working' ? 'paused' : hand === 'slow' ? 'slow' : 'stalled';
  if (isHeld) return inPause;
  if (nothingSucceeds(facts.failing, facts.now) || stages.some(({ state }) => state === 'stuck')) return 'stalled';
  if (phase === 'standby') return inPause;
  if (stages.some(({ state }) => state === 'slow')) return 'slow';
  return phase === 'completed' ? 'draining' : 'progressing';
}
