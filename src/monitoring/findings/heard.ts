import { are, counted, doing, were } from '../../lib/counted.ts';
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
import { call, type FindingRule, here, rulesOf, timeOf, error, info, warning } from './rule.ts';

/** Assumed start-up time of workers, in seconds, if the time is not reported. */
const usualRampUp = 300;
const margin = 60;

const namedKeys = 3;

export const heardRules: readonly FindingRule[] = rulesOf('heard', {
  STF_NOT_READY: ({ unready, isOver }) =>
    unready.count === 0
      ? undefined
      : error(
          `${were(unready.count, 'STF file')} announced${longAgo(isOver)}, but no data agent has reported ${unready.count === 1 ? 'it' : 'them'} as ready.`,
          here('list_stf_files', { status: 'registered' }),
          unready.ids,
        ),

  SAMPLES_UNSLICED: (facts) => {
    const { unsliced, isOver, last_slice, oldest_unsliced } = facts;
    if (unsliced.count === 0) return undefined;
    const ago = (time: number) => `${roundDuration(secondsSince(facts, time))} ago`;
    // A sender that is still sending slices is merely late.
    const isBehind = !isOver && last_slice !== undefined && secondsSince(facts, last_slice) < nextStepSeconds;
    const oldest = oldest_unsliced === undefined ? '' : ` (the oldest was announced ${ago(oldest_unsliced)})`;
    const rest =
      last_slice === undefined
        ? ', and no other TF file was cut either: the fast processing agent is gone, or receives nothing'
        : isBehind
          ? ` yet${oldest}; fast processing is still sending slices, the last ${ago(last_slice)}`
          : `; the last slice was sent at ${timeOf(last_slice)}`;
    return (isBehind ? warning : error)(
      `${were(unsliced.count, 'TF file')} announced${longAgo(isOver)} but not cut into slices${rest}.`,
      here('list_tf_files', { order: 'newest' }),
      unsliced.ids,
    );
  },

  TRANSFORMER_GONE: (facts) => {
    const { gone_workers: gone, delays, counts } = facts;
    if (gone.length === 0 || !facts.hearsResults) return undefined;
    return warning(
      `${gone.join(', ')} sent results for this run, then nothing for ${roundDuration(noResultSeconds(delays))}, while ${are(counts.slices_queued, 'TF slice')} waiting: ${gone.length === 1 ? 'that worker is' : 'those workers are'} gone.`,
      call('list_agents', { agent_type: 'worker', include_exited: true }),
      gone,
    );
  },

  /** A worker that was started without a run keeps serving the run of its first slice. */
  TRANSFORMER_BOUND: (facts) => {
    const { bound_workers: bound, counts, run_id, oldest_waiting, last_result = 0 } = facts;
    if (bound.length === 0 || oldest_waiting === undefined || !facts.hearsResults) return undefined;
    if (secondsSince(facts, Math.max(oldest_waiting, last_result)) < nextStepSeconds) return undefined;
    const which = bound.map(({ worker, run_id: run }) => `${worker} (run ${run})`).join(', ');
    return warning(
      `${are(counts.slices_queued, 'TF slice')} waiting in run ${run_id}, and ${which} ${bound.length === 1 ? 'is alive but' : 'are alive but'} still bound to an earlier run: a worker stays bound to the run of its first slice until it is restarted.`,
      call('list_agents', { agent_type: 'worker' }),
      bound.map(({ worker }) => worker),
    );
  },

  SIZE_CHANGED: ({ shrunken }) =>
    shrunken === undefined
      ? undefined
      : warning(
          `From ${shrunken.first} on, ${were(shrunken.count, 'TF file')} cut into slices of at most ${shrunken.largest} Time Frames; the first slices had ${shrunken.usual}.`,
          here('list_tf_slices', { tf_filename: shrunken.first }),
          [shrunken.first],
        ),

  /**
   * Reported only if slices could be received, and if there are more unsent slices than results that may belong
   * to them.
   */
  SLICES_NOT_SENT: ({ unsent, ...facts }) =>
    !facts.isBusHeard || !facts.hearsSlices || unsent.count <= facts.results_unmatched
      ? undefined
      : error(
          `${were(unsent.count, 'TF slice')} registered over REST${longAgo(facts.isOver)}, but no matching slice message has been received.`,
          here('list_messages', { message_type: 'slice_registered' }),
          unsent.ids,
        ),

  SLICES_UNANSWERED: (facts) => {
    if (!facts.hearsResults) return undefined;
    const { passed, counts, last_result, delays, isOver } = facts;
    const isLeft = isOver && counts.slices_queued > 0;
    const isWaiting = isUnanswered(facts);
    if (!isLeft && !isWaiting && passed.count === 0) return undefined;
    const when = (time: number) => (isLeft ? `at ${timeOf(time)}` : `${roundDuration(secondsSince(facts, time))} ago`);
    const last =
      last_result === undefined ? 'no result has arrived at all' : `the last result came ${when(last_result)}`;
    return error(
      isLeft
        ? `${counted(counts.slices_queued, 'TF slice')} got no result while the run was observed; ${last}.`
        : isWaiting
          ? `${are(counts.slices_queued, 'TF slice')} waiting for a result, and ${last}; results are expected within ${roundDuration(noResultSeconds(delays))}.`
          : `${counted(passed.count, 'TF slice')} got no result, though slices sent later got theirs more than ${roundDuration(passedSeconds(delays))} ago.`,
      here('list_tf_slices', { status: 'unanswered', order: 'oldest' }),
      passed.ids,
    );
  },

  NO_TRANSFORMER: (facts) => {
    const { first_slice, last_result, last_worker_sign, ramp_up = usualRampUp, counts } = facts;
    if (first_slice === undefined || last_result !== undefined || !facts.hearsResults) return undefined;
    const limit = ramp_up + margin;
    const lastSign = Math.max(first_slice, last_worker_sign ?? 0);
    if (secondsSince(facts, lastSign) < limit) return undefined;
    return error(
      `${were(counts.slices_created, 'TF slice')} sent, but no result and no transformer heartbeat has been received for ${roundDuration(limit)}: no transformer is running, or the transformer queue is not bound to the topic.`,
      call('list_agents', { agent_type: 'worker', include_exited: true }),
    );
  },

  RESULTS_UNMATCHED: ({ results_unmatched, counts }) =>
    // If no slices are sent over the bus, no result can match one.
    results_unmatched === 0 || counts.slices_created === 0
      ? undefined
      : warning(
          `${doing(results_unmatched, 'result', 'lack')} a matching slice: the slices were sent before the observer was listening, or another program made the results.`,
          here('list_messages', { message_type: 'slice_result' }),
        ),

  RESULTS_REPEATED: ({ results_repeated, repeated_ids, counts }) =>
    results_repeated === 0
      ? undefined
      : info(
          `${counted(results_repeated, 'result')} repeated earlier ones (${counts.slices_completed + counts.slices_failed} slices have results), so there are more results than slices. list_messages shows in "repeats" which message each one repeats.`,
          here('list_messages', { message_id: repeated_ids[0] ?? '' }),
          repeated_ids,
        ),

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
      ? 'files, registered slices and results from that time have since been read from swf-monitor; slices_sent is still a lower bound'
      : 'counts are lower bounds';
    return (isFilled ? info : warning)(
      `Nothing could be received during ${some.length === 1 ? `a gap of ${roundDuration(seconds)}` : `${some.length} gaps, ${roundDuration(seconds)} in all`}, ${which} (${first.reason}): ${meaning}.`,
      here('list_messages', { start_time, end_time }),
    );
  },

  RUN_SILENT: (facts) => {
    if (!isSilent(facts)) return undefined;
    const { isBusHeard, last_message, phase } = facts;
    const silent = `for ${roundDuration(secondsSince(facts, last_message))}, since ${timeOf(last_message)}`;
    const next = here('list_messages', { limit: 5 });
    const received = `No message from the run has been received ${silent}, and its end was not reported`;
    if (!isBusHeard)
      return warning(
        `Nothing new about the run has been reported over REST ${silent}: it is paused or was stopped, or its runner is gone.`,
        next,
      );
    if (phase === 'completed')
      return warning(
        `Its end was announced on the bus, nothing is open, and nothing has been received ${silent}, but its runner has not reported the end over REST: the monitor was unreachable, or the runner is gone.`,
        next,
      );
    return phase === 'standby'
      ? warning(
          `${received}: it is still in standby, it was stopped (which the bus does not report), or its runner is gone.`,
          next,
        )
      : error(`${received}: it was stopped (which the bus does not report), or its runner is gone.`, next);
  },

  /** The runner reported an end that is contradicted by messages on the bus or by the registered slices. */
  TOLD_OTHERWISE: (facts) => {
    const { told, counts, slices_told, unsent, isBusHeard, hearsSlices, isOver } = facts;
    if (told === undefined || told.status === 'running') return undefined;
    if (!isOver && secondsSince(facts, told.at) < nextStepSeconds) return undefined;
    if (counts.slices_queued > 0)
      return warning(
        `Its runner reported the run as ${told.status}, but ${doing(counts.slices_queued, 'TF slice', 'lack')} a result.`,
        here('list_tf_slices', { status: 'unanswered' }),
      );
    const untold = counts.slices_created - (slices_told - unsent.count);
    if (!isBusHeard || !hearsSlices || slices_told === 0 || (unsent.count === 0 && untold === 0)) return undefined;
    return warning(
      `Its runner reported the run as ${told.status}; ${were(slices_told, 'TF slice')} registered over REST, but ${counts.slices_created} were received on the bus.`,
      here('list_messages', { message_type: 'slice_registered' }),
      unsent.ids,
    );
  },

  ID_TWICE: ({ execution_id, told_id, run_id }) =>
    execution_id === told_id
      ? undefined
      : warning(
          `Its programs call it ${told_id}, a name that they also gave to another run. Here, it is called ${execution_id}, after its run id ${run_id}.`,
          call('list_workflow_executions', {}),
          [told_id],
        ),

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
    return warning(
      `${words.join('; ')}${more}. Their senders include these keys in other messages.`,
      example === undefined ? here('list_messages') : call('list_messages', { message_id: example }),
      ids,
      { senders: [...new Set(broken_keys.map(({ sender }) => sender))] },
    );
  },
});
