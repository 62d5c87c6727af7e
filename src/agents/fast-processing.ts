import { planOf } from '../domain/plan/versions.ts';
import { isRetried } from '../domain/slice-states.ts';
import { counted } from '../lib/counted.ts';
import { sliceMessageId } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { Agent, AgentContext } from './agent.ts';

/** The fast processing agent: cuts samples into slices for the workers and queues failed slices again. */
export const fastProcessingAgent: Agent = {
  type: 'fast_processing',
  reads: ['tf_file_registered', { msg_type: 'slice_result', state: 'failed' }],
  emits: ['slice'],
  handle(message, context) {
    switch (message.msg_type) {
      case 'tf_file_registered':
        return cutSample(message, context);
      case 'slice_result':
        return retrySlice(message, context);
      default:
        return [];
    }
  },
};

function cutSample(message: Message<'tf_file_registered'>, context: AgentContext): Draft[] {
  const { tf_filename, stf_filename, size_bytes, file_url, tf_count, checksum } = message;
  const slices = planOf(context.params).slices(message);
  context.log({ level: 'INFO', message: `queued ${counted(slices.length, 'slice')} of ${tf_filename}` });
  const sizeOf = (frames: number) =>
    size_bytes === undefined ? undefined : Math.round((size_bytes * frames) / tf_count);
  // Only workers on a broker compare payloads.
  const compared = context.conditions && checksum;
  return slices.map(({ tf_first: start, tf_last: end, ...slice }) => ({
    msg_type: 'slice',
    slice_id: slice.slice_id,
    slice_filename: slice.slice_filename,
    tf_filename,
    stf_filename,
    start,
    end,
    tf_count: slice.tf_count,
    attempt: 1,
    size_bytes: sizeOf(slice.tf_count),
    file_url,
    ...context.conditions,
    payload: context.payload,
    checksum: compared,
  }));
}

function retrySlice(message: Message<'slice_result'>, context: AgentContext) {
  const { slice_filename, attempt, error } = message;
  const reason = error ?? 'no reason given';
  const { max_retries } = context.params.worker;
  if (!isRetried(attempt, max_retries)) {
    context.log({
      level: 'ERROR',
      message: `slice ${slice_filename} failed permanently after ${attempt === 1 ? 'one attempt' : `${attempt} attempts`}: ${reason}`,
      context: { slice_filename, attempt },
    });
    return [];
  }
  const slice = context.message(sliceMessageId(context.execution_id, message));
  if (slice?.msg_type !== 'slice')
    throw new Error(`no slice message is recorded for attempt ${attempt} of ${slice_filename}`);
  context.log({
    level: 'WARNING',
    message: `slice ${slice_filename} failed in attempt ${attempt} of ${max_retries + 1} and is queued again: ${reason}`,
    context: { slice_filename, attempt },
  });
  return [{ ...slice, attempt: attempt + 1, ...context.conditions, payload: context.payload }];
}
