import type { Causes } from '../../domain/causes.ts';
import type { Groups } from '../../domain/groups.ts';
import { isSpan, spanName, type SummaryKey, type SummaryQuestion, widthOf } from '../../domain/summary-words.ts';
import type { Steps } from '../../lib/steps.ts';
import { countMessages } from '../lists/message-counts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { digitsOf, rangeOf, shortTime, spanCounts } from './block-counts.ts';
import { instantOf, type RowSource, rowSources } from './row-sources.ts';

/** Rows per step: about ten milliseconds. */
const rowsOfStep = 8000;

/** A group of rows as SQL returns it. */
interface Part extends Record<'n' | 'failed' | 'slices' | 'stay_failed', number> {
  /** Null if unknown. */
  retries: number | null;
  bytes: number | null;
  a: string | number | null;
  b: string | number | null;
  seconds: number | null;
}

/**
 * Adds the rows of a table to groups, some thousand at a time, by the execution index if the question names
 * an execution.
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
 * Message counts by type, for all executions or one, from kept figures; undefined if the question asks for
 * more.
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

function shownKey(key: SummaryKey, value: string | number | null, causes: Causes): string | undefined {
  if (value === null) return undefined;
  if (isSpan(key)) return typeof value === 'number' ? spanName(key, value) : shortTime(key, value);
  return key === 'cause' ? causes.add(String(value)) : String(value);
}

function groupedColumns(source: RowSource, { keys, time_field }: SummaryQuestion): string {
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

function toldColumns(source: RowSource, { keys }: SummaryQuestion): string {
  const [a = 'a', b = 'b'] = keys.map((key, at) => {
    const column = at === 0 ? 'a' : 'b';
    return isSpan(key) ? column : (source.told?.[key]?.(column) ?? column);
  });
  return `${a} AS a, ${b} AS b`;
}

/** The given conditions, each with its value. */
function conditionsOf(source: RowSource, question: SummaryQuestion): [string, string][] {
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
