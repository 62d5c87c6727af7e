import type { Causes } from '../../domain/causes.ts';
import type { Groups } from '../../domain/groups.ts';
import {
  isSpan,
  type Span,
  spanName,
  type SummaryKey,
  type SummaryQuestion,
  widthOf,
} from '../../domain/summary-words.ts';
import type { Steps } from '../../lib/steps.ts';
import { countMessages } from '../lists/message-counts.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { keysWithin, lastNoted, rowsOfBlock } from '../notes/row-blocks.ts';
import { anyKey, type KeyRange } from '../notes/word-parts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { instantOf, type RowSource, rowSources } from './row-sources.ts';

/** Number of rows per step. A step takes about ten milliseconds. */
const rowsOfStep = 8000;

/** A group of rows, as returned by SQL. */
interface Part extends Record<'n' | 'failed' | 'slices' | 'stay_failed', number> {
  /** Null if unknown. */
  retries: number | null;
  bytes: number | null;
  a: string | number | null;
  b: string | number | null;
  seconds: number | null;
}

/**
 * Adds the rows of a table to groups, several thousand rows at a time, using the index of executions if the
 * query names an execution.
 */
export function* addRows(
  groups: Groups,
  sql: Prepare,
  question: SummaryQuestion & { what: keyof typeof rowSources },
): Steps<void> {
  const source = rowSources[question.what];
  const counts = spanCounts(sql, source, question) ?? typeCounts(sql, question);
  if (counts !== undefined) {
    for (const { name, n } of counts) groups.of([name]).count += n;
    return;
  }
  const { key, table } = source;
  const conditions = conditionsOf(source, question);
  const values = conditions.map(([, value]) => value);
  const range = rangeOf(sql, source, question);
  const isOf = question.execution_id === undefined ? '' : `${source.isOfExecution} AND`;
  const ids = question.execution_id === undefined ? [] : [question.execution_id];
  const index = isOf === '' || source.index === undefined ? 'NOT INDEXED' : `INDEXED BY ${source.index}`;
  const among = `FROM ${table} AS t ${index} WHERE ${isOf} ${key} > ? AND ${key} <= ?`;
  const text = `SELECT ${toldColumns(source, question)}, n, failed, retries, bytes, slices, stay_failed, seconds FROM (
    SELECT ${groupedColumns(source, question)} ${among} ${conditions.map(([one]) => `AND ${one}`).join(' ')}
    ${source.seconds === undefined ? 'GROUP BY 1, 2' : ''})`;
  for (let after = range.from - 1; ;) {
    const upTo = sql<number | null>(`SELECT max(k) FROM (SELECT ${key} AS k ${among} ORDER BY ${key} LIMIT ?)`).value(
      ...ids,
      after,
      range.to,
      rowsOfStep,
    );
    if (upTo === undefined || upTo === null) return;
    for (const part of sql<Part>(text).all(...ids, after, upTo, ...values)) add(groups, question.keys, part);
    after = upTo;
    yield;
  }
}

/**
 * Message counts by type, for one execution or all, from stored counts; undefined if these counts cannot answer
 * the query.
 */
function typeCounts(sql: Prepare, question: SummaryQuestion) {
  const { what, keys, execution_id, namespace, status, start_time, end_time } = question;
  const isPlain = [namespace, status, start_time, end_time].every((filter) => filter === undefined);
  if (what !== 'messages' || keys.join() !== 'message_type' || !isPlain) return undefined;
  return [...countMessages(sql, execution_id)].map(([name, n]) => ({ name, n }));
}

function add(groups: Groups, keys: readonly SummaryKey[], part: Part) {
  const { a, b, n, failed, retries, bytes, slices, stay_failed, seconds } = part;
  const group = groups.of(keys.map((key, at) => shownKey(key, at === 0 ? a : b, groups.causes)));
  group.count += n;
  group.failed += failed;
  group.retries += retries ?? 0;
  group.bytes += bytes ?? 0;
  if (retries === null) group.unknown.retries += n;
  if (bytes === null) group.unknown.bytes += n;
  group.ofSlices += slices;
  group.stayFailed += stay_failed;
  if (seconds !== null) group.seconds.push(seconds);
}

function shownKey(key: SummaryKey, value: string | number | null, causes: Causes) {
  if (value === null) return undefined;
  if (isSpan(key)) return typeof value === 'number' ? spanName(key, value) : shortTime(key, value);
  return key === 'cause' ? causes.add(String(value)) : String(value);
}

function groupedColumns(source: RowSource, { keys, time_field }: SummaryQuestion) {
  const [a, b = 'NULL'] = keys.map((key) => {
    if (!isSpan(key)) return source.keys[key] ?? 'NULL';
    const time = source.times[time_field];
    if (time === undefined) return 'NULL';
    return source.isMilliseconds === true ? `${time} / ${widthOf[key]}` : digitsOf(time, key);
  });
  const isEach = source.seconds !== undefined;
  const sum = (column: string | undefined) =>
    column === undefined ? '0' : isEach ? column : `coalesce(sum(${column}), 0)`;
  return `${a} AS a, ${b} AS b, ${isEach ? '1' : 'count(*)'} AS n, ${sum(source.failed)} AS failed, ${sum(source.retries)} AS retries,
    ${sum(source.bytes)} AS bytes, ${sum(source.slices)} AS slices, ${sum(source.stayFailed)} AS stay_failed, ${source.seconds ?? 'NULL'} AS seconds`;
}

function toldColumns(source: RowSource, { keys }: SummaryQuestion) {
  const [a = 'a', b = 'b'] = keys.map((key, at) => {
    const column = at === 0 ? 'a' : 'b';
    return isSpan(key) ? column : (source.told?.[key]?.(column) ?? column);
  });
  return `${a} AS a, ${b} AS b`;
}

/** The conditions of the query, each with its value. */
function conditionsOf(source: RowSource, question: SummaryQuestion) {
  const { namespace, status, start_time, end_time, time_field } = question;
  const time = source.times[time_field];
  const all: [string | undefined, string | undefined][] = [
    [source.isOfNamespace, namespace],
    [source.hasStatus, status],
    [time && `${time} >= ${instantOf(source)}`, start_time],
    [time && `${time} <= ${instantOf(source)}`, end_time],
  ];
  return all.filter((one): one is [string, string] => one[0] !== undefined && one[1] !== undefined);
}

/**
 * Maximum number of blocks whose rows are counted one by one; if there are more such blocks, all rows are read
 * in steps.
 */
const maxMixed = 200;

/**
 * Counts the rows of a table per minute, hour or day, using the notes about its blocks: most blocks are within
 * one such span. This takes a tenth of a second for ten million rows. Returns undefined for any other query, or
 * if too many blocks reach from one span into the next.
 */
function spanCounts(sql: Prepare, source: RowSource, question: SummaryQuestion) {
  const [span] = question.keys;
  const { start_time, end_time } = question;
  const time = source.times.created;
  if (span === undefined || !isSpan(span) || time === undefined || !countsOneSpan(question)) return undefined;
  const { table, key } = source;
  const range = rangeOf(sql, source, question);
  const inWindow = 'coalesce(earliest >= ?, 1) AND coalesce(latest <= ?, 1)';
  const isWhole = `${digitsOf('earliest', span)} = ${digitsOf('latest', span)} AND ${inWindow}`;
  const blocks = [table, Math.floor((range.from - 1) / rowsOfBlock), blockAfter(range.to)] as const;
  const ofTable = 'table_name = ? AND block >= ? AND block < ?';
  const window = [start_time ?? null, end_time ?? null] as const;
  const mixed = sql<number>(
    `SELECT block FROM time_blocks WHERE ${ofTable} AND row_count > 0 AND NOT (${isWhole}) LIMIT ${maxMixed + 1}`,
  ).values(...blocks, ...window);
  if (mixed.length > maxMixed) return undefined;
  const counts = new Map<string, number>();
  const take = (rows: readonly { span: string; n: number }[]) => {
    for (const { span: name, n } of rows) counts.set(name, (counts.get(name) ?? 0) + n);
  };
  take(
    sql<{ span: string; n: number }>(
      `SELECT ${digitsOf('earliest', span)} AS span, sum(row_count) AS n FROM time_blocks
       WHERE ${ofTable} AND row_count > 0 AND ${isWhole} GROUP BY 1`,
    ).all(...blocks, ...window),
  );
  const iso = source.isMilliseconds === true ? isoTime(time) : time;
  const singly = sql<{ span: string; n: number }>(
    `SELECT ${digitsOf('iso', span)} AS span, count(*) AS n FROM (SELECT ${iso} AS iso FROM ${table} AS t WHERE ${key} > ? AND ${key} <= ?)
     WHERE coalesce(iso >= ?, 1) AND coalesce(iso <= ?, 1) GROUP BY 1`,
  );
  for (const block of mixed) take(singly.all(block * rowsOfBlock, (block + 1) * rowsOfBlock, ...window));
  take(singly.all(lastNoted(sql, table), Number.MAX_SAFE_INTEGER, ...window));
  return [...counts].filter(([, n]) => n > 0).map(([text, n]) => ({ name: shortTime(span, text), n }));
}

/**
 * Whether a query has one key, counts all rows in a time window, and uses the time field that is noted for
 * blocks.
 */
function countsOneSpan({ what, keys, execution_id, namespace, status, time_field }: SummaryQuestion) {
  const isUnfiltered = [execution_id, namespace, status].every((filter) => filter === undefined);
  return (what === 'messages' || what === 'logs') && keys.length === 1 && isUnfiltered && time_field === 'created';
}

const blockAfter = (key: number) => (key === Number.MAX_SAFE_INTEGER ? key : Math.floor((key - 1) / rowsOfBlock) + 1);

/**
 * The name of the span in which a time falls. For ISO 8601 times in UTC, which all our times are, this equals
 * what `spanName` returns.
 */
const shortTime = (span: Span, text: string) => (span === 'day' ? text : span === 'hour' ? `${text}:00Z` : `${text}Z`);

/** As SQL: the leading characters of an ISO 8601 time, which name its span. */
const digitsOf = (iso: string, span: Span) => `substr(${iso}, 1, ${{ day: 10, hour: 13, minute: 16 }[span]})`;

/** The narrowest range of keys that, by the times noted for blocks, contains all rows of a window. */
function rangeOf(sql: Prepare, source: RowSource, question: SummaryQuestion): KeyRange {
  const { table, key, times, hasBlocks } = source;
  const time = times[question.time_field];
  if (!hasBlocks || question.time_field !== 'created' || time === undefined) return { ...anyKey, from: 1 };
  const { from, to } = keysWithin(sql, { table, key, time, instant: instantOf(source) }, question);
  return { from: Math.max(1, from), to };
}
