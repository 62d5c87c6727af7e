import { toUSVString } from 'node:util';

import { messageOf, SwfError } from '../../lib/errors.ts';
import { mergedSpans } from '../../lib/merged-spans.ts';
import { lagLimit } from '../../observed/hearing.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isProcessAlive, type LivenessTest, type Moment, type ProcessSigns, signColumns } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { openFiles } from './prompt.ts';

/** Stands for all namespaces. */
const anyNamespace = '';

/** A period in which an observer listened, or which a recording covers. Milliseconds since 1970. */
export interface Span {
  since: number;
  until: number;
}

interface Observer {
  /** The namespaces to observe; if empty, all. */
  namespaces: readonly string[];
  process_id: number;
  /** Milliseconds since 1970. */
  now: number;
  /** The topics that the observer listens to; undefined without a broker. */
  topics?: readonly string[] | undefined;
  /** Whether the observer sends requests to the programs that it observes. */
  maySend?: boolean | undefined;
}

/**
 * Makes a process the observer of the named namespaces, or of all if none is named. Throws `NAMESPACE_IN_USE`
 * while another observer of one of these namespaces is alive, since both would record each message.
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
  /** Null for a recording that continues beyond the queried moment. */
  process_id: number | null;
  until_ms: number;
  beat_ms: number | null;
  may_send: number;
}

const hears = (observer: ObserverRow, namespace: string) =>
  observer.namespace === anyNamespace || observer.namespace === namespace;

/** The live observers and, for a moment in the past, the recordings that continue beyond that moment. */
const observersOf = (sql: Prepare, isAlive: LivenessTest) =>
  sql<ObserverRow>(
    `SELECT namespace, since_ms, process_id, until_ms, beat_ms, may_send, ${signColumns} FROM hearings LEFT JOIN processes USING (process_id)
     WHERE ended IS NULL AND coalesce(process_id, beat_ms) IS NOT NULL`,
  )
    .all()
    .filter((row) => row.process_id === null || isProcessAlive(row, isAlive));

/**
 * The observers that are receiving messages: they are alive and connected to their broker.
 * @param now milliseconds since 1970
 */
export const listeningObservers = (sql: Prepare, isAlive: LivenessTest, now: number) =>
  observersOf(sql, isAlive).filter(({ beat_ms }) => beat_ms !== null && now - beat_ms < silence);

/**
 * The process that is observing a namespace and sends requests there, or undefined.
 * @param now milliseconds since 1970
 */
export const processOfObserver = (sql: Prepare, namespace: string, isAlive: LivenessTest, now: number) =>
  listeningObservers(sql, isAlive, now).find((one) => one.may_send === 1 && hears(one, namespace))?.process_id ??
  undefined;

/**
 * Records the period in which an observer has received all messages. While messages lag, this period ends
 * before the present.
 */
export function keepHearing({ sql }: Transaction, processId: number, { since, until }: Span, now: number) {
  sql(
    `UPDATE hearings SET since_ms = iif(beat_ms IS NULL, ?, since_ms), until_ms = max(iif(beat_ms IS NULL, ?, since_ms), ?), beat_ms = ? WHERE process_id = ?`,
  ).run(since, since, until, now, processId);
}

/** Records the time up to which an ending observer has received messages. @param until milliseconds since 1970 */
export function endHearing({ sql }: Transaction, processId: number, until: number) {
  sql('UPDATE hearings SET until_ms = max(since_ms, ?) WHERE process_id = ?').run(until, processId);
}

/**
 * Records the time that a recording covers, or extends it.
 * @param namespaces the namespaces that were read; if empty, all
 */
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

/** Records a period in which nothing could be received. Times are ISO 8601. */
export function noteGap({ sql }: Transaction, gap: { from: string; until: string; reason?: unknown }) {
  const reason = typeof gap.reason === 'string' ? toUSVString(gap.reason.slice(0, 500)) : 'no reason was given';
  const insert = sql('INSERT OR IGNORE INTO gaps (from_ms, until_ms, reason) VALUES (?, ?, ?)');
  insert.run(Date.parse(gap.from), Date.parse(gap.until), reason);
}

/** Records a gap in place of a message that could not be recorded, at the message's time (ISO 8601). */
export function noteUnrecorded(tx: Transaction, time: string, error: unknown) {
  noteGap(tx, { from: time, until: time, reason: `a message could not be recorded: ${messageOf(error)}` });
  return [];
}

/** The facts that determine when an execution was observed: the times of its messages. Milliseconds since 1970. */
export interface HeardRun {
  execution_id: string;
  namespace: string;
  first: number;
  last: number;
  /** 1 if nothing more is expected: the end was announced, and every slice that was received has its result. */
  is_done: number;
}

/** As SQL: a `HeardRun`, from `observed_runs AS o` and `run_states`. */
export const heardRunColumns = `o.execution_id, o.namespace, first_ms AS first, last_ms AS last,
  (phase = 'completed' OR coalesce(told_status, 'running') <> 'running') AND slices_queued = 0 AND NOT EXISTS (SELECT 1 ${openFiles('o.execution_id')}) AS is_done`;

/** An observer that has not reported for this long has lost its broker or its machine. Milliseconds. */
const silence = 15_000;

/** The shortest silence after which a run counts as over if nothing more is expected from it. Milliseconds. */
const quiet = 15_000;

/** The longest silence before a run that seems done counts as over. Milliseconds. */
const longestQuiet = 60_000;

/**
 * When an execution was observed, and when it could not be. Milliseconds since 1970.
 * @param run the messages of the execution
 * @returns `until`: the time up to which the execution was observed: now while an observer listens and messages
 * do not lag, otherwise the end of the observation that received its last message. `isListening`: whether an
 * observer is receiving messages. `isObserved`: whether an observer is alive, even if its broker is unreachable
 * for a while.
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
  // After this time, no more messages are expected.
  const over =
    run.is_done === 1
      ? last + Math.min(longestQuiet, Math.max(quiet, 3 * longestStep(sql, run.execution_id)))
      : Infinity;
  const gaps = sql<{ from: number; until: number; reason: string }>(
    'SELECT from_ms AS "from", min(until_ms, ?) AS until, reason FROM gaps WHERE until_ms > ? AND from_ms < ? ORDER BY from_ms LIMIT 1000',
  ).all(over, first, Math.min(until, over));
  const unheard = unheardIn(spans, { since: first, until: Math.min(until, over) });
  // A live observer without a connection does not record the gap until its broker is reachable again.
  const isAway = isObserved && !isListening && now - until > passing && over > until;
  const reason = 'the observer receives nothing from its broker';
  const away = isAway ? [{ from: until, until: Math.min(now, over), reason }] : [];
  return { since, until, isListening, isObserved, gaps: mergedSpans([...gaps, ...unheard, ...away], passing) };
}

/**
 * The longest time so far from an STF file to one of its TF files. Messages about TF files may arrive this
 * long after the end of the DAQ. Milliseconds.
 */
const longestStep = (sql: Prepare, executionId: string) =>
  sql<number | null>(
    `SELECT max(waited_ms) FROM fastmon_files INDEXED BY fastmon_files_waited WHERE execution_id = ? AND ${indexPredicates.waitedTime}`,
  ).value(executionId) ?? 0;

/** Like `heardTimeOf`, but takes the execution's id; undefined if the execution is not an observed one. */
export function heardTimeOfRun(sql: Prepare, executionId: string, moment: Moment) {
  const run = sql<HeardRun>(
    `SELECT ${heardRunColumns} FROM observed_runs AS o JOIN run_states USING (execution_id) WHERE o.execution_id = ?`,
  ).get(executionId);
  return run && heardTimeOf(sql, run, moment);
}

/** A pause of up to this many milliseconds between two observers is no gap: one was ending as the other began. */
const passing = 1000;

type HeardSpan = Span & { is_ended: number };

/**
 * The start of the first observation that no longer concerns a run: the previous observation received the run's
 * last message and ended cleanly. Milliseconds since 1970; infinity if there is none.
 * @param spans in the order in which they begin
 */
function nextObservation(spans: readonly HeardSpan[], last: number) {
  let [heard, isInOrder] = [last, false];
  for (const { since, until, is_ended } of spans) {
    if (isInOrder && since - heard > passing) return since;
    if (until >= heard) [heard, isInOrder] = [until, is_ended === 1];
  }
  return Infinity;
}

/** The parts of a run's life that no span covers. */
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
