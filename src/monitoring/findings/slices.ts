import { countCauses } from '../../domain/causes.ts';
import type { StageDelay } from '../../domain/stages.ts';
import { counted, were } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { nothingSucceeds } from '../evidence.ts';
import { type SliceFacts, delayOf, payloadLimit } from '../facts.ts';
import { overdueSlices } from '../pace.ts';
import { type FindingRule, type Found, call, causesSentence, here, ifDriven, rulesOf } from './rule.ts';

/** Places that the sentence names. */
const namedPlaces = 3;

/** The call that shows the attempts by their places. */
function nextOf(kind: NonNullable<SliceFacts['concentration']>['kind']): Found['next'] {
  const groups = { slot: 'worker', worker: 'worker', host: 'host', 'STF file': 'stf_filename' } as const;
  return kind === 'slice number'
    ? here('list_tf_slices', { status: 'failed' })
    : here('summarize', { what: 'slices', group_by: `${groups[kind]},status` });
}

/** Workers that the sentence names. */
const namedWorkers = 4;

/** The preposition for failures at a place; by default `on`. */
const failedAt: Readonly<Record<string, string>> = { 'STF file': 'on slices of', 'slice number': 'at' };

/** How many first attempts failed on each worker, if there are several. */
function workersSentence(workers: SliceFacts['by_worker']): string {
  if (workers.length < 2) return '';
  const shown = workers.slice(0, namedWorkers).map(({ name, failed, tried }) => `${failed} of ${tried} on ${name}`);
  const more = workers.length - shown.length;
  return ` First attempts that failed, by worker: ${shown.join(', ')}${more > 0 ? `, and no larger share on ${counted(more, 'other worker')}` : ''}.`;
}

/** Fewer slices do not show what is usual. */
const minItems = 20;

/**
 * A slice is out of all proportion if it took this many times the p95 of all, and at least this many seconds.
 */
const minRatio = 10;
const minSeconds = 1;

/** Whether the slowest slice is out of all proportion. @param delay of completed slices */
export const hasSlowSlice = (delay: StageDelay | undefined) =>
  delay !== undefined && delay.items >= minItems && delay.max >= Math.max(minSeconds, minRatio * delay.p95);

/** Slots that the sentence names. */
const namedSlots = 3;

/** Slices that the ids name. */
const namedSlices = 3;

export const sliceRules: readonly FindingRule[] = [
  ...rulesOf('slices', {
    NOTHING_SUCCEEDS: (facts) => {
      const { failing, status, counts, causes, until } = facts;
      if (!nothingSucceeds(failing, until)) return undefined;
      const { since, attempts, isMore, last_done } = failing;
      const done = counts.slices_completed;
      const first = new Date(since).toISOString();
      const before =
        last_done !== undefined
          ? `the last slice was done at ${new Date(last_done).toISOString()}`
          : done === 0
            ? 'no slice has ever been completed'
            : `${were(done, 'slice')} done before`;
      const what = isMore
        ? `more than ${attempts} attempts failed, and none succeeded`
        : `all ${attempts} attempts since then failed`;
      return {
        severity: 'error',
        sentence: `Nothing ${status === 'running' ? 'has succeeded' : 'succeeded'} since ${isMore ? 'at least ' : ''}${first}: ${what}; ${before}.`,
        causes: causesSentence(causes),
        next: here('list_tf_slices', { status: 'failed', order: 'newest' }),
      };
    },

    FAILURES_ON_ONE: ({ concentration }) => {
      if (concentration === undefined) return undefined;
      const { kind, places, failed, tried, failed_elsewhere, tried_elsewhere, errors } = concentration;
      const elsewhere =
        failed_elsewhere === 0
          ? `none of ${tried_elsewhere} elsewhere`
          : `${failed_elsewhere} of ${tried_elsewhere} elsewhere`;
      const others = places.length > namedPlaces ? ` and ${places.length - namedPlaces} more` : '';
      const where =
        places.length === 1
          ? `${kind} ${places[0]}`
          : `${places.length} ${kind}s (${places.slice(0, namedPlaces).join(', ')}${others})`;
      return {
        severity: 'error',
        sentence: `${failed} of ${tried} first attempts ${failedAt[kind] ?? 'on'} ${where} failed, and ${elsewhere}: more than chance explains.`,
        causes: causesSentence(countCauses(errors), 'first attempt'),
        ids: places.slice(0, namedPlaces),
        next: nextOf(kind),
      };
    },

    SLICES_FAILED: (facts) => {
      const { failed, first_failure, causes, counts, status, concentration, by_worker } = facts;
      if (failed.count === 0) return undefined;
      const isAll = counts.slices_completed === 0 && failed.isFinal && status !== 'running';
      const first = first_failure === undefined ? '' : ` The first attempt failed at ${first_failure}.`;
      return {
        severity: 'error',
        sentence: `${isAll ? 'No slice succeeded: ' : ''}${counted(failed.count, 'TF slice')} failed${failed.isFinal ? ' permanently' : ''}.${first}${concentration === undefined ? workersSentence(by_worker) : ''}`,
        causes: causesSentence(causes),
        ids: failed.ids,
        next: here('list_tf_slices', { status: 'failed', order: 'oldest' }),
      };
    },

    SLICE_SLOW: ({ slowest, delays }) => {
      const delay = delayOf(delays, 'slice_started → slice_result');
      if (slowest === undefined || delay === undefined) return undefined;
      const { slice_filename, worker, seconds } = slowest;
      const { p50, p95 } = delay;
      return {
        severity: 'info',
        sentence: `${slice_filename} took ${roundDuration(seconds)}${worker === null ? '' : ` on ${worker}`}; ${roundDuration(p50)} is usual, and 95 % of the slices took at most ${roundDuration(p95)}.`,
        ids: worker === null ? [slice_filename] : [slice_filename, worker],
        next: call('trace_data_product', { filename: slice_filename }),
      };
    },

    SLOT_SLOW: ({ slow_slots }) => {
      if (slow_slots === undefined) return undefined;
      const { slots, others_seconds } = slow_slots;
      const shown = slots
        .slice(0, namedSlots)
        .map(({ slot, seconds, slices }) => `${slot} (${roundDuration(seconds)}, ${slices} slices)`);
      const more = slots.length > namedSlots ? `, and on ${slots.length - namedSlots} more` : '';
      const kind = slots[0]?.slot.includes('/') === true ? 'slot' : 'worker';
      return {
        severity: 'warning',
        sentence: `TF slices take much longer on ${slots.length === 1 ? kind : `${slots.length} ${kind}s:`} ${shown.join(', ')}${more}; ${roundDuration(others_seconds)} is usual on the others.`,
        ids: slots.slice(0, namedSlots).map(({ slot }) => slot),
        next: here('summarize', { what: 'slices', group_by: 'worker', order_by: 'seconds' }),
      };
    },

    SLICES_SLOWER: ({ slower }) =>
      slower && {
        severity: 'warning',
        sentence: `TF slices take longer and longer: ${roundDuration(slower.first_seconds)} was usual in the first third, ${roundDuration(slower.last_seconds)} in the last.${slower.isMachineKnown ? '' : ' It is not known whether the machines became slower as a whole.'}`,
        next: here('get_execution_timeline'),
      },
  }),
  ...rulesOf('driving', {
    SLICES_RETRIED: (facts) => {
      const { slices_retried, causes, slice_retries, failed } = facts;
      if (slice_retries === 0) return undefined;
      const outcome = failed.count === 0 ? 'none failed permanently' : `${failed.count} failed permanently`;
      return {
        severity: 'info',
        // If slices failed permanently, another finding reports the causes.
        sentence: `${were(slices_retried, 'TF slice')} retried, in ${counted(slice_retries, 'further attempt')}; ${outcome}.`,
        causes: failed.count === 0 ? causesSentence(causes) : '',
        next: here('list_logs', { level: 'WARNING' }),
      };
    },
  }),
  ...rulesOf(
    'driving',
    ifDriven({
      SLICE_OVERDUE: (facts) => {
        const { pace } = facts;
        const overdue = overdueSlices(facts, pace);
        const [oldest] = overdue;
        if (oldest === undefined) return undefined;
        const { usual_seconds, slow_seconds, stalled_seconds } = pace;
        const limit = payloadLimit(facts);
        const usual =
          usual_seconds === undefined ? 'the usual time is not known yet' : `usually ${roundDuration(usual_seconds)}`;
        const end = limit === undefined ? '' : `; the payload is killed after ${roundDuration(limit)}`;
        const held = `${oldest.slice_filename} by ${oldest.assigned_worker} since ${oldest.since} (${roundDuration(oldest.seconds)})`;
        const which = overdue.length === 1 ? held : `the oldest is ${held}`;
        // The number of free workers elsewhere is unknown at this moment.
        const slots = facts.isOverBroker ? Infinity : (facts.slots ?? Infinity);
        const taken =
          overdue.length < slots
            ? ''
            : ` ${slots === 1 ? 'It occupies the only slot' : `Such slices occupy all ${slots} slots`}, so no other slice is being processed.`;
        const isStalled = stalled_seconds !== undefined && oldest.seconds > stalled_seconds;
        return {
          severity: isStalled ? 'error' : 'warning',
          sentence: `${overdue.length} TF ${overdue.length === 1 ? 'slice has' : 'slices have'} been in processing for more than ${roundDuration(slow_seconds)} (${usual}${end}): ${which}.${taken}`,
          ids: overdue
            .slice(0, namedSlices)
            .flatMap(({ slice_filename, assigned_worker }) => [slice_filename, assigned_worker]),
          next: here('list_tf_slices', { status: 'processing', order: 'oldest' }),
        };
      },
    }),
  ),
];
