import { isSpan, type Span, type SummaryQuestion } from '../../domain/summary-words.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { keysWithin, lastNoted, rowsOfBlock } from '../notes/row-blocks.ts';
import { anyKey, type KeyRange } from '../notes/word-parts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { instantOf, type RowSource } from './row-sources.ts';

/** How many blocks may have their rows counted one by one: with more, all rows are walked in steps. */
const maxMixed = 200;

/**
 * Counts the rows of a table per minute, hour or day from the notes about its blocks, most of which lie
 * within one span: a tenth of a second for ten million rows. Undefined for any other question, or if too many
 * blocks reach from one span into the next.
 */
export function spanCounts(sql: Prepare, source: RowSource, question: SummaryQuestion) {
  const [span] = question.keys;
  const { start_time, end_time } = question;
  const time = source.times.created;
  if (span === undefined || !isSpan(span) || time === undefined || !isPlain(question)) return undefined;
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

/** Whether a question only counts rows, by one span of the noted time. */
function isPlain({ what, keys, execution_id, namespace, status, time_field }: SummaryQuestion): boolean {
  const isUnfiltered = [execution_id, namespace, status].every((filter) => filter === undefined);
  return (what === 'messages' || what === 'logs') && keys.length === 1 && isUnfiltered && time_field === 'created';
}

const blockAfter = (key: number) => (key === Number.MAX_SAFE_INTEGER ? key : Math.floor((key - 1) / rowsOfBlock) + 1);

/**
 * The name of a span, from the beginning of a time: for ISO 8601 in UTC, as all our times are, the one that
 * `spanName` gives.
 */
export const shortTime = (span: Span, text: string) =>
  span === 'day' ? text : span === 'hour' ? `${text}:00Z` : `${text}Z`;

/** As SQL: the digits of an ISO 8601 time that name its span. */
export const digitsOf = (iso: string, span: Span) => `substr(${iso}, 1, ${{ day: 10, hour: 13, minute: 16 }[span]})`;

/** The range of keys of a window's rows, if blocks note its time. */
export function rangeOf(sql: Prepare, source: RowSource, question: SummaryQuestion): KeyRange {
  const { table, key, times, hasBlocks } = source;
  const time = times[question.time_field];
  if (!hasBlocks || question.time_field !== 'created' || time === undefined) return { ...anyKey, from: 1 };
  const { from, to } = keysWithin(sql, { table, key, time, instant: instantOf(source) }, question);
  return { from: Math.max(1, from), to };
}
