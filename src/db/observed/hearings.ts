import { toUSVString } from 'node:util';

import { messageOf, SwfError } from '../../lib/errors.ts';
import { mergedSpans } from '../../lib/merged-spans.ts';
import { lagLimit } from '../../observed/hearing.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isProcessAlive, type LivenessTest, type Moment, type ProcessSigns, signColumns } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { openFiles } from './prompt.ts';

/** Means all namespaces. */
const anyNamespace = '';

/** A period in which an observer listened, or that a recording covers. Milliseconds since 1970. */
export interface Span {
  since: number;
  until: number;
}

interface Observer {
  /** Empty: all. */
  namespaces: readonly string[];
  process_id: number;
  /** Milliseconds since 1970. */
  now: number;
  /** The topics that it listens to; undefined without a broker. */
  topics?: readonly string[] | undefined;
  /** Whether it sends requests to the programs that it observes. */
  maySend?: boolean | undefined;
}

/**
 * Makes a process the observer of namespaces, or of all if none is named. Throws `NAMESPACE_IN_USE` while another
 * observer of the same is alive: both would record each message.
 */
export function beginHearing(tx: Transaction, observer: Observer, isAlive: LivenessTest) {
  const { namespaces, process_id, now, topics, maySend = false } = observer;
  const mine = namespaces.length === 0 ? [anyNamespace] : namespaces;
  for (const other of observersOf(tx.sql, isAlive))
    if (mine.some((one) => one === anyNamespace || hears(other, one)))
      throw new SwfError(
        'NAMESPACE_IN_USE',
        `process ${other.pid} on ${other.hostname} is already observing ${other.namespace === anyNamespace ? 'all namespaces' : `namespace ${other.namespace}`} for this store; end it first, or give each observer its own --namespace`,
      );
  const values = { now, process_id, topics: topicsText(topics), may_send: maySend ? 1 : 0 };
  for (const namespace of mine)
    tx.sql(
      `INSERT INTO hearings (namespace, since_ms, until_ms, process_id, topics, may_send) VALUES ($namespace, $now, $now, $process_id, $topics, $may_send)
       ON CONFLICT (namespace, since_ms) DO UPDATE SET process_id = excluded.process_id, topics = excluded.topics, may_send = excluded.may_send`,
    ).run({ namespace, ...values });
}

/** Topics as they are stored. */
const topicsText = (topics: readonly string[] | undefined) => (topics === undefined ? null : JSON.stringify(topics));

interface ObserverRow extends ProcessSigns {
  namespace: string;
  since_ms: number;
  /** Null: a recording that continues beyond a moment in the past. */
  process_id: number | null;
  until_ms: number;
  beat_ms: number | null;
  may_send: number;
}

const hears = (observer: ObserverRow, namespace: string) =>
  observer.namespace === anyNamespace || observer.namespace === namespace;

/** The live observers, and in the past the recordings that continue. */
const observersOf = (sql: Prepare, isAlive: LivenessTest) =>
  sql<ObserverRow>(
    `SELECT namespace, since_ms, process_id, until_ms, beat_ms, may_send, ${signColumns} FROM hearings LEFT JOIN processes USING (process_id)
     WHERE ended IS NULL AND coalesce(process_id, beat_ms) IS NOT NULL`,
  )
    .all()
    .filter((row) => row.process_id === null || isProcessAlive(row, isAlive));

/** The observers that receive messages now: they are alive and reach their broker. @param now milliseconds since 1970 */
export const listeningObservers = (sql: Prepare, isAlive: LivenessTest, now: number) =>
  observersOf(sql, isAlive).filter(({ beat_ms }) => beat_ms !== null && now - beat_ms < silence);

/** The process that observes a namespace now and sends requests there, or undefined. @param now milliseconds since 1970 */
export const processOfObserver = (sql: Prepare, namespace: string, isAlive: LivenessTest, now: number) =>
  listeningObservers(sql, isAlive, now).find((one) => one.may_send === 1 && hears(one, namespace))?.process_id ??
  undefined;

/** Records since and until when an observer has heard messages, without queued ones: once messages lag, earlier than before. */
export function keepHearing({ sql }: Transaction, processId: number, { since, until }: Span, now: number) {
  sql(
    `UPDATE hearings SET since_ms = iif(beat_ms IS NULL, ?, since_ms), until_ms = max(iif(beat_ms IS NULL, ?, since_ms), ?), beat_ms = ? WHERE process_id = ?`,
  ).run(since, since, until, now, processId);
}

/** Records until when an observer that ends has heard messages. @param until milliseconds since 1970 */
export function endHearing({ sql }: Transaction, processId: number, until: number) {
  sql('UPDATE hearings SET until_ms = max(since_ms, ?) WHERE process_id = ?').run(until, processId);
}

/** Records the time that a recording covers, or extends it. @param namespaces the ones that were read; none: all */
export function noteSpan(
  { sql }: Transaction,
  { since, until, topics }: Span & { topics?: readonly string[] | undefined },
  namespaces: readonly string[],
) {
  for (const namespace of namespaces.length === 0 ? [anyNamespace] : namespaces)
    sql(
      `INSERT INTO hearings (namespace, since_ms, until_ms, topics) VALUES (?, ?, ?, ?)
       ON CONFLICT (namespace, since_ms) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms), topics = coalesce(excluded.topics, topics)`,
    ).run(namespace, since, until, topicsText(topics));
}

/** Records a period in which nothing could be heard. Times are ISO 8601. */
export function noteGap({ sql }: Transaction, gap: { from: string; until: string; reason?: unknown }) {
  const reason = typeof gap.reason === 'string' ? toUSVString(gap.reason.slice(0, 500)) : 'no reason was given';
  const insert = sql('INSERT OR IGNORE INTO gaps (from_ms, until_ms, reason) VALUES (?, ?, ?)');
  insert.run(Date.parse(gap.from), Date.parse(gap.until), reason);
}

/** Records a message that could not be recorded, as a gap at its time (ISO 8601). */
export function noteUnrecorded(tx: Transaction, time: string, error: unknown): never[] {
  noteGap(tx, { from: time, until: time, reason: `a message could not be recorded: ${messageOf(error)}` });
  return [];
}

/** What decides when an execution was heard: the times of its messages. Milliseconds since 1970. */
export interface HeardRun {
  execution_id: string;
  namespace: string;
  first: number;
  last: number;
  /** 1 if its end was announced and every slice that was heard has its result: nothing more is expected. */
  is_done: number;
}

/** As SQL: a `HeardRun`, from `observed_runs AS o` and `run_states`. */
export const heardRunColumns = `o.execution_id, o.namespace, first_ms AS first, last_ms AS last,
  (phase = 'completed' OR coalesce(told_status, 'running') <> 'running') AND slices_queued = 0 AND NOT EXISTS (SELECT 1 ${openFiles('o.execution_id')}) AS is_done`;

/** An observer that has not reported for this long has lost its broker or its machine. Milliseconds. */
const silence = 15_000;

/** A run whose last message was followed by this much observed silence has certainly ended. Milliseconds. */
const quiet = 15_000;

/** However long a run's steps took, this much is enough. Milliseconds. */
const longestQuiet = 60_000;

/**
 * When an execution was heard, and when it could not be. Milliseconds since 1970.
 * @param run the messages of the execution
 * @returns `until`: until when it was heard: now while an observer listens and messages do not lag, or else the end of
 * the observation that received its last message. `isListening`: whether an observer receives messages now.
 * `isObserved`: whether one is alive: its broker may be away for a while.
 */
export function heardTimeOf(sql: Prepare, run: HeardRun, { isAlive, now }: Moment) {
  const { namespace, first, last } = run;
  const all = sql<HeardSpan>(
    `SELECT since_ms AS since, until_ms AS until, coalesce(ended = 'order', process_id IS NULL) AS is_ended
     FROM hearings LEFT JOIN processes USING (process_id) WHERE namespace IN ('', ?) ORDER BY since_ms`,
  ).all(namespace);
  const next = nextObservation(all, last);
  const spans = all.filter((span) => span.since < next);
  const hearsRun = (one: ObserverRow) => hears(one, namespace) && one.since_ms < next;
  const listening = listeningObservers(sql, isAlive, now).filter(hearsRun);
  const isListening = listening.length > 0;
  const isObserved = isListening || observersOf(sql, isAlive).some(hearsRun);
  const untils = isListening
    ? listening.map(({ until_ms, beat_ms }) => ((beat_ms ?? 0) - until_ms > lagLimit ? until_ms : now))
    : spans.map((span) => span.until);
  const until = Math.max(last, ...untils);
  const since = spans.find((span) => span.since <= last && span.until >= first)?.since ?? first;
  // From then on nothing more is expected.
  const over =
    run.is_done === 1
      ? last + Math.min(longestQuiet, Math.max(quiet, 3 * longestStep(sql, run.execution_id)))
      : Infinity;
  const gaps = sql<{ from: number; until: number; reason: string }>(
    'SELECT from_ms AS "from", min(until_ms, ?) AS until, reason FROM gaps WHERE until_ms > ? AND from_ms < ? ORDER BY from_ms LIMIT 1000',
  ).all(over, first, Math.min(until, over));
  const unheard = unheardIn(spans, { since: first, until: Math.min(until, over) });
  // A live observer that receives nothing records the gap only once its broker is back.
  const isAway = isObserved && !isListening && now - until > passing && over > until;
  const reason = 'the observer receives nothing from its broker';
  const away = isAway ? [{ from: until, until: Math.min(now, over), reason }] : [];
  return { since, until, isListening, isObserved, gaps: mergedSpans([...gaps, ...unheard, ...away], passing) };
}

/** The longest time between an STF file and its TF files so far: their messages may be as late after the end of the DAQ. Milliseconds. */
const longestStep = (sql: Prepare, executionId: string) =>
  sql<number | null>(
    `SELECT max(waited_ms) FROM fastmon_files INDEXED BY fastmon_files_waited WHERE execution_id = ? AND ${indexPredicates.waitedTime}`,
  ).value(executionId) ?? 0;

/** The same of one execution; undefined if it is not observed. */
export function heardTimeOfRun(sql: Prepare, executionId: string, moment: Moment) {
  const run = sql<HeardRun>(
    `SELECT ${heardRunColumns} FROM observed_runs AS o JOIN run_states USING (execution_id) WHERE o.execution_id = ?`,
  ).get(executionId);
  return run && heardTimeOf(sql, run, moment);
}

/** A pause this short between two observers is no gap: one was just ending. Milliseconds. */
const passing = 1000;

type HeardSpan = Span & { is_ended: number };

/**
 * When the first observation begins that no longer concerns a run: that of its last message ended cleanly
 * before. Milliseconds since 1970; infinity: there is none. @param spans in the order in which they begin
 */
function nextObservation(spans: readonly HeardSpan[], last: number): number {
  let [heard, isInOrder] = [last, false];
  for (const { since, until, is_ended } of spans) {
    if (isInOrder && since - heard > passing) return since;
    if (until >= heard) [heard, isInOrder] = [until, is_ended === 1];
  }
  return Infinity;
}

/** The parts of a life that no span covers. */
function unheardIn(spans: readonly Span[], life: Span) {
  const gaps: { from: number; until: number; reason: string }[] = [];
  const before = spans.filter(({ since }) => since <= life.since);
  let heard = Math.max(life.since, ...before.map(({ until }) => until));
  for (const { since, until } of spans) {
    const gap = { from: heard, until: Math.min(since, life.until), reason: 'no observer listened' };
    if (since - heard > passing && heard < life.until) gaps.push(gap);
    heard = Math.max(heard, until);
  }
  return gaps;
}
