import type { SliceStatus } from '../../domain/slice-states.ts';
import { grouped } from '../../lib/grouped.ts';
import type { ResultFact, ResultKey, SliceFact, ToldSlice } from '../reading/fact.ts';
import { bySending, type SaidFact, standingBy, standingOf, timeOf } from './said.ts';

type SaidSlice = SaidFact<SliceFact>;
type SaidResult = SaidFact<ResultFact>;
type SaidRegistration = SaidFact<ToldSlice>;

export type SaidWork = SaidFact<SliceFact | ResultFact | ToldSlice>;

/**
 * An attempt at a slice: the message that sent it (or its registration if that message was not received), and
 * the result that counts.
 */
interface Attempt {
  slice: SaidSlice | SaidRegistration;
  result: SaidResult | undefined;
}

/** A slice: its attempts, ordered by their senders' times, and the attempt that determines its state. */
export interface FoldedSlice {
  slice_filename: string;
  attempts: readonly Attempt[];
  /** The index in `attempts` of the attempt that determines the slice's state. */
  current: number;
}

/** The slices that result from folding related messages. */
export type Work = ReturnType<typeof foldWork>;

/** An attempt whose results are being collected. */
interface OpenAttempt extends Pick<Attempt, 'slice'> {
  /** The values by which results may identify the attempt. */
  names: Readonly<Record<ResultKey['by'], string | undefined>>;
  slice_filename: string;
  results: SaidResult[];
}

/**
 * The state of slices according to all messages about them. It depends only on the messages: their order and
 * repetition make no difference, and REST calls count as messages.
 * @param messages all related messages; see `relatedTo`
 */
export function foldWork(messages: readonly SaidWork[]) {
  const sent = standingBy(
    messages.filter((one): one is SaidSlice => one.fact.kind === 'slice'),
    deliveryOf,
  );
  const told = messages.filter((one): one is SaidRegistration => one.fact.kind === 'told_slice');
  const registered = standingBy(told, ({ slice_filename }) => slice_filename);
  const repeats = [...sent.repeats, ...registered.repeats];
  const attempts = [...sent.stands.values()].map(heardAttempt);
  let waiting = messages.filter((one): one is SaidResult => one.fact.kind === 'result').toSorted(bySending);
  waiting = giveResults(waiting, attempts);
  for (const registration of [...registered.stands.values()].toSorted(bySending)) {
    const { slice_filename } = registration.fact;
    const teller = waiting.find(({ fact }) => fact.copyOf !== undefined && fact.slice_filename === slice_filename);
    if (teller === undefined || attempts.some((one) => one.slice_filename === slice_filename)) continue;
    const unheard = unheardAttempt(registration, teller);
    attempts.push(unheard);
    waiting = giveResults(waiting, [unheard]);
  }
  const ended = attempts.map(({ slice, results, slice_filename }) => {
    const { stands, repeats: others } = standingOf(withoutCopies(results), by(worthOf));
    repeats.push(...others);
    return { slice_filename, attempt: { slice, result: stands }, repeated: others.length };
  });
  return {
    slices: slicesOf(ended),
    repeats,
    /** The slices that were registered over REST. */
    registered: new Set(registered.stands.keys()),
    /** Number of results that match no received slice. */
    unmatched: withoutCopies(waiting).length,
    /** Number of further results for attempts that already have the result that counts. */
    repeated: ended.reduce((sum, { repeated }) => sum + repeated, 0),
  };
}

/**
 * Identifies an attempt at a slice, by its `req_id` or, without a `req_id`, by its request time. If the value
 * recurs, the same message was delivered again.
 */
const deliveryOf = ({ slice_filename, req_id, requested_at }: SliceFact) =>
  [slice_filename, req_id === undefined ? `at ${requested_at ?? ''}` : `as ${req_id}`].join('\0');

function heardAttempt(slice: SaidSlice): OpenAttempt {
  const { slice_filename, req_id, tf_slice_id, requested_at } = slice.fact;
  const names = { request: req_id, id: tf_slice_id, name: slice_filename, time: requested_at };
  return { slice, slice_filename, names, results: [] };
}

/**
 * Assigns results to the attempts that they identify; if a result identifies several, to the one whose request
 * is earliest by its sender's clock. Returns the results that match no attempt.
 */
function giveResults(results: readonly SaidResult[], attempts: readonly OpenAttempt[]) {
  const inOrder = attempts.toSorted(by(orderOf));
  return results.filter((result) => {
    const { by, value } = result.fact.key;
    const attempt = inOrder.find(({ names }) => names[by] === value);
    attempt?.results.push(result);
    return attempt === undefined;
  });
}

const orderOf = ({ slice_filename, names: { time = '', request = '' } }: OpenAttempt) =>
  [time, slice_filename, request].join('\0');

/**
 * An attempt at a slice whose registration and result arrived over REST: the slice must have been sent,
 * although its message was not received.
 */
function unheardAttempt(slice: SaidRegistration, { fact: { key } }: SaidResult): OpenAttempt {
  const { slice_filename } = slice.fact;
  const names = { request: undefined, id: undefined, time: undefined, [key.by]: key.value, name: slice_filename };
  return { slice, slice_filename, names, results: [] };
}

/**
 * REST calls repeat results from the bus word for word. Such a copy counts as the same message; the original
 * from the bus has more details.
 * @param results in the order in which they were sent
 */
function withoutCopies(results: readonly SaidResult[]) {
  const heard = results.filter(({ fact }) => fact.copyOf === undefined);
  const texts = new Set(heard.map(({ body }) => body));
  const told = results.filter(({ fact: { copyOf } }) => {
    const isNew = copyOf !== undefined && !texts.has(copyOf);
    if (isNew) texts.add(copyOf);
    return isNew;
  });
  return [...heard, ...told];
}

/** Of several results, `done` wins over `failed`, and an earlier one over a later one. */
const worthOf = ({ fact: { state, processed_at = '~' }, message_id }: SaidResult) =>
  [state, processed_at, message_id].join('\0');

/** Compares items by a text derived from each. */
const by =
  <T>(textOf: (one: T) => string) =>
  (a: T, b: T) =>
    textOf(a) < textOf(b) ? -1 : 1;

function slicesOf(ended: readonly { slice_filename: string; attempt: Attempt }[]): Map<string, FoldedSlice> {
  return new Map(
    [...grouped(ended, (one) => one.slice_filename)].map(([slice_filename, some]) => {
      const attempts = some.map(({ attempt }) => attempt).toSorted((a, b) => byTime(a.slice, b.slice));
      const done = attempts.findIndex(({ result }) => result?.fact.state === 'done');
      return [slice_filename, { slice_filename, attempts, current: done === -1 ? attempts.length - 1 : done }];
    }),
  );
}

function byTime(a: Attempt['slice'], b: Attempt['slice']) {
  const left = requestedAt(a);
  const right = requestedAt(b);
  return left === right ? bySending(a, b) : left < right ? -1 : 1;
}

const requestedAt = ({ fact }: Attempt['slice']) => (fact.kind === 'slice' ? (fact.requested_at ?? '') : '');

/** The facts in a slice's first message. */
export const firstOf = ({ attempts }: FoldedSlice) => (attempts[0] as Attempt).slice.fact;

/** The columns for a slice. Times are ISO 8601. */
export function sliceRow(slice: FoldedSlice) {
  const { slice_filename, attempts, current } = slice;
  const first = attempts[0] as Attempt;
  const now = attempts[current] as Attempt;
  const { slice_id, tf_filename, stf_filename, tf_first, tf_last, tf_count } = firstOf(slice);
  return {
    slice_filename,
    slice_id,
    tf_filename,
    stf_filename: orNull(stf_filename),
    tf_first: orNull(tf_first),
    tf_last: orNull(tf_last),
    tf_count: orNull(tf_count),
    status: statusOf(now),
    attempt: current + 1,
    created_at: timeOf(first.slice),
    queued_again_at: current === 0 ? null : timeOf(now.slice),
    ...outcomeOf(now),
  };
}

/** The columns for all attempts at a slice except the current one. */
export const otherAttempts = ({ slice_filename, attempts, current }: FoldedSlice) =>
  attempts.flatMap((attempt, index) => {
    const queued_at = timeOf(attempt.slice);
    const row = { slice_filename, attempt: index + 1, state: statusOf(attempt), queued_at, ...outcomeOf(attempt) };
    return index === current ? [] : [row];
  });

/** The state of a slice, taken from the attempt that determines it. */
export const statusNow = ({ attempts, current }: FoldedSlice): SliceStatus => statusOf(attempts[current] as Attempt);

const statusOf = ({ result }: Attempt): SliceStatus =>
  result === undefined ? 'unanswered' : result.fact.state === 'done' ? 'completed' : 'failed';

/**
 * The columns that a result fills; without a result they are null. The worker's clock may be in any zone, so
 * the start is the time of the result minus the duration that the worker measured.
 */
function outcomeOf({ slice, result }: Attempt) {
  const fact: Partial<ResultFact> = result?.fact ?? {};
  const { started_at, processed_at, processing_seconds, worker, hostname, state, error } = fact;
  const measured = plausible(processing_seconds);
  const took = plausible(secondsBetween(started_at, processed_at)) ?? measured;
  const took_ms = took === undefined ? null : Math.round(took * 1000);
  const sent_ms = result?.sent_ms ?? 0;
  return {
    worker: orNull(worker),
    hostname: orNull(hostname),
    started_at: took === undefined ? null : new Date(sent_ms - took * 1000).toISOString(),
    completed_at: result === undefined ? null : timeOf(result),
    seconds: orNull(measured ?? took),
    error: state === 'failed' ? (error ?? 'failed without a reason') : null,
    starts: result === undefined ? 0 : 1,
    waited_ms: took_ms === null ? null : Math.max(0, sent_ms - took_ms - slice.sent_ms),
    took_ms,
    job: jobOf(fact),
  };
}

/** The PanDA task and job of a result, if it names them. */
const jobOf = ({ panda_task_id, panda_id }: Partial<ResultFact>) =>
  [panda_task_id, panda_id].filter((id) => id !== undefined).join('/') || null;

const orNull = <T>(value: T | undefined): T | null => value ?? null;

/** No slice takes longer than this, in seconds: a longer time comes from a clock that is set wrong. */
const maxSeconds = 30 * 86_400;

const plausible = (seconds: number | undefined) =>
  seconds !== undefined && seconds >= 0 && seconds <= maxSeconds ? seconds : undefined;

/** Seconds between two times by the same clock; undefined if one is missing. */
function secondsBetween(from: string | undefined, to: string | undefined) {
  const seconds = (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000;
  return Number.isNaN(seconds) ? undefined : seconds;
}
