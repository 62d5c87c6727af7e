import { toUSVString } from 'node:util';

import { messageOf, SwfError } from '../../lib/errors.ts';
import { mergedSpans } from '../../lib/merged-spans.ts';
import { isProcessAlive, type LivenessTest, type Moment, type ProcessSigns, signColumns } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** Means all namespaces. */
const anyNamespace = '';

/** A time in which an observer listened, or that a recording covers. Milliseconds since 1970. */
export interface Span {
  since: number;
  until: number;
}

export interface Observer {
  /** Empty: all. */
  namespaces: readonly string[];
  process_id: number;
  /** Milliseconds since 1970. */
  now: number;
  /** Whether it sends requests to the programs that it hears. */
  maySend?: boolean | undefined;
}

/**
 * Makes a process the observer of namespaces, or of all if none is named. Throws `NAMESPACE_IN_USE` while another observer of the same lives: both
 * would record each message.
 */
export function beginHearing(tx: Transaction, observer: Observer, isAlive: LivenessTest): void {
  const { namespaces, process_id, now, maySend = false } = observer;
  const mine = namespaces.length === 0 ? [anyNamespace] : namespaces;
  for (const other of observersOf(tx.sql, isAlive))
    if (mine.some((one) => one === anyNamespace || hears(other, one)))
      throw new SwfError(
        'NAMESPACE_IN_USE',
        `process ${other.pid} on ${other.hostname} observes ${other.namespace === anyNamespace ? 'all namespaces' : `namespace ${other.namespace}`} into this store already; end it first, or give each observer a --namespace of its own`,
      );
  for (const namespace of mine)
    tx.sql(
      `INSERT INTO hearings (namespace, since_ms, until_ms, process_id, may_send) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (namespace, since_ms) DO UPDATE SET process_id = excluded.process_id, may_send = excluded.may_send`,
    ).run(namespace, now, now, process_id, maySend ? 1 : 0);
}

interface ObserverRow extends ProcessSigns {
  namespace: string;
  process_id: number;
  since_ms: number;
  until_ms: number;
  may_send: number;
}

const hears = (observer: ObserverRow, namespace: string): boolean =>
  observer.namespace === anyNamespace || observer.namespace === namespace;

/** The living observers. */
const observersOf = (sql: Prepare, isAlive: LivenessTest): ObserverRow[] =>
  sql<[], ObserverRow>(
    `SELECT namespace, process_id, since_ms, until_ms, may_send, ${signColumns} FROM hearings JOIN processes USING (process_id) WHERE ended IS NULL`,
  )
    .all()
    .filter((row) => isProcessAlive(row, isAlive));

/** The observers that hear messages now: they are alive and reach their broker. @param now milliseconds since 1970 */
export const listeningObservers = (sql: Prepare, isAlive: LivenessTest, now: number): ObserverRow[] =>
  // An observer that has not reached its broker yet has reported nothing since it began.
  observersOf(sql, isAlive).filter(({ since_ms, until_ms }) => until_ms > since_ms && now - until_ms < silence);

/** The process that hears a namespace now and sends requests there, or undefined. @param now milliseconds since 1970 */
export const processOfObserver = (sql: Prepare, namespace: string, isAlive: LivenessTest, now: number) =>
  listeningObservers(sql, isAlive, now).find((one) => one.may_send === 1 && hears(one, namespace))?.process_id;

/** Notes that an observer still hears. @param until milliseconds since 1970 */
export function keepHearing({ sql }: Transaction, processId: number, until: number): void {
  sql('UPDATE hearings SET until_ms = max(until_ms, ?) WHERE process_id = ?').run(until, processId);
}

/** Notes the time that a recording covers, or extends it. @param namespaces the ones that were read; none: all */
export function noteSpan({ sql }: Transaction, { since, until }: Span, namespaces: readonly string[]): void {
  for (const namespace of namespaces.length === 0 ? [anyNamespace] : namespaces)
    sql(
      `INSERT INTO hearings (namespace, since_ms, until_ms) VALUES (?, ?, ?)
       ON CONFLICT (namespace, since_ms) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)`,
    ).run(namespace, since, until);
}

/** Notes a time in which nothing could be heard. Times are ISO 8601. */
export function noteGap({ sql }: Transaction, gap: { from: string; until: string; reason?: unknown }): void {
  const reason = typeof gap.reason === 'string' ? toUSVString(gap.reason.slice(0, 500)) : 'no reason was told';
  const insert = sql('INSERT OR IGNORE INTO gaps (from_ms, until_ms, reason) VALUES (?, ?, ?)');
  insert.run(Date.parse(gap.from), Date.parse(gap.until), reason);
}

/** Notes a message that could not be recorded, as a gap at its time (ISO 8601). */
export function noteUnrecorded(tx: Transaction, time: string, error: unknown): never[] {
  noteGap(tx, { from: time, until: time, reason: `a message could not be recorded: ${messageOf(error)}` });
  return [];
}

/** Gives an observer a namespace in which it hears programs of another make, unless another living process records it. */
export function claimNamespace(
  { sql }: Transaction,
  { namespace, process_id }: { namespace: string; process_id: number },
  isAlive: LivenessTest,
): void {
  const holder = sql<[string], ProcessSigns & { process_id: number; ended: string | null }>(
    `SELECT process_id, ${signColumns}, ended FROM recorders JOIN processes USING (process_id) WHERE namespace = ?`,
  ).get(namespace);
  if (holder?.process_id === process_id) return;
  if (holder !== undefined && holder.ended === null && isProcessAlive(holder, isAlive)) return;
  sql(
    `INSERT INTO recorders (namespace, process_id) VALUES (?, ?)
     ON CONFLICT (namespace) DO UPDATE SET process_id = excluded.process_id, broker_away_since = NULL`,
  ).run(namespace, process_id);
}

/** When an execution was heard, and when it could not be. Milliseconds since 1970. */
export interface HeardTime {
  since: number;
  /** Now, while an observer listens; else the end of what was heard. */
  until: number;
  isListening: boolean;
  gaps: { from: number; until: number; reason: string }[];
}

/** An observer that has not reported for this long has lost its broker, or its machine. Milliseconds. */
const silence = 15_000;

/** @param life of the messages of the execution */
export function heardTimeOf(
  sql: Prepare,
  { namespace, first, last }: { namespace: string; first: number; last: number },
  { isAlive, now }: Moment,
): HeardTime {
  const spans = sql<[string], Span>(
    `SELECT since_ms AS since, until_ms AS until FROM hearings WHERE namespace IN ('', ?) ORDER BY since_ms`,
  ).all(namespace);
  const isListening = listeningObservers(sql, isAlive, now).some((one) => hears(one, namespace));
  const covering = spans.filter(({ since, until }) => since <= last && until >= first);
  const until = isListening ? now : Math.max(last, ...covering.map((span) => span.until));
  const since = covering[0]?.since ?? first;
  const gaps = sql<[number, number], { from: number; until: number; reason: string }>(
    'SELECT from_ms AS "from", until_ms AS until, reason FROM gaps WHERE until_ms > ? AND from_ms < ? ORDER BY from_ms LIMIT 1000',
  ).all(first, until);
  const all = [...gaps, ...unheard(spans, { since: first, until })];
  return { since, until, isListening, gaps: mergedSpans(all, passing) };
}

/** When one execution was heard; undefined if it is not observed. */
function heardTimeOfRun(sql: Prepare, executionId: string, moment: Moment): HeardTime | undefined {
  const run = sql<[string], { namespace: string; first: number; last: number }>(
    'SELECT namespace, first_ms AS first, last_ms AS last FROM observed_runs WHERE execution_id = ?',
  ).get(executionId);
  return run && heardTimeOf(sql, run, moment);
}

/** Until when an execution was heard: see `HeardTime`. Undefined if it is not observed. Milliseconds since 1970. */
export const heardUntil = (sql: Prepare, executionId: string, moment: Moment): number | undefined =>
  heardTimeOfRun(sql, executionId, moment)?.until;

/** The times in which nothing could be heard of an execution, until a time. Milliseconds since 1970. */
export const gapsOf = (sql: Prepare, executionId: string, until: number): HeardTime['gaps'] =>
  heardTimeOfRun(sql, executionId, { isAlive: () => undefined, now: until })?.gaps ?? [];

/** A pause this short between two observers is no gap: one was just ending. Milliseconds. */
const passing = 1000;

/** The parts of a life that no span covers. */
function unheard(spans: readonly Span[], life: Span): HeardTime['gaps'] {
  const gaps: HeardTime['gaps'] = [];
  let heard = Math.max(life.since, ...spans.filter(({ since }) => since <= life.since).map(({ until }) => until));
  for (const { since, until } of spans) {
    if (since > life.until) break;
    if (since - heard > passing && heard < life.until)
      gaps.push({ from: heard, until: Math.min(since, life.until), reason: 'nobody listened' });
    heard = Math.max(heard, until);
  }
  return gaps;
}
