import { counted, doing, were } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import {
  gapSeconds,
  isSilent,
  isUnanswered,
  longAgo,
  nextStepSeconds,
  noResultSeconds,
  passedSeconds,
  secondsSince,
} from '../heard-facts.ts';
import { call, type FindingRule, here, rulesOf, timeOf } from './rule.ts';

/** How long workers take to start unless reported, in seconds. */
const usualRampUp = 300;
const margin = 60;

const namedKeys = 3;

export const heardRules: readonly FindingRule[] = rulesOf('heard', {
  STF_NOT_READY: ({ unready, isOver }) =>
    unready.count === 0
      ? undefined
      : {
          severity: 'error',
          sentence: `${were(unready.count, 'STF file')} announced${longAgo(isOver)}, and no data agent has reported ${unready.count === 1 ? 'it' : 'them'} as ready.`,
          ids: unready.ids,
          next: here('list_stf_files', { status: 'registered' }),
        },

  SAMPLES_UNSLICED: (facts) => {
    const { unsliced, isOver, last_slice, oldest_unsliced } = facts;
    if (unsliced.count === 0) return undefined;
    const next = here('list_tf_files', { order: 'newest' });
    const ids = [...unsliced.ids];
    // While it sends slices, it is only behind.
    if (!isOver && last_slice !== undefined && secondsSince(facts, last_slice) < nextStepSeconds) {
      const age =
        oldest_unsliced === undefined ? '' : `, the oldest for ${roundDuration(secondsSince(facts, oldest_unsliced))}`;
      const files = `${counted(unsliced.count, 'TF file')} ${unsliced.count === 1 ? 'has' : 'have'} been waiting`;
      const sentence = `${files} for fast processing for more than ${nextStepSeconds} s${age}; it still sends slices, the last ${roundDuration(secondsSince(facts, last_slice))} ago.`;
      return { severity: 'warning', sentence, ids, next };
    }
    const rest =
      last_slice === undefined
        ? ', nor was any other: the fast processing agent is gone, or receives nothing'
        : `; the last slice was sent at ${timeOf(last_slice)}`;
    return {
      severity: 'error',
      sentence: `${were(unsliced.count, 'TF file')} announced${longAgo(isOver)} and not cut into slices${rest}.`,
      ids,
      next,
    };
  },

  TRANSFORMER_GONE: (facts) => {
    const { gone_workers: gone, delays, counts } = facts;
    if (gone.length === 0 || !facts.hearsResults) return undefined;
    return {
      severity: 'warning',
      sentence: `${gone.join(', ')} sent results of this run, but then nothing for ${roundDuration(noResultSeconds(delays))}, while ${doing(counts.slices_queued, 'TF slice', 'wait')}: ${gone.length === 1 ? 'it is' : 'they are'} gone.`,
      ids: gone,
      next: call('list_agents', { agent_type: 'worker', include_exited: true }),
    };
  },

  /** A worker that was started without a run serves the run of its first slice forever. */
  TRANSFORMER_BOUND: (facts) => {
    const { bound_workers: bound, counts, run_id, oldest_waiting, last_result = 0 } = facts;
    if (bound.length === 0 || oldest_waiting === undefined || !facts.hearsResults) return undefined;
    if (secondsSince(facts, Math.max(oldest_waiting, last_result)) < nextStepSeconds) return undefined;
    const which = bound.map(({ worker, run_id: run }) => `${worker} (run ${run})`).join(', ');
    return {
      severity: 'warning',
      sentence: `${counted(counts.slices_queued, 'TF slice')} of run ${run_id} ${counts.slices_queued === 1 ? 'waits' : 'wait'}, and ${which} ${bound.length === 1 ? 'is alive but' : 'are alive but'} still bound to an earlier run: a worker stays bound to the run of its first slice. Restart ${bound.length === 1 ? 'it' : 'them'}.`,
      ids: bound.map(({ worker }) => worker),
      next: call('list_agents', { agent_type: 'worker' }),
    };
  },

  SIZE_CHANGED: ({ shrunken }) =>
    shrunken === undefined
      ? undefined
      : {
          severity: 'warning',
          sentence: `From ${shrunken.first} on, ${were(shrunken.count, 'TF file')} cut into slices of at most ${shrunken.largest} Time Frames; the first ones had ${shrunken.usual}.`,
          ids: [shrunken.first],
          next: here('list_tf_slices', { tf_filename: shrunken.first }),
        },

  /**
   * Reported only if slices could be heard and there are more such slices than results that may belong to them.
   */
  SLICES_NOT_SENT: ({ unsent, ...facts }) =>
    !facts.isBusHeard || !facts.hearsSlices || unsent.count <= facts.results_unmatched
      ? undefined
      : {
          severity: 'error',
          sentence: `${were(unsent.count, 'TF slice')} registered by REST${longAgo(facts.isOver)}, but no matching slice message was received.`,
          ids: unsent.ids,
          next: here('list_messages', { message_type: 'slice_registered' }),
        },

  SLICES_UNANSWERED: (facts) => {
    if (!facts.hearsResults) return undefined;
    const { passed, counts, last_result, delays, isOver } = facts;
    const next = here('list_tf_slices', { status: 'unanswered', order: 'oldest' });
    if (isOver && counts.slices_queued > 0) {
      const last =
        last_result === undefined ? 'no result arrived at all' : `the last result came at ${timeOf(last_result)}`;
      const sentence = `${counted(counts.slices_queued, 'TF slice')} got no result while the run was observed; ${last}.`;
      return { severity: 'error', sentence, ids: passed.ids, next };
    }
    const isWaiting = isUnanswered(facts);
    if (!isWaiting && passed.count === 0) return undefined;
    const since =
      last_result === undefined
        ? 'no result has arrived at all'
        : `the last result came ${roundDuration(secondsSince(facts, last_result))} ago`;
    return {
      severity: 'error',
      sentence: isWaiting
        ? `${doing(counts.slices_queued, 'TF slice', 'wait')} for a result, and ${since}; results are expected within ${roundDuration(noResultSeconds(delays))}.`
        : `${counted(passed.count, 'TF slice')} got no result, though slices sent later were answered more than ${roundDuration(passedSeconds(delays))} ago.`,
      ids: passed.ids,
      next,
    };
  },

  NO_TRANSFORMER: (facts) => {
    const { first_slice, last_result, last_worker_sign, ramp_up = usualRampUp, counts } = facts;
    if (first_slice === undefined || last_result !== undefined || !facts.hearsResults) return undefined;
    const limit = ramp_up + margin;
    const lastSign = Math.max(first_slice, last_worker_sign ?? 0);
    if (secondsSince(facts, lastSign) < limit) return undefined;
    return {
      severity: 'error',
      sentence: `${were(counts.slices_created, 'TF slice')} sent, but no result and no transformer heartbeat has been received for ${roundDuration(limit)}: no transformer is running, or its queue is not bound to the topic.`,
      next: call('list_agents', { agent_type: 'worker', include_exited: true }),
    };
  },

  RESULTS_UNMATCHED: ({ results_unmatched, counts }) =>
    // If no slices go over the bus, no result can match one.
    results_unmatched === 0 || counts.slices_created === 0
      ? undefined
      : {
          severity: 'warning',
          sentence: `${doing(results_unmatched, 'result', 'lack')} a matching slice: the slices were sent before the observer listened, or another program made the results.`,
          next: here('list_messages', { message_type: 'slice_result' }),
        },

  RESULTS_REPEATED: ({ results_repeated, repeated_ids, counts }) =>
    results_repeated === 0
      ? undefined
      : {
          severity: 'info',
          sentence: `${counted(results_repeated, 'result')} repeated earlier ones (${counts.slices_completed + counts.slices_failed} slices are answered), so there are more results than slices. list_messages shows in "repeats" which message each one repeats.`,
          ids: repeated_ids,
          next: here('list_messages', { message_id: repeated_ids[0] ?? '' }),
        },

  NOT_HEARD: ({ gaps }) => {
    const open = gaps.filter(({ isFilled }) => isFilled !== true);
    const isFilled = open.length === 0;
    const some = isFilled ? gaps : open;
    const [first] = some;
    if (first === undefined) return undefined;
    const seconds = Math.round(gapSeconds(some));
    const which =
      some.length === 1 ? `from ${timeOf(first.from)} to ${timeOf(first.until)}` : `the first at ${timeOf(first.from)}`;
    const [start_time, end_time] = [timeOf(first.from - 60_000), timeOf(first.until + 60_000)];
    const meaning = isFilled
      ? 'files, registered slices and results of that time have since been read from swf-monitor; slices_sent is a lower bound'
      : 'counts are lower bounds';
    return {
      severity: isFilled ? 'info' : 'warning',
      sentence: `Nothing could be received in ${some.length === 1 ? `a gap of ${roundDuration(seconds)}` : `${some.length} gaps, ${roundDuration(seconds)} in all`}, ${which} (${first.reason}): ${meaning}.`,
      next: here('list_messages', { start_time, end_time }),
    };
  },

  RUN_SILENT: (facts) => {
    if (!isSilent(facts)) return undefined;
    const { isBusHeard, last_message } = facts;
    const silent = `for ${roundDuration(secondsSince(facts, last_message))}, since ${timeOf(last_message)}`;
    return {
      severity: isBusHeard ? 'error' : 'warning',
      sentence: isBusHeard
        ? `No message of the run was received ${silent}, and its end was not reported: it was stopped, which the bus does not report, or its runner is gone.`
        : `Nothing new about the run has been reported over REST ${silent}: it is paused or was stopped, or its runner is gone.`,
      next: here('list_messages', { limit: 5 }),
    };
  },

  /** The runner reported an end that the bus or the registered slices contradict. */
  TOLD_OTHERWISE: (facts) => {
    const { told, counts, slices_told, unsent, isBusHeard, hearsSlices, isOver } = facts;
    if (told === undefined || told.status === 'running') return undefined;
    if (!isOver && secondsSince(facts, told.at) < nextStepSeconds) return undefined;
    if (counts.slices_queued > 0)
      return {
        severity: 'warning',
        sentence: `Its runner reported the run as ${told.status}, but ${counted(counts.slices_queued, 'TF slice')} ${counts.slices_queued === 1 ? 'has' : 'have'} no result.`,
        next: here('list_tf_slices', { status: 'unanswered' }),
      };
    const untold = counts.slices_created - (slices_told - unsent.count);
    if (!isBusHeard || !hearsSlices || slices_told === 0 || (unsent.count === 0 && untold === 0)) return undefined;
    return {
      severity: 'warning',
      sentence: `Its runner reported the run as ${told.status}; ${were(slices_told, 'TF slice')} registered by REST, but ${counts.slices_created} were received on the bus.`,
      ids: unsent.ids,
      next: here('list_messages', { message_type: 'slice_registered' }),
    };
  },

  ID_TWICE: ({ execution_id, told_id, run_id }) =>
    execution_id === told_id
      ? undefined
      : {
          severity: 'warning',
          sentence: `Its programs call it ${told_id}, a name they also gave to another run: here it is called ${execution_id}, after its run ${run_id}.`,
          ids: [told_id],
          next: call('list_workflow_executions', {}),
        },

  CONTRACT_BROKEN: ({ broken_keys }) => {
    if (broken_keys.length === 0) return undefined;
    const words = broken_keys
      .slice(0, namedKeys)
      .map(
        ({ sender, message_type, key, missing, of }) =>
          `${missing} of ${of} ${message_type} messages from ${sender} lack ${key}`,
      );
    const more = broken_keys.length > namedKeys ? `, and ${broken_keys.length - namedKeys} more elsewhere` : '';
    const ids = broken_keys.flatMap(({ example }) => example ?? []).slice(0, namedKeys);
    const [example] = ids;
    return {
      severity: 'warning',
      senders: [...new Set(broken_keys.map(({ sender }) => sender))],
      sentence: `${words.join('; ')}${more}. Their senders fill these keys in other messages.`,
      ids,
      next: example === undefined ? here('list_messages') : call('list_messages', { message_id: example }),
    };
  },
});
