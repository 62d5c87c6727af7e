import { goneSeconds, lateSeconds, livenessOf, strangerSeconds } from '../../domain/liveness.ts';
import { are, counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import type { LostStart } from '../evidence.ts';
import { type Facts, delayOf, secondsBetween } from '../facts.ts';
import { itemOf, queueState } from '../stage-states.ts';
import { type Judgement, call, type FindingRule, here, ifDriven, rulesOf, error, warning } from './rule.ts';

/**
 * Live agents send a heartbeat every few seconds, so a driver that has just started may not have received
 * any.
 */
const hasJustBegun = ({ driver, now }: Facts) =>
  driver !== undefined && (now - Date.parse(driver.since)) / 1000 < lateSeconds;

/**
 * Whether slices are being started, processed or finished. If they are, but no worker is known, there must be a
 * worker that does not report itself, such as one from another program.
 */
const isWorkedOn = (facts: Facts) =>
  facts.in_hand.some(({ since }) => secondsBetween(since, facts.now) < strangerSeconds) ||
  (['slice → slice_started', 'slice_started → slice_result', 'slice_started → failed result'] as const).some(
    (stage) => (facts.now - Date.parse(delayOf(facts.delays, stage)?.last_at ?? '')) / 1000 < goneSeconds,
  );

/** How much work is waiting for the missing agents, and how long their stages have been idle. */
function costOf(stages: Judgement['stages'], missing: readonly string[]) {
  const waits = stages
    .filter(
      ({ stage, waiting, state }) => missing.includes(stage) && waiting > 0 && (state === 'stuck' || state === 'slow'),
    )
    .map(
      ({ stage, waiting, idle_seconds }) =>
        `${are(waiting, itemOf[stage])} waiting for the ${stage} stage, which has been idle for ${roundDuration(idle_seconds)}`,
    );
  return waits.length === 0 ? '' : ` (${waits.join('; ')})`;
}

const namedAgents = 5;

const isOf = ({ worker }: { worker: string }, agent: string) => worker.startsWith(`${agent}/`);

const becameOf = ({ status, worker_now }: LostStart) =>
  status === 'processing' ? `was started again by ${worker_now}` : `was started again and is ${status}`;

/** Agents usually answer messages about files in far fewer seconds than this. */
export const unansweredSeconds = 60;

/** A role that has been behind for fewer seconds than this is merely busy. */
const worthAWord = 60;

export const agentRules: readonly FindingRule[] = rulesOf(
  'driving',
  ifDriven({
    AGENT_MISSING: (facts) => {
      // While the broker is away, no agent is heard from; another finding reports that.
      if (facts.broker_away_since !== undefined || hasJustBegun(facts)) return undefined;
      const missing = facts.missing.filter((type) => !(type === 'worker' && isWorkedOn(facts)));
      if (missing.length === 0) return undefined;
      const behind = facts.stages.map((stage) => (stage.stage === 'worker' ? queueState(facts) : stage));
      return error(
        `No ${missing.join(' agent and no ')} agent is working on it${costOf(behind, missing)}. Start ${missing.map((type) => `"swf-mcp agent ${type} --config FILE"`).join(' and ')} with this run's broker and namespace, or "swf-mcp up" on ${missing.length === 1 ? "that agent's host" : "those agents' hosts"}.`,
        call('list_agents', {}),
        missing,
      );
    },

    AGENT_GONE: (facts) => {
      const { agents, broker_away_since } = facts;
      // While the broker is away, no agent is heard from; another finding reports that.
      if (broker_away_since !== undefined) return undefined;
      // The agents of an earlier driver ended with it; the finding about the driver's end covers them.
      const gone = agents
        .filter(({ state, status }) => state !== 'EXITED' && status === 'STALE')
        // The connection of a remote agent may be down for a while.
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
      return warning(
        `Not heard from since ${gone[0]?.last_heartbeat}: ${descriptions.join(', ')}. ${outcome}Check their hosts; slices go to other workers.`,
        here('list_agents'),
        [...names, ...left.slice(0, namedAgents).map(({ slice_filename }) => slice_filename)],
      );
    },

    /** A live agent does not answer: messages to it may have been lost, or it cannot do the work. */
    UNANSWERED: (facts) =>
      facts.unanswered.map(({ role, files, first, since, off_duty }) =>
        (off_duty === undefined ? warning : error)(
          off_duty === undefined
            ? `The ${role} agent is alive but has not responded to ${counted(files, 'STF file')} since ${since} (first: ${first}); unanswered messages are sent again after a few minutes.`
            : `${off_duty.detail} (${off_duty.agent} on ${off_duty.hostname}). So the ${role} agent has not responded to ${counted(files, 'STF file')} since ${since} (first: ${first}).`,
          call('list_agents', { agent_type: role }),
          [first],
          { about: role },
        ),
      ),

    READER_BEHIND: (facts) =>
      facts.behind
        .map((one) => ({ ...one, seconds: Math.round((facts.now - Date.parse(one.since)) / 1000) }))
        .filter(({ seconds }) => seconds > worthAWord)
        .map(({ role, rows, since, seconds }) =>
          warning(
            `The ${role} agent is ${rows.toLocaleString('en')} or more messages behind: it has read no message recorded since ${since}, ${roundDuration(seconds)} ago.`,
            here('list_agents'),
            [role],
            { about: role },
          ),
        ),
  }),
);
