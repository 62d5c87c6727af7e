import type { Health } from '../domain/states.ts';
import type { Facts } from './facts.ts';
import type { StageState } from './stage-states.ts';

/** How an execution does, beside its status (contract §5 and §7). */
export function healthOf(facts: Facts, stages: readonly StageState[]): Health {
  const { status, phase, driver, isHeld } = facts;
  if (status === 'failed') return 'failed';
  if (status !== 'running') return 'finished';
  if (driver !== undefined && (!driver.alive || driver.silent)) return 'stalled';
  if (isHeld || phase === 'standby') return 'paused';
  if (stages.some(({ state }) => state === 'stuck')) return 'stalled';
  if (stages.some(({ state }) => state === 'slow')) return 'slow';
  return phase === 'completed' ? 'draining' : 'progressing';
}
