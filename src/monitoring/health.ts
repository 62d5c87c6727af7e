import type { ExecutionStatus, Health } from '../domain/states.ts';
import { nothingSucceeds } from './evidence.ts';
import type { Facts } from './facts.ts';
import { type HeardFacts, isQuiet, isSilent, isUnanswered } from './heard-facts.ts';
import { handState, paceOf } from './pace.ts';
import { isNotClosed, isNotHandedOver, unprocessedFor } from './prompt-state.ts';
import type { StageState } from './stage-states.ts';

/** The health of an execution that has ended; undefined if its end is unknown. */
export function healthAfterEnd(status: Exclude<ExecutionStatus, 'running'>): Health | undefined {
  if (status === 'unknown') return undefined;
  return status === 'failed' ? 'failed' : 'finished';
}

const healthInPause = { working: 'paused', slow: 'slow', stuck: 'stalled' } as const;

/**
 * The health of an execution with a plan and a driver, in addition to its status; undefined while no age is
 * known.
 */
export function healthOf(facts: Facts, stages: readonly StageState[]): Health | undefined {
  const { status, phase, driver, isHeld } = facts;
  if (status !== 'running') return healthAfterEnd(status);
  // A process that is gone is detected whatever the clocks say.
  if (driver?.alive === false) return 'stalled';
  if (facts.ahead_seconds > 0) return undefined;
  if (driver?.silent) return 'stalled';
  // Workers finish slices in hand during a pause too, so a pause does not excuse a slice that hangs.
  const inPause = healthInPause[handState(facts, paceOf(facts))];
  if (isHeld) return inPause;
  if (nothingSucceeds(facts.failing, facts.now)) return 'stalled';
  // What agents do meanwhile is not known, and nothing new reaches them.
  if (facts.broker_away_since !== undefined) return 'slow';
  if (stages.some(({ state }) => state === 'stuck')) return 'stalled';
  if (phase === 'standby') return inPause;
  if (stages.some(({ state }) => state === 'slow')) return 'slow';
  return phase === 'completed' ? 'draining' : 'progressing';
}

/** The health of an execution according to its messages; undefined while nothing is heard from it. */
export function heardHealth(facts: HeardFacts): Health | undefined {
  const { status, phase, isListening } = facts;
  if (status !== 'failed' && status !== 'unknown' && isStuck(facts)) return 'stalled';
  if (status === 'completed' || status === 'terminated') return hasOpenFiles(facts) ? 'draining' : 'finished';
  if (status !== 'running') return healthAfterEnd(status);
  if (!isListening) return undefined;
  if (isSilent(facts) || isUnanswered(facts) || nothingSucceeds(facts.failing, facts.now)) return 'stalled';
  if (phase === 'standby') return 'paused';
  return isDraining(facts) ? 'draining' : 'progressing';
}

const isDraining = (facts: HeardFacts) => facts.phase === 'completed' || isQuiet(facts);

const hasOpenFiles = ({ prompt }: HeardFacts) => (prompt?.open.count ?? 0) > 0;

/** Whether prompt processing is stuck: whatever its status, its run stays open, or its files wait. */
const isStuck = (facts: HeardFacts) =>
  isNotClosed(facts) ||
  unprocessedFor(facts) !== undefined ||
  (facts.status === 'running' && facts.isListening && isNotHandedOver(facts));
