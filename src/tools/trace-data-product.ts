import type { ExecutionRow } from '../db/execution/find-execution.ts';
import type { Queries } from '../db/queries.ts';
import type { Product, SliceStanding } from '../db/reports/trace.ts';
import { planOf } from '../domain/plan/versions.ts';
import { counted, doing } from '../lib/counted.ts';
import { roundDuration } from '../lib/duration.ts';
import { present } from '../lib/present.ts';
import { shortDigests } from '../lib/words.ts';
import { sliceResult, type Trace, traceAnswer } from './answers/reports.ts';
import { shownSlice } from './list-tf-slices.ts';
import { clipShown } from './shared/clip.ts';
import { itemOf } from './shared/list.ts';
import { defineTool, requiredText, type ToolContext } from './shared/tool.ts';

const maxHops = 60;
const maxLines = 20;
const shownText = 300;

export const traceDataProductTool = defineTool({
  name: 'trace_data_product',
  title: 'Trace an STF, TF sample or slice',
  description:
    'The history of an STF file, TF sample or TF slice: where it came from, every hop with time, sender and delay, each attempt ' +
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
    // An unfinished item counts as in progress until now.
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
 * Says why the plan takes no sample of an STF file; undefined for other files.
 */
function stfStanding(product: Product, execution: ExecutionRow, queries: Queries) {
  const params = queries.knownParams(execution);
  if (params === undefined) return undefined;
  const filter = { execution_id: execution.execution_id, stf_filename: product.name };
  const [stf] = queries.stfFiles(filter, { order: 'oldest', limit: 1, uncounted: true }).rows;
  if (stf === undefined || stf.sequence === null || stf.tf_count === null) return undefined;
  if (planOf(params).sampleCount({ sequence: stf.sequence, tf_count: stf.tf_count }) > 0) return undefined;
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
    payload: standing.payload && shortDigests(standing.payload),
    standing: standingWords(product, standing, execution, context),
    waiting_seconds: end === undefined ? undefined : standing.waiting_seconds,
    queued_before: execution.status === 'running' ? standing.ahead : undefined,
  };
}

/** The frames of a slice, and the outcome of its last attempt. */
function resultOf({ execution_id, name }: Product, queries: Queries) {
  const filter = { execution_id, slice_filename: name };
  const [row] = queries.tfSlices(filter, { order: 'newest', limit: 1, uncounted: true }).rows;
  return row && (itemOf(Object.keys(sliceResult().shape), row, shownSlice(row) as object) as Trace['slice']);
}

/** The state of a slice in words: a status alone may suggest that work is being done although none is. */
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
      return `in progress for ${Math.round(seconds_in_hand ?? 0)} s`;
    default:
      return status;
  }
}

/**
 * Why a slice is waiting: no work is being done, or other slices are ahead, with the time that they will
 * take.
 */
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
