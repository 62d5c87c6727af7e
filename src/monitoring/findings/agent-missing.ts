import { goneSeconds, lateSeconds, strangerSeconds } from '../../domain/liveness.ts';
import { roundDuration } from '../../lib/duration.ts';
import { delayOf, secondsBetween, type Facts } from '../facts.ts';
import { queueState } from '../stage-states.ts';
import { call, defineDrivenFinding, type Judgement } from './rule.ts';

export const agentMissing = defineDrivenFinding('AGENT_MISSING', ({ facts, evidence, judged: { stages } }) => {
  // Nobody is heard then; another finding reports that.
  if (evidence.broker_away_since !== undefined || hasJustBegun(facts)) return undefined;
  const missing = evidence.missing.filter((type) => !(type === 'worker' && isWorkedOn(facts)));
  if (missing.length === 0) return undefined;
  const behind = stages.map((stage) => (stage.stage === 'worker' ? queueState(facts) : stage));
  return {
    severity: 'error',
    sentence: `No ${missing.join(' and no ')} agent works on it${costOf(behind, missing)}. Start ${missing.map((type) => `"swf-mcp agent ${type} --config FILE"`).join(' and ')} with its broker and namespace, or "swf-mcp up" on their host.`,
    ids: [...missing],
    next: call('list_agents', {}),
  };
});

/** Living agents send a sign of life every few seconds: a driver that has just started has not heard them yet. */
const hasJustBegun = ({ driver, now }: Facts): boolean =>
  driver !== undefined && (now - Date.parse(driver.since)) / 1000 < lateSeconds;

/** Slices are started, done or in hand: some worker is there although it does not report itself, such as one of another make. */
const isWorkedOn = (facts: Facts): boolean =>
  facts.in_hand.some(({ since }) => secondsBetween(since, facts.now) < strangerSeconds) ||
  (['slice → slice_started', 'slice_started → slice_result', 'slice_started → failed result'] as const).some(
    (stage) => (facts.now - Date.parse(delayOf(facts, stage)?.last_at ?? '')) / 1000 < goneSeconds,
  );

/** How much work waits for the missing agents, and how long they have done nothing. */
function costOf(stages: Judgement['stages'], missing: readonly string[]): string {
  const waits = stages
    .filter(
      ({ stage, waiting, state }) => missing.includes(stage) && waiting > 0 && (state === 'stuck' || state === 'slow'),
    )
    .map(
      ({ stage, waiting, idle_seconds }) =>
        `${waiting} ${waiting === 1 ? 'waits' : 'wait'} for the ${stage} stage, which has done nothing for ${roundDuration(idle_seconds)}`,
    );
  return waits.length === 0 ? '' : ` (${waits.join('; ')})`;
}
