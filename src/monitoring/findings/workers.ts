import { are, counted, were, someOf } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { grouped } from '../../lib/grouped.ts';
import { clause, clipWords, shortDigests } from '../../lib/words.ts';
import type { Capacity } from '../capacity.ts';
import type { Evidence } from '../evidence.ts';
import { type Facts, delayOf, idleSeconds } from '../facts.ts';
import { type Found, call, type FindingRule, here, ifDriven, rulesOf, isDriven, error, info, warning } from './rule.ts';

/** What the slices that a worker leaves to others need, by reason. */
const needed: Readonly<Record<string, string>> = {
  NO_PAYLOAD: 'this payload',
  NO_FILE: 'these files',
  WRONG_FILE: 'this file',
};

const lacks: Readonly<Record<string, string>> = {
  NO_PAYLOAD: 'lacks the payload',
  NO_FILE: 'cannot reach the files under',
  WRONG_FILE: 'has a different copy of',
};

type OffDutyAgent = Evidence['off_duty'][number];

function offDutySentence({ agent, agent_type, hostname, slots, reason, kind, since, detail }: OffDutyAgent) {
  const [accepts, leaves] = since === undefined ? ['accepts', 'leaves'] : ['has accepted', 'has left'];
  const what =
    agent_type === 'worker'
      ? `This worker${slots ? ` (${counted(slots, 'slot')})` : ''} ${accepts} no slices that need ${needed[reason] ?? 'it'}`
      : `This agent ${leaves} these STF files to others`;
  return `${agent} on ${hostname}: ${detail ?? `it ${lacks[reason] ?? reason} ${kind}`}. ${what}${clause(' since ', since)}; it checks again every 30 s.`;
}

/** Maximum number of kinds of work to report, and of slots to name. */
const most = 20;

/** The first findings. The last of them says how many more kinds of work there are. */
function firstKinds(findings: readonly Found[]) {
  const more = findings.length - most;
  return findings
    .slice(0, most)
    .map((one, at) =>
      at < most - 1 || more <= 0
        ? one
        : { ...one, sentence: `${one.sentence} The same applies to ${counted(more, 'more kind')} of work.` },
    );
}

/**
 * Describes the resting slots of a worker with the reason for the first one, since the reasons for the others
 * are similar. A reason begins with the name of the slot, or of the worker if it has no slots.
 */
function restSentence(resting: readonly OffDutyAgent[]) {
  const reasons = resting.map(({ agent, detail }) => detail ?? `${agent} rests`).toSorted();
  const [[place = '', ...what] = [], ...others] = reasons.map((reason) => reason.split(' '));
  const names = others.map(([name = '']) => name.slice(name.indexOf('/') + 1));
  const slots = someOf(names, names.length, most - 1);
  const more =
    others.length === 0
      ? ''
      : ` ${others.length === 1 ? `Slot ${slots} takes` : `Slots ${slots} take`} no slices either.`;
  const reason = what.join(' ').replace(/\.$/, '');
  return `${place} on ${resting[0]?.hostname} ${reason}.${more} After a rest, ${others.length === 0 ? 'it' : 'each slot'} takes one slice at a time until one succeeds, and rests longer after each failure; check that host.`;
}

/** Findings for the kinds of work that an agent leaves to others. The agent's resting slots count as one kind. */
function ofAgent(kinds: readonly OffDutyAgent[]) {
  const resting = kinds.filter(({ reason }) => reason === 'FAILING');
  const [rest] = resting;
  const finding = (one: OffDutyAgent, sentence: string): Found =>
    warning(shortDigests(sentence), call('list_agents', { agent_type: one.agent_type }), [one.agent, one.hostname], {
      about: one.agent,
    });
  return [
    ...(rest === undefined ? [] : [finding(rest, restSentence(resting))]),
    ...firstKinds(kinds.filter(({ reason }) => reason !== 'FAILING').map((one) => finding(one, offDutySentence(one)))),
  ];
}

/** Maximum length of a reason, in characters. */
const shownDetail = 400;

const backlogWords = ({ backlog = 0, backlog_seconds: work }: Capacity) =>
  `${counted(backlog, 'slice')} waiting${work === undefined ? '' : `, ${roundDuration(work)} of work`}`;

/**
 * In any run, finishing the slices left at the end takes about as long as one slice. With too few workers, it
 * takes much longer, and half of all slices have waited at least as long as one slice takes.
 */
const minDrains = 3;

/** Whether an ended execution had too few workers: the slices left at the end of the DAQ took a long time. */
function wereTooFew(facts: Facts, capacity: Capacity): Found | undefined {
  const { workers = 0, workers_needed, keeps_up, drain_seconds, arrival_rate, service_seconds } = capacity;
  if (keeps_up !== false || drain_seconds === undefined || drain_seconds < minDrains * service_seconds)
    return undefined;
  // A slice that waited during a pause, or for a driver, did not wait for a worker.
  const waited = (delayOf(facts.delays, 'slice → slice_started')?.p50 ?? 0) - idleSeconds(facts, 0, facts.now);
  if (waited < service_seconds || (workers_needed ?? 0) > facts.counts.slices_created) return undefined;
  return info(
    `${counted(workers, 'worker')} could not keep up with ${arrival_rate} slices/s, each taking ${Math.round(service_seconds * 10) / 10} s: ${workers_needed} were needed. The last slice was finished ${roundDuration(drain_seconds)} after the DAQ ended.`,
    here('get_execution_timeline'),
  );
}

/** Whether the DAQ produces STFs. While it is paused, nothing arrives. */
const isComing = (facts: Facts) =>
  facts.status === 'running' &&
  !facts.isHeld &&
  facts.phase !== 'standby' &&
  facts.phase !== 'completed' &&
  isDriven(facts);

export const workerRules: readonly FindingRule[] = [
  ...rulesOf(
    'driving',
    ifDriven({
      WORKER_GONE: (facts) => {
        const { lost } = facts;
        if (lost.length === 0) return undefined;
        return warning(
          `${were(lost.length, 'slice')} being processed by workers that are gone; ${facts.isOverBroker ? 'the broker redelivers such slices' : 'such slices are started again'}.`,
          here('list_tf_slices', { status: 'processing' }),
          lost.slice(0, 5).flatMap(({ assigned_worker, slice_filename }) => [assigned_worker, slice_filename]),
        );
      },

      /**
       * A worker takes slices, but its work does not count: its build is too old, or its messages about them
       * do not arrive.
       */
      WORKER_USELESS: ({ useless }) =>
        useless.map(({ agent, hostname, unheard_since }) =>
          error(
            unheard_since === undefined
              ? `${agent} on ${hostname} runs an earlier build, which also takes slices meant for other programs; its slots do not count here. Stop it, and install this version there.`
              : `${agent} on ${hostname} takes slices, but none of its messages about them has arrived since ${unheard_since}: it does not copy the slices' store_id header. Its slices go to others; stop it, or fix it as described in docs/broker.md.`,
            call('list_agents', { agent_type: 'worker' }),
            [agent, hostname],
            { about: agent },
          ),
        ),

      /**
       * A live agent leaves work of this execution to others. Other findings report work that no agent can
       * do.
       */
      WORKER_OFF_DUTY: ({ off_duty, unfit, unanswered }) => {
        const isTold = ({ agent, reason, kind }: (typeof off_duty)[number]) =>
          unfit.some((slices) => slices.reason === reason && slices.kind === kind) ||
          unanswered.some((files) => files.off_duty?.agent === agent);
        const untold = off_duty.filter((one) => !isTold(one));
        return [...grouped(untold, ({ agent }) => agent).values()].flatMap(ofAgent);
      },

      /** Some waiting slices cannot be processed by any live worker. */
      NO_WORKER_FOR: ({ unfit }) =>
        firstKinds(
          unfit.map(({ reason, kind, slices, agent, hostname, others, detail }) =>
            error(
              shortDigests(
                `${agent} on ${hostname}: ${clipWords(detail ?? `it ${lacks[reason] ?? reason} ${kind}`, shownDetail)}, so ${are(slices, 'TF slice')} waiting${others === 0 ? ', and no other worker is alive' : `: none of the ${others + 1} live workers can process ${slices === 1 ? 'it' : 'them'}`}.`,
              ),
              call('list_agents', { agent_type: 'worker' }),
              [reason, kind],
              { about: kind },
            ),
          ),
        ),
    }),
  ),
  ...rulesOf('driving', {
    /** While the DAQ is running, a backlog grows only if the workers cannot keep up. */
    WORKERS_TOO_FEW: (facts) => {
      const { capacity } = facts;
      if (capacity !== undefined && facts.status === 'completed') return wereTooFew(facts, capacity);
      if (capacity === undefined || !isComing(facts)) return undefined;
      const { workers = 0, workers_needed = 0, backlog = 0, arrival_rate = 0, service_seconds } = capacity;
      // Other findings report that there are no workers at all.
      if (workers === 0 || workers_needed <= workers || backlog === 0) return undefined;
      // A run with an end may be planned to lag and then drain, but a run without an end would never drain.
      const isEndless = facts.stf_planned === undefined;
      const outlook = isEndless ? ', and more are arriving' : '; the queue drains after the DAQ is done';
      const pace = `${arrival_rate} slices/s, each taking ${Math.round(service_seconds * 10) / 10} s`;
      return (isEndless ? warning : info)(
        `${counted(workers, 'worker')} cannot keep up with ${pace}: ${workers_needed} are needed. ${backlogWords(capacity)}${outlook}.`,
        here('list_tf_slices', { status: 'queued' }),
      );
    },
  }),
];
