import type { SliceStatus } from '../../domain/slice-states.ts';
import { grouped } from '../../lib/grouped.ts';
import type { ResultFact, ResultKey, SliceFact, ToldSlice } from '../reading/fact.ts';
import { bySending, type SaidFact, standingBy, standingOf, timeOf } from './said.ts';

type SaidSlice = SaidFact<SliceFact>;
type SaidResult = SaidFact<ResultFact>;
type SaidRegistration = SaidFact<ToldSlice>;

/** A message about slices. */
export type SaidWork = SaidFact<SliceFact | ResultFact | ToldSlice>;

/**
 * An attempt at a slice: the message that sent it, or its registration if that was not heard, and the result
 * that counts.
 */
interface Attempt {
  slice: SaidSlice | SaidRegistration;
  result: SaidResult | undefined;
}

/**
 * A slice: its attempts, in the order of the times that their senders state, and the one that
 * determines its state.
 */
export interface FoldedSlice {
  slice_filename: string;
  attempts: readonly Attempt[];
  /** An index of `attempts`. */
  current: number;
}

/** The slices that related messages make together. */
export type Work = ReturnType<typeof foldWork>;

/** An attempt while its results are collected. */
interface OpenAttempt extends Pick<Attempt, 'slice'> {
  /** The values by which results may name it. */
  names: Readonly<Record<ResultKey['by'], string | undefined>>;
  slice_filename: string;
  results: SaidResult[];
}

/**
 * The state of slices according to all messages about them. A function only of the messages: neither their
 * order nor repetition makes a difference, and REST calls count like messages.
 * @param messages all that are related to one another; see `relatedTo`
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
    /** Slices that were registered by REST. */
    registered: new Set(registered.stands.keys()),
    /** Results that match no slice that was heard. */
    unmatched: withoutCopies(waiting).length,
    /** Results of an attempt after the one that counts. */
    repeated: ended.reduce((sum, { repeated }) => sum + repeated, 0),
  };
}

/**
 * Each `req_id` of a slice is an attempt at it, or without one, each time; a repeated one is the same message
 * delivered again.
 */
const deliveryOf = ({ slice_filename, req_id, requested_at }: SliceFact) =>
  [slice_filename, req_id === undefined ? `at ${requested_at ?? ''}` : `as ${req_id}`].join('\0');

function heardAttempt(slice: SaidSlice): OpenAttempt {
  const { slice_filename, req_id, tf_slice_id, requested_at } = slice.fact;
  const names = { request: req_id, id: tf_slice_id, name: slice_filename, time: requested_at };
  return { slice, slice_filename, names, results: [] };
}

/**
 * Assigns results to the attempts that they name: if there are several, to the first by its sender's time.
 * Returns the results that match none.
 */
function giveResults(results: readonly SaidResult[], attempts: readonly OpenAttempt[]): SaidResult[] {
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
 * The attempt of a slice that was registered and given a result over REST: it was sent, although that was not
 * heard.
 */
function unheardAttempt(slice: SaidRegistration, { fact: { key } }: SaidResult): OpenAttempt {
  const { slice_filename } = slice.fact;
  const names = { request: undefined, id: undefined, time: undefined, [key.by]: key.value, name: slice_filename };
  return { slice, slice_filename, names, results: [] };
}

/**
 * REST repeats results of the bus word for word: such a copy is the same message, for which the bus has more
 * details.
 * @param results in the order of sending
 */
function withoutCopies(results: readonly SaidResult[]): SaidResult[] {
  const heard = results.filter(({ fact }) => fact.copyOf === undefined);
  const texts = new Set(heard.map(({ body }) => body));
  const told = results.filter(({ fact: { copyOf } }) => {
    const isNew = copyOf !== undefined && !texts.has(copyOf);
    if (isNew) texts.add(copyOf);
    return isNew;
  });
  return [...heard, ...told];
}

/** Of several results, `done` wins over `failed`, then the first one processed. */
const worthOf = ({ fact: { state, processed_at = '~' }, message_id }: SaidResult) =>
  [state, processed_at, message_id].join('\0');

/** Compares things by a text of each. */
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

function byTime(a: Attempt['slice'], b: Attempt['slice']): number {
  const left = requestedAt(a);
  const right = requestedAt(b);
  return left === right ? bySending(a, b) : left < right ? -1 : 1;
}

const requestedAt = ({ fact }: Attempt['slice']) => (fact.kind === 'slice' ? (fact.requested_at ?? '') : '');

/** The facts of a slice that its first message states. */
export const firstOf = ({ attempts }: FoldedSlice) => (attempts[0] as Attempt).slice.fact;

/** The columns of a slice. Times are ISO 8601. */
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

/** The columns of its attempts other than the current one. */
export const otherAttempts = ({ slice_filename, attempts, current }: FoldedSlice) =>
  attempts.flatMap((attempt, index) => {
    const queued_at = timeOf(attempt.slice);
    const row = { slice_filename, attempt: index + 1, state: statusOf(attempt), queued_at, ...outcomeOf(attempt) };
    return index === current ? [] : [row];
  });

/** The state of a slice, by the attempt that decides. */
export const statusNow = ({ attempts, current }: FoldedSlice): SliceStatus => statusOf(attempts[current] as Attempt);

const statusOf = ({ result }: Attempt): SliceStatus =>
  result === undefined ? 'unanswered' : result.fact.state === 'done' ? 'completed' : 'failed';

/**
 * The columns that a result fills; without one, they are null. The worker's clock may be in any zone, so its
 * start is the result's time minus the duration that it measured.
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

/** No slice takes longer: a longer time comes from a clock that was never set. Seconds. */
const maxSeconds = 30 * 86_400;

const plausible = (seconds: number | undefined) =>
  seconds !== undefined && seconds >= 0 && seconds <= maxSeconds ? seconds : undefined;

/** Seconds between two times of one clock; undefined if one is missing. */
function secondsBetween(from: string | undefined, to: string | undefined): number | undefined {
  const seconds = (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000;
  return Number.isNaN(seconds) ? undefined : seconds;
}
