import { counted, were } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { isSilent, nextStepSeconds, secondsSince } from '../heard-facts.ts';
import { call, defineFinding, timeOf } from './rule.ts';

export const notHeard = defineFinding('NOT_HEARD', 'heard', ({ execution_id, gaps }) => {
  const open = gaps.filter(({ isFilled }) => isFilled !== true);
  const isFilled = open.length === 0;
  const some = isFilled ? gaps : open;
  const [first] = some;
  if (first === undefined) return undefined;
  const seconds = Math.round(some.reduce((sum, { from, until }) => sum + until - from, 0) / 1000);
  const which =
    some.length === 1 ? `from ${timeOf(first.from)} to ${timeOf(first.until)}` : `the first at ${timeOf(first.from)}`;
  const [start_time, end_time] = [timeOf(first.from - 60_000), timeOf(first.until + 60_000)];
  const meaning = isFilled
    ? 'files, registered slices and results of that time were read from swf-monitor since; slices_sent is a lower bound'
    : 'counts are lower bounds';
  return {
    severity: isFilled ? 'info' : 'warning',
    sentence: `Nothing could be heard in ${some.length === 1 ? `a gap of ${roundDuration(seconds)}` : `${some.length} gaps, ${roundDuration(seconds)} in all`}, ${which} (${first.reason}): ${meaning}.`,
    next: call('list_messages', { execution_id, start_time, end_time }),
  };
});

export const runSilent = defineFinding('RUN_SILENT', 'heard', (facts) =>
  isSilent(facts)
    ? {
        severity: 'error',
        sentence: `Nothing was heard of the run for ${roundDuration(secondsSince(facts, facts.last_message))}, since ${timeOf(facts.last_message)}, and its end was not said: it was stopped, which the bus does not tell, or its runner is gone.`,
        next: call('list_messages', { execution_id: facts.execution_id, limit: 5 }),
      }
    : undefined,
);

/** The runner reported an end that the bus or the registered slices contradict. */
export const toldOtherwise = defineFinding('TOLD_OTHERWISE', 'heard', (facts) => {
  const { execution_id, told, counts, slices_told, unsent, isBusHeard, isOver } = facts;
  if (told === undefined || told.status === 'running') return undefined;
  if (!isOver && secondsSince(facts, told.at) < nextStepSeconds) return undefined;
  if (counts.slices_queued > 0)
    return {
      severity: 'warning',
      sentence: `Its runner reported it ${told.status}, but ${counted(counts.slices_queued, 'TF slice')} ${counts.slices_queued === 1 ? 'has' : 'have'} no result.`,
      next: call('list_tf_slices', { execution_id, status: 'unanswered' }),
    };
  const untold = counts.slices_created - (slices_told - unsent.count);
  if (!isBusHeard || slices_told === 0 || (unsent.count === 0 && untold === 0)) return undefined;
  return {
    severity: 'warning',
    sentence: `Its runner reported it ${told.status}; ${were(slices_told, 'TF slice')} registered by REST, and ${counts.slices_created} were heard on the bus.`,
    ids: [...unsent.ids],
    next: call('list_messages', { execution_id, message_type: 'slice_registered' }),
  };
});

export const idTwice = defineFinding('ID_TWICE', 'heard', ({ execution_id, told_id, run_id }) =>
  execution_id === told_id
    ? undefined
    : {
        severity: 'warning',
        sentence: `Its programs call it ${told_id}, as they have called another run: here it is ${execution_id}, by its run ${run_id}.`,
        ids: [told_id],
        next: call('list_workflow_executions', {}),
      },
);

const namedKeys = 3;

export const contractBroken = defineFinding('CONTRACT_BROKEN', 'heard', ({ execution_id, broken_keys }) => {
  if (broken_keys.length === 0) return undefined;
  const words = broken_keys
    .slice(0, namedKeys)
    .map(
      ({ sender, message_type, key, missing, of }) =>
        `${missing} of ${of} ${message_type} messages of ${sender} lack ${key}`,
    );
  const more =
    broken_keys.length > namedKeys ? `, and ${broken_keys.length - namedKeys} other keys are missing elsewhere` : '';
  const ids = broken_keys.flatMap(({ example }) => example ?? []).slice(0, namedKeys);
  const [example] = ids;
  return {
    severity: 'warning',
    sentence: `${words.join('; ')}${more}. Their senders fill these keys in other messages.`,
    ids,
    next:
      example === undefined ? call('list_messages', { execution_id }) : call('list_messages', { message_id: example }),
  };
});
