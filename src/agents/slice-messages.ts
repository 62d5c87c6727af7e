import { rounded } from '../lib/rounded.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { AgentRole } from './agent.ts';
import type { LeftSlice, OpenSlice, PayloadResult } from './ports.ts';

export const workerRole: AgentRole = { type: 'worker', emits: ['slice_started', 'slice_result', 'slice_returned'] };

/** A slice as its message describes it. */
export function asOpenSlice(message: Message<'slice'>): OpenSlice {
  const { slice_id, slice_filename, tf_filename, stf_filename, start, end, tf_count, attempt } = message;
  return { slice_id, slice_filename, tf_filename, stf_filename, tf_first: start, tf_last: end, tf_count, attempt };
}

export type Attempt = Pick<
  LeftSlice,
  'slice_id' | 'slice_filename' | 'tf_filename' | 'attempt' | 'worker_id' | 'hostname'
>;

/**
 * The fields that all reports on an attempt share. The arguments are not combined into one object, because
 * creating it twice for each slice would cost time.
 */
export const startFields = (
  { slice_id, slice_filename, tf_filename, attempt }: Omit<Attempt, 'worker_id' | 'hostname'>,
  worker_id: string,
  hostname: string,
): Attempt => ({ slice_id, slice_filename, tf_filename, attempt, worker_id, hostname });

/** A failed result in place of the attempt's own result, which never arrived or was refused. */
export const failureOf = (begun: Attempt, error: string) =>
  ({
    msg_type: 'slice_result',
    ...startFields(begun, begun.worker_id, begun.hostname),
    state: 'failed',
    error,
  }) as const;

/**
 * @param took seconds of wall time from start to result, on a monotonic clock; undefined if the workflow's time
 * is virtual
 */
export const resultOf = (fields: Attempt, result: PayloadResult, took: number | undefined): Draft<'slice_result'> => ({
  msg_type: 'slice_result',
  ...fields,
  state: result.state,
  processing_seconds: rounded(result.seconds),
  took_seconds: took === undefined ? undefined : rounded(took),
  error: result.state === 'failed' ? result.error : undefined,
  ...result.facts,
});

/** The slot `index` (from 1) of a worker agent. */
export const slotName = (agent: string, index: number) => `${agent}/${String(index).padStart(2, '0')}`;
