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
 * The health of an execution with a plan and a driver, in addition to its status; undefined while ages are
 * unknown.
 */
export function healthOf(facts: Facts, stages: readonly StageState[]): Health | undefined {
  const { status, phase, driver, isHeld } = facts;
  if (status !== 'running') return healthAfterEnd(status);
  // Detecting that a process is gone does not depend on clocks.
  if (driver?.alive === false) return 'stalled';
  if (facts.ahead_seconds > 0) return undefined;
  if (driver?.silent) return 'stalled';
  // Workers also finish slices in hand during a pause, so a pause does not excuse a slice that hangs.
  const inPause = healthInPause[handState(facts, paceOf(facts))];
  if (isHeld) return inPause;
  if (nothingSucceeds(facts.failing, facts.now)) return 'stalled';
  // While the broker is away, the agents' work is unknown, and nothing new reaches them.
  if (facts.broker_away_since !== undefined) return 'slow';
  if (stages.some(({ state }) => state === 'stuck')) return 'stalled';
  if (phase === 'standby') return inPause;
  if (stages.some(({ state }) => state === 'slow')) return 'slow';
  return phase === 'completed' ? 'draining' : 'progressing';
}

/**
 * The health of an execution according to its messages; undefined while no messages can be received, while ages
 * are unknown, and while a run may have been stopped in standby or may have ended.
 */
export function heardHealth(facts: HeardFacts): Health | undefined {
  const { status, isListening, ahead_seconds } = facts;
  const mayBeOpen = status !== 'failed' && status !== 'unknown';
  if (mayBeOpen && isStuck(facts)) return 'stalled';
  if (status !== 'running' && !(mayBeOpen && hasOpenFiles(facts))) return healthAfterEnd(status);
  return isListening && ahead_seconds === 0 ? healthNow(facts) : undefined;
}

/** The health of an execution that may still make progress. */
function healthNow(facts: HeardFacts): Health | undefined {
  if (facts.status !== 'running') return 'draining';
  if (isUnanswered(facts) || nothingSucceeds(facts.failing, facts.now)) return 'stalled';
  // A stopped run looks like a long standby, and a run whose runner is gone looks like a run that has ended.
  if (isSilent(facts)) return facts.phase === 'standby' || facts.phase === 'completed' ? undefined : 'stalled';
  if (facts.phase === 'standby') return 'paused';
  return facts.phase === 'completed' || isQuiet(facts) ? 'draining' : 'progressing';
}

const hasOpenFiles = ({ prompt }: HeardFacts) => (prompt?.open.count ?? 0) > 0;

/** Whether prompt processing is stuck: its run stays open or its files wait, whatever its status. */
const isStuck = (facts: HeardFacts) =>
  isNotClosed(facts) ||
  unprocessedFor(facts) !== undefined ||
  (facts.status === 'running' && facts.isListening && isNotHandedOver(facts));
