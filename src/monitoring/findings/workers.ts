import { counted, doing, were, someOf } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { grouped } from '../../lib/grouped.ts';
import { shortDigests, clipWords } from '../../lib/words.ts';
import type { Capacity } from '../capacity.ts';
import type { Evidence } from '../evidence.ts';
import { type Facts, delayOf, idleSeconds } from '../facts.ts';
import { type Found, call, type FindingRule, here, ifDriven, rulesOf, isDriven } from './rule.ts';

/** What slices need, by the reason why a worker leaves them. */
const needed: Readonly<Record<string, string>> = {
  NO_PAYLOAD: 'this payload',
  NO_FILE: 'these files',
  WRONG_FILE: 'this file',
};

/** The words for each reason. */
const lacks: Readonly<Record<string, string>> = {
  NO_PAYLOAD: 'lacks the payload',
  NO_FILE: 'cannot reach the files below',
  WRONG_FILE: 'has a different copy of',
};

type OffDutyAgent = Evidence['off_duty'][number];

const offDutySentence = ({ agent, agent_type, hostname, slots, reason, kind, since, detail }: OffDutyAgent) =>
  `${agent} on ${hostname}: ${detail ?? `it ${lacks[reason] ?? reason} ${kind}`}. ${agent_type === 'worker' ? `Its ${(slots ?? 0) > 0 ? `${slots} ` : ''}slots ${since === undefined ? 'accept' : 'have accepted'} no slices that need ${needed[reason] ?? 'it'}` : 'It leaves these STF files to others'}${since === undefined ? '' : ` since ${since}`}; it checks again every 30 s.`;

/** How many kinds of work to report, and how many slots to name. */
const most = 20;

/** The first findings, of which the last says how many more kinds of work there are. */
function firstKinds(findings: readonly Found[]): Found[] {
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
 * The slots of a worker that rest, with the reason of the first: the others have similar ones. A reason begins
 * with the name of the slot, or of the worker if it has none.
 */
function restSentence(resting: readonly OffDutyAgent[]) {
  const reasons = resting.map(({ agent, detail }) => detail ?? `${agent} rests`).toSorted();
  const [[place = '', ...what] = [], ...others] = reasons.map((reason) => reason.split(' '));
  const names = others.map(([name = '']) => name.slice(name.indexOf('/') + 1));
  const slots = someOf(names, names.length, most);
  const more =
    others.length === 0
      ? ''
      : ` ${others.length === 1 ? `Slot ${slots} takes` : `Slots ${slots} take`} no slices either.`;
  const reason = what.join(' ').replace(/\.$/, '');
  return `${place} on ${resting[0]?.hostname} ${reason}.${more} After a rest it takes one slice at a time until one succeeds, and rests longer after each failure; check that host.`;
}

/** The kinds of work that an agent leaves to others, and its slots that rest as one. */
function ofAgent(kinds: readonly OffDutyAgent[]): Found[] {
  const resting = kinds.filter(({ reason }) => reason === 'FAILING');
  const [rest] = resting;
  const finding = (one: OffDutyAgent, sentence: string): Found => ({
    severity: 'warning',
    sentence: shortDigests(sentence),
    ids: [one.agent, one.hostname],
    about: one.agent,
    next: call('list_agents', { agent_type: one.agent_type }),
  });
  return [
    ...(rest === undefined ? [] : [finding(rest, restSentence(resting))]),
    ...firstKinds(kinds.filter(({ reason }) => reason !== 'FAILING').map((one) => finding(one, offDutySentence(one)))),
  ];
}

/** Longest reason shown, in characters. */
const shownDetail = 400;

const backlogWords = ({ backlog = 0, backlog_seconds: work }: Capacity) =>
  `${counted(backlog, 'slice')} waiting${work === undefined ? '' : `, ${roundDuration(work)} of work`}`;

/**
 * The last slices take as long as one slice in any run; with too few workers they take much longer, and half
 * of all slices waited.
 */
const minDrains = 3;

/** The same for an ended execution: the slices left by the DAQ took long. */
function wereTooFew(facts: Facts, capacity: Capacity): Found | undefined {
  const { workers = 0, workers_needed, keeps_up, drain_seconds, arrival_rate, service_seconds } = capacity;
  if (keeps_up !== false || drain_seconds === undefined || drain_seconds < minDrains * service_seconds)
    return undefined;
  // A slice that waited through a pause, or for a driver, waited for that.
  const waited = (delayOf(facts.delays, 'slice → slice_started')?.p50 ?? 0) - idleSeconds(facts, 0, facts.now);
  if (waited < service_seconds || (workers_needed ?? 0) > facts.counts.slices_created) return undefined;
  return {
    severity: 'info',
    sentence: `${counted(workers, 'worker')} could not keep up with ${arrival_rate} slices/s of ${Math.round(service_seconds * 10) / 10} s each: ${workers_needed} would have. The last slice was finished ${roundDuration(drain_seconds)} after the DAQ ended.`,
    next: here('get_execution_timeline'),
  };
}

/** Whether the DAQ makes STFs: while it is paused nothing arrives. */
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
        return {
          severity: 'warning',
          sentence: `${were(lost.length, 'slice')} being processed by workers that are gone; ${facts.isOverBroker ? 'the broker redelivers such slices' : 'such slices are started again'}.`,
          ids: lost.slice(0, 5).flatMap(({ assigned_worker, slice_filename }) => [assigned_worker, slice_filename]),
          next: here('list_tf_slices', { status: 'processing' }),
        };
      },

      /**
       * A worker takes slices, but its work does not count: its build is too old, or it does not say whose
       * slices they are.
       */
      WORKER_USELESS: ({ useless }) =>
        useless.map(({ agent, hostname, unheard_since }) => ({
          severity: 'error' as const,
          sentence:
            unheard_since === undefined
              ? `${agent} on ${hostname} is an earlier build, which also takes slices meant for other programs; its slots do not count here. Stop it, and install this version there.`
              : `${agent} on ${hostname} takes slices, but none of its messages about them has arrived since ${unheard_since}: it does not copy their store_id header. Its slices go to others; stop it, or fix it as described in docs/broker.md.`,
          ids: [agent, hostname],
          about: agent,
          next: call('list_agents', { agent_type: 'worker' }),
        })),

      /**
       * An agent is heard but leaves work of this execution to others. Other findings report work that no
       * one can do.
       */
      WORKER_OFF_DUTY: ({ off_duty, unfit, unanswered }) => {
        const isTold = ({ agent, reason, kind }: (typeof off_duty)[number]) =>
          unfit.some((slices) => slices.reason === reason && slices.kind === kind) ||
          unanswered.some((files) => files.off_duty?.agent === agent);
        const untold = off_duty.filter((one) => !isTold(one));
        return [...grouped(untold, ({ agent }) => agent).values()].flatMap(ofAgent);
      },

      /** Slices wait, and none of the workers heard can do them. */
      NO_WORKER_FOR: ({ unfit }) =>
        firstKinds(
          unfit.map(({ reason, kind, slices, agent, hostname, others, detail }) => ({
            severity: 'error' as const,
            sentence: shortDigests(
              `${agent} on ${hostname}: ${clipWords(detail ?? `it ${lacks[reason] ?? reason} ${kind}`, shownDetail)}, so ${doing(slices, 'TF slice', 'wait')}${others === 0 ? ', and no other worker is alive' : `: none of the ${others + 1} live workers can do them`}.`,
            ),
            ids: [reason, kind],
            about: kind,
            next: call('list_agents', { agent_type: 'worker' }),
          })),
        ),
    }),
  ),
  ...rulesOf('driving', {
    /** While the DAQ works, a backlog grows only if the workers cannot keep up. */
    WORKERS_TOO_FEW: (facts) => {
      const { capacity } = facts;
      if (capacity !== undefined && facts.status === 'completed') return wereTooFew(facts, capacity);
      if (capacity === undefined || !isComing(facts)) return undefined;
      const { workers = 0, workers_needed = 0, backlog = 0, arrival_rate = 0, service_seconds } = capacity;
      // Other findings report a lack of any worker.
      if (workers === 0 || workers_needed <= workers || backlog === 0) return undefined;
      // A run with an end is meant to lag and drain. One without an end is not.
      const isEndless = facts.stf_planned === undefined;
      const outlook = isEndless ? ', and more are arriving' : '; the queue drains after the DAQ is done';
      const pace = `${arrival_rate} slices/s of ${Math.round(service_seconds * 10) / 10} s each`;
      return {
        severity: isEndless ? 'warning' : 'info',
        sentence: `${counted(workers, 'worker')} cannot keep up with ${pace}: ${workers_needed} would. ${backlogWords(capacity)}${outlook}.`,
        next: here('list_tf_slices', { status: 'queued' }),
      };
    },
  }),
];
