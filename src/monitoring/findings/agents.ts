import { goneSeconds, lateSeconds, livenessOf, strangerSeconds } from '../../domain/liveness.ts';
import { counted, doing } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import type { LostStart } from '../evidence.ts';
import { type Facts, delayOf, secondsBetween } from '../facts.ts';
import { itemOf, queueState } from '../stage-states.ts';
import { type Judgement, call, type FindingRule, here, ifDriven, rulesOf } from './rule.ts';

/**
 * Live agents send a heartbeat every few seconds: a driver that has just started has not heard them yet.
 */
const hasJustBegun = ({ driver, now }: Facts) =>
  driver !== undefined && (now - Date.parse(driver.since)) / 1000 < lateSeconds;

/**
 * Slices are started, done or in progress, so there is a worker that does not report itself, such as one of
 * other software.
 */
const isWorkedOn = (facts: Facts) =>
  facts.in_hand.some(({ since }) => secondsBetween(since, facts.now) < strangerSeconds) ||
  (['slice → slice_started', 'slice_started → slice_result', 'slice_started → failed result'] as const).some(
    (stage) => (facts.now - Date.parse(delayOf(facts.delays, stage)?.last_at ?? '')) / 1000 < goneSeconds,
  );

/** How much work waits for the missing agents, and how long they have done nothing. */
function costOf(stages: Judgement['stages'], missing: readonly string[]): string {
  const waits = stages
    .filter(
      ({ stage, waiting, state }) => missing.includes(stage) && waiting > 0 && (state === 'stuck' || state === 'slow'),
    )
    .map(
      ({ stage, waiting, idle_seconds }) =>
        `${doing(waiting, itemOf[stage], 'wait')} for the ${stage} stage, which has been idle for ${roundDuration(idle_seconds)}`,
    );
  return waits.length === 0 ? '' : ` (${waits.join('; ')})`;
}

/** Agents that the sentence names. */
const namedAgents = 5;

const isOf = ({ worker }: { worker: string }, agent: string) => worker.startsWith(`${agent}/`);

const becameOf = ({ status, worker_now }: LostStart) =>
  status === 'processing' ? `was started again by ${worker_now}` : `was started again and is ${status}`;

/** Files are usually answered much sooner. Seconds. */
export const unansweredSeconds = 60;

/** A role that is behind for a shorter time is merely busy. Seconds. */
const worthAWord = 60;

export const agentRules: readonly FindingRule[] = rulesOf(
  'driving',
  ifDriven({
    AGENT_MISSING: (facts) => {
      // No agent is heard then; another finding reports that.
      if (facts.broker_away_since !== undefined || hasJustBegun(facts)) return undefined;
      const missing = facts.missing.filter((type) => !(type === 'worker' && isWorkedOn(facts)));
      if (missing.length === 0) return undefined;
      const behind = facts.stages.map((stage) => (stage.stage === 'worker' ? queueState(facts) : stage));
      return {
        severity: 'error',
        sentence: `No ${missing.join(' agent and no ')} agent is working on it${costOf(behind, missing)}. Start ${missing.map((type) => `"swf-mcp agent ${type} --config FILE"`).join(' and ')} with this run's broker and namespace, or "swf-mcp up" on ${missing.length === 1 ? "that agent's host" : "those agents' hosts"}.`,
        ids: missing,
        next: call('list_agents', {}),
      };
    },

    AGENT_GONE: (facts) => {
      const { agents, broker_away_since } = facts;
      // No agent is heard then; another finding reports that.
      if (broker_away_since !== undefined) return undefined;
      // Agents of an earlier driver ended with it; the finding about its end covers them.
      const gone = agents
        .filter(({ state, status }) => state !== 'EXITED' && status === 'STALE')
        // A remote agent may be cut off for a while.
        .filter(({ isRemote, last_heartbeat }) => !isRemote || livenessOf(last_heartbeat, facts.now) === 'gone');
      if (gone.length === 0) return undefined;
      const waits = facts.isOverBroker ? 'waits for the broker to redeliver it' : 'waits to be started again';
      const left = [
        ...facts.lost.map((slice) => ({ ...slice, worker: slice.assigned_worker, now: waits })),
        ...facts.lost_starts.map((slice) => ({ ...slice, now: becameOf(slice) })),
      ].filter((slice) => gone.some(({ agent_name }) => isOf(slice, agent_name)));
      const names = gone.map(({ agent_name }) => agent_name).slice(0, namedAgents);
      const descriptions = gone.slice(0, namedAgents).map(({ agent_name, hostname, isRemote }) => {
        const held = left.filter((slice) => isOf(slice, agent_name)).length;
        const where = isRemote ? ` on ${hostname}` : '';
        return `${agent_name}${where}${held === 0 ? '' : ` with ${counted(held, 'TF slice')} in progress`}`;
      });
      const slices = left.slice(0, namedAgents).map(({ slice_filename, now }) => `${slice_filename} ${now}`);
      const others = left.length > namedAgents ? ` and ${left.length - namedAgents} more` : '';
      const outcome = slices.length === 0 ? '' : `Their slices: ${slices.join(', ')}${others}. `;
      return {
        severity: 'warning',
        sentence: `Not heard from since ${gone[0]?.last_heartbeat}: ${descriptions.join(', ')}. ${outcome}Check their hosts; slices go to other workers.`,
        ids: [...names, ...left.slice(0, namedAgents).map(({ slice_filename }) => slice_filename)],
        next: here('list_agents'),
      };
    },

    /** An agent is heard but does not answer: the messages to it may be lost, or it cannot do the work. */
    UNANSWERED: (facts) =>
      facts.unanswered.map(({ role, files, first, since, off_duty }) => ({
        severity: off_duty === undefined ? ('warning' as const) : ('error' as const),
        sentence:
          off_duty === undefined
            ? `The ${role} agent is alive but has not responded to ${counted(files, 'STF file')} since ${since} (first: ${first}); they are sent again after a few minutes.`
            : `${off_duty.detail} (${off_duty.agent} on ${off_duty.hostname}). So the ${role} agent has not responded to ${counted(files, 'STF file')} since ${since} (first: ${first}).`,
        ids: [first],
        about: role,
        next: call('list_agents', { agent_type: role }),
      })),

    READER_BEHIND: (facts) =>
      facts.behind
        .map((one) => ({ ...one, seconds: Math.round((facts.now - Date.parse(one.since)) / 1000) }))
        .filter(({ seconds }) => seconds > worthAWord)
        .map(({ role, rows, since, seconds }) => ({
          severity: 'warning',
          sentence: `The ${role} agent is ${rows.toLocaleString('en')} or more messages behind: it has read nothing recorded since ${since}, ${roundDuration(seconds)} ago.`,
          ids: [role],
          about: role,
          next: here('list_agents'),
        })),
  }),
);
