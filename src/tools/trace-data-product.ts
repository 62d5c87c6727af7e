import type { ExecutionRow } from '../db/execution/find-execution.ts';
import type { Queries } from '../db/queries.ts';
import type { Product, SliceStanding } from '../db/reports/trace.ts';
import { planOf } from '../domain/plan/versions.ts';
import { counted, doing } from '../lib/counted.ts';
import { roundDuration } from '../lib/duration.ts';
import { present } from '../lib/present.ts';
import { shortDigests } from '../lib/words.ts';
import { traceAnswer } from './answers/reports.ts';
import { shownSlice } from './list-tf-slices.ts';
import { clipShown } from './shared/clip.ts';
import { requiredText } from './shared/params.ts';
import { defineTool, type ToolContext } from './shared/tool.ts';

const maxHops = 60;
const maxLines = 20;
const shownText = 300;

export const traceDataProductTool = defineTool({
  name: 'trace_data_product',
  title: 'Trace an STF, TF sample or slice',
  description:
    'The path of an STF file, TF sample or TF slice: where it came from, every hop with time, sender and delay, each attempt ' +
    'with worker and outcome, its place in the queue, what was made from it, outputs, and log lines that name it.',
  takesMoment: true,
  input: () => ({ filename: requiredText('Such as swf.101993.000001_slice_003.tf') }),
  output: traceAnswer,
  handle({ filename }, context) {
    const { queries } = context;
    const product = queries.product(filename);
    const execution = queries.execution(product.execution_id);
    const end = queries.endOfLife(execution, context.now);
    const found = queries.messagesOf(product, maxHops + 1);
    const messages = found.slice(0, maxHops);
    const parts = product.kind === 'slice' ? [] : queries.slicesOf(product);
    const ends = [
      ...messages.map(({ happened_at }) => happened_at),
      ...parts.map(({ last_at }) => last_at ?? ''),
    ].filter((time) => time !== '');
    const first = messages[0]?.happened_at;
    // An unfinished slice is in progress until now.
    const isOpen = ['queued', 'processing', 'unanswered'].includes(product.status);
    const last = isOpen ? isoOf(end) : ends.toSorted().at(-1);
    return present({
      filename: product.name,
      kind: product.kind,
      execution_id: product.execution_id,
      run_number: product.run_number,
      status: product.status,
      stf_filename: product.stf_filename,
      tf_filename: product.tf_filename,
      ...(product.kind === 'stf' ? { standing: stfStanding(product, execution, queries) } : {}),
      ...(product.kind === 'slice' ? sliceFields(product, execution, end, context) : {}),
      hops: messages.map((message, index) =>
        present({
          type: message.message_type,
          time: message.sent_at,
          delay_seconds: index === 0 ? null : between(messages[index - 1]?.happened_at ?? '', message.happened_at),
          by: message.sender_agent,
          worker: message.worker,
          attempt: message.attempt,
          outcome: message.outcome,
          effect: message.effect,
          note: shownNote(message.effect_reason ?? message.error),
          message_id: message.message_id,
        }),
      ),
      more_hops: found.length > maxHops ? true : null,
      total_seconds:
        isOpen && end === undefined
          ? null
          : first === undefined || last === undefined
            ? 0
            : Math.max(0, between(first, last)),
      slices: parts.length === 0 ? null : Object.fromEntries(parts.map(({ status, n }) => [status, n])),
      logs: queries.logLinesOf(product, maxLines).map((line) => ({
        time: line.timestamp,
        agent: line.agent,
        message: clipShown(line.message, shownText),
        log_id: line.key,
      })),
      data_as_of: queries.dataAsOf(),
    });
  },
});

/**
 * An STF file that the plan does not sample is done when it is ready, however long one waits for its samples.
 */
function stfStanding(product: Product, execution: ExecutionRow, queries: Queries) {
  const params = queries.knownParams(execution);
  if (params === undefined) return undefined;
  const { execution_id } = execution;
  const filter = { execution_id, stf_filename: product.name };
  const [stf] = queries.stfFiles(filter, { order: 'oldest', limit: 1, uncounted: true }).rows;
  if (stf === undefined || stf.sequence === null || stf.tf_count === null) return undefined;
  const { sequence, tf_count } = stf;
  if (planOf(params).sampleCount({ sequence, tf_count }) > 0) return undefined;
  return `not sampled: stf_sampling_rate is ${params.fast_processing.stf_sampling_rate}`;
}

const isoOf = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());

/** The fields that only a slice has. */
function sliceFields(product: Product, execution: ExecutionRow, end: number | undefined, context: ToolContext) {
  const slice = resultOf(product, context.queries);
  const standing = context.queries.sliceStanding(product, end ?? context.now);
  if (standing === undefined) return { slice };
  return {
    slice,
    attempts: standing.attempts_made,
    worker: standing.worker,
    payload: standing.payload === undefined ? undefined : shortDigests(standing.payload),
    standing: standingWords(product, standing, execution, context),
    waiting_seconds: end === undefined ? undefined : standing.waiting_seconds,
    queued_before: execution.status === 'running' ? standing.ahead : undefined,
  };
}

/** The frames of a slice, and how its last attempt went. */
function resultOf({ execution_id, name }: Product, queries: Queries) {
  const filter = { execution_id, slice_filename: name };
  const [row] = queries.tfSlices(filter, { order: 'newest', limit: 1, uncounted: true }).rows;
  if (row === undefined) return undefined;
  const { host, tf_first, tf_last, exit_code, signal, outputs_omitted } = row;
  const { seconds, output_tail, outputs, outputs_folder } = shownSlice(row);
  const frames = { host, tf_first, tf_last };
  return present({ ...frames, seconds, exit_code, signal, output_tail, outputs, outputs_folder, outputs_omitted });
}

/** The state of a slice in words: a status alone may look like work although none is done. */
function standingWords(
  { status }: { status: string },
  { attempts_made, isGone, seconds_in_hand, ahead = 0 }: SliceStanding,
  execution: ExecutionRow,
  context: ToolContext,
) {
  const ended = `the execution has ended (${execution.status})`;
  switch (status) {
    case 'unanswered':
      return 'sent; no result was received';
    case 'queued':
      if (execution.status !== 'running')
        return attempts_made > 0 ? `abandoned while being processed: ${ended}` : `never started: ${ended}`;
      return waitWords(execution, ahead, context);
    case 'processing':
      if (isGone) return 'its worker is gone: no worker is processing it';
      return `being processed for ${Math.round(seconds_in_hand ?? 0)} s`;
    default:
      return status;
  }
}

/** Why a slice waits: no work is done, or others come first, with the time that they take. */
function waitWords(execution: ExecutionRow, ahead: number, { queries, now }: ToolContext) {
  if (queries.driver(execution.execution_id)?.isAlive() === false) return 'waits: no process drives the execution';
  const pause = queries.pausedBy(execution);
  if (pause !== undefined) return `waits: the execution was paused by ${pause.name} at ${pause.time}`;
  const { service_seconds, workers = 0 } = queries.assess(execution, now).driving?.capacity ?? {};
  const place = `waits; ${doing(ahead, 'queued slice', 'come')} before it`;
  if (service_seconds === undefined || workers === 0) return place;
  const seconds = Math.ceil((ahead / workers) * service_seconds);
  return `${place}, about ${roundDuration(seconds)} of work for ${counted(workers, 'worker')}`;
}

const shownNote = (text: string | null) => (text === null ? null : clipShown(text, shownText));

const between = (from: string, to: string) => Math.round(Date.parse(to) - Date.parse(from)) / 1000;
