import { countCauses } from '../../domain/causes.ts';
import type { StageDelay } from '../../domain/stages.ts';
import { counted, were } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { nothingSucceeds } from '../evidence.ts';
import { type SliceFacts, delayOf, payloadLimit } from '../facts.ts';
import { overdueSlices } from '../pace.ts';
import {
  type FindingRule,
  type Found,
  call,
  causesSentence,
  here,
  ifDriven,
  rulesOf,
  error,
  info,
  warning,
} from './rule.ts';

const namedPlaces = 3;

/** The tool call that shows the failures at this kind of place. */
function nextOf(kind: NonNullable<SliceFacts['concentration']>['kind']): Found['next'] {
  const groups = { slot: 'worker', worker: 'worker', host: 'host', 'STF file': 'stf_filename' } as const;
  return kind === 'slice number'
    ? here('list_tf_slices', { status: 'failed' })
    : here('summarize', { what: 'slices', group_by: `${groups[kind]},status` });
}

const namedWorkers = 4;

/** The preposition for failures at a kind of place; `on` if not listed. */
const failedAt: Readonly<Record<string, string>> = { 'STF file': 'on slices of', 'slice number': 'at' };

/** Says how many first attempts failed on each worker, if there are several workers. */
function workersSentence(workers: SliceFacts['by_worker']) {
  if (workers.length < 2) return '';
  const shown = workers.slice(0, namedWorkers).map(({ name, failed, tried }) => `${failed} of ${tried} on ${name}`);
  const more = workers.length - shown.length;
  return ` Failed first attempts by worker: ${shown.join(', ')}${more > 0 ? `, and no larger share on ${more > 1 ? 'each of ' : ''}${counted(more, 'other worker')}` : ''}.`;
}

/** With fewer slices than this, the usual time is unknown. */
const minItems = 20;

/**
 * A slice took disproportionately long if it took this many times the p95 of all slices, and at least this
 * many seconds.
 */
const minRatio = 10;
const minSeconds = 1;

/** Whether the slowest slice took disproportionately long. @param delay how long completed slices took */
export const hasSlowSlice = (delay: StageDelay | undefined) =>
  delay !== undefined && delay.items >= minItems && delay.max >= Math.max(minSeconds, minRatio * delay.p95);

const namedSlots = 3;

/** Maximum number of slices among the ids of a finding. */
const namedSlices = 3;

export const sliceRules: readonly FindingRule[] = [
  ...rulesOf('slices', {
    NOTHING_SUCCEEDS: (facts) => {
      if (!nothingSucceeds(facts.failing, facts.until)) return undefined;
      const { since, attempts, isMore, last_done } = facts.failing;
      const done = facts.counts.slices_completed;
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
      return error(
        `Nothing ${facts.status === 'running' ? 'has succeeded' : 'succeeded'} since ${isMore ? 'at least ' : ''}${first}: ${what}; ${before}.`,
        here('list_tf_slices', { status: 'failed', order: 'newest' }),
        [],
        { causes: causesSentence(facts.causes) },
      );
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
      return error(
        `${failed} of ${tried} first attempts ${failedAt[kind] ?? 'on'} ${where} failed, and ${elsewhere}: more than chance explains.`,
        nextOf(kind),
        places.slice(0, namedPlaces),
        { causes: causesSentence(countCauses(errors), 'first attempt') },
      );
    },

    SLICES_FAILED: (facts) => {
      const { failed, first_failure, causes, counts, status, concentration, by_worker } = facts;
      if (failed.count === 0) return undefined;
      const isAll = counts.slices_completed === 0 && failed.isFinal && status !== 'running';
      const first = first_failure === undefined ? '' : ` The first attempt failed at ${first_failure}.`;
      return error(
        `${isAll ? 'No slice succeeded: ' : ''}${counted(failed.count, 'TF slice')} failed${failed.isFinal ? ' permanently' : ''}.${first}${concentration === undefined ? workersSentence(by_worker) : ''}`,
        here('list_tf_slices', { status: 'failed', order: 'oldest' }),
        failed.ids,
        { causes: causesSentence(causes) },
      );
    },

    SLICE_SLOW: ({ slowest, delays }) => {
      const delay = delayOf(delays, 'slice_started → slice_result');
      if (slowest === undefined || delay === undefined) return undefined;
      const { slice_filename, worker, seconds } = slowest;
      const { p50, p95 } = delay;
      return info(
        `${slice_filename} took ${roundDuration(seconds)}${worker === null ? '' : ` on ${worker}`}; ${roundDuration(p50)} is usual, and 95 % of the slices took at most ${roundDuration(p95)}.`,
        call('trace_data_product', { filename: slice_filename }),
        worker === null ? [slice_filename] : [slice_filename, worker],
      );
    },

    SLOT_SLOW: ({ slow_slots }) => {
      if (slow_slots === undefined) return undefined;
      const { slots, others_seconds } = slow_slots;
      const shown = slots
        .slice(0, namedSlots)
        .map(({ slot, seconds, slices }) => `${slot} (${roundDuration(seconds)}, ${slices} slices)`);
      const more = slots.length > namedSlots ? `, and ${slots.length - namedSlots} more` : '';
      const kind = slots[0]?.slot.includes('/') === true ? 'slot' : 'worker';
      return warning(
        `TF slices take much longer on ${slots.length === 1 ? kind : `${slots.length} ${kind}s:`} ${shown.join(', ')}${more}; ${roundDuration(others_seconds)} is usual on the others.`,
        here('summarize', { what: 'slices', group_by: 'worker', order_by: 'seconds' }),
        slots.slice(0, namedSlots).map(({ slot }) => slot),
      );
    },

    SLICES_SLOWER: ({ slower }) =>
      slower &&
      warning(
        `TF slices are taking longer and longer: ${roundDuration(slower.first_seconds)} was usual in the first third, ${roundDuration(slower.last_seconds)} in the last.${slower.isMachineKnown ? '' : ' It is not known whether the machines themselves became slower.'}`,
        here('get_execution_timeline'),
      ),
  }),
  ...rulesOf('driving', {
    SLICES_RETRIED: (facts) => {
      const { slices_retried, causes, slice_retries, failed } = facts;
      if (slice_retries === 0) return undefined;
      const outcome = failed.count === 0 ? 'none failed permanently' : `${failed.count} failed permanently`;
      // If slices failed permanently, another finding reports the causes.
      return info(
        `${were(slices_retried, 'TF slice')} retried, with ${counted(slice_retries, 'further attempt')}; ${outcome}.`,
        here('list_logs', { level: 'WARNING' }),
        [],
        { causes: failed.count === 0 ? causesSentence(causes) : '' },
      );
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
        // The number of free workers in other processes is unknown.
        const slots = facts.isOverBroker ? Infinity : (facts.slots ?? Infinity);
        const taken =
          overdue.length < slots
            ? ''
            : ` ${slots === 1 ? 'It occupies the only slot' : `Such slices occupy all ${slots} slots`}, so no other slice is being processed.`;
        const isStalled = stalled_seconds !== undefined && oldest.seconds > stalled_seconds;
        return (isStalled ? error : warning)(
          `${overdue.length} TF ${overdue.length === 1 ? 'slice has' : 'slices have'} been in progress for more than ${roundDuration(slow_seconds)} (${usual}${end}): ${which}.${taken}`,
          here('list_tf_slices', { status: 'processing', order: 'oldest' }),
          overdue
            .slice(0, namedSlices)
            .flatMap(({ slice_filename, assigned_worker }) => [slice_filename, assigned_worker]),
        );
      },
    }),
  ),
];
