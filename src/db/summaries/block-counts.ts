import { isSpan, spanName, widthOf } from '../../domain/summary-words.ts';
import { milliseconds } from '../migrations/message-columns.ts';
import { keysWithin, lastNoted, rowsOfBlock } from '../notes/row-blocks.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { SummaryQuestion } from './question.ts';
import { isoOf, type RowSource } from './row-sources.ts';

/** How many blocks may have their rows counted one by one: with more, all rows are walked in steps. */
const maxMixed = 200;

interface Counted {
  name: string;
  n: number;
}

/**
 * Counts the rows of a table per minute, hour or day from the notes about its blocks, most of which lie within one span: a tenth of a second for ten
 * million rows. Undefined for any other question, or if too many blocks reach from one span into the next.
 */
export function spanCounts(sql: Prepare, source: RowSource, question: SummaryQuestion): Counted[] | undefined {
  const [span] = question.keys;
  const { start_time, end_time } = question;
  const time = source.times.created;
  if (span === undefined || !isSpan(span) || time === undefined || !isPlain(question)) return undefined;
  const { table, key } = source;
  const digits = { day: 10, hour: 13, minute: 16 }[span];
  const instant = time.isMilliseconds === true ? milliseconds('?') : '?';
  const range = keysWithin(sql, { table, key, time: time.column, instant }, question);
  const inWindow = 'coalesce(earliest >= ?, 1) AND coalesce(latest <= ?, 1)';
  const isWhole = `substr(earliest, 1, ${digits}) = substr(latest, 1, ${digits}) AND ${inWindow}`;
  const blocks = [table, Math.floor((Math.max(1, range.from) - 1) / rowsOfBlock), blockAfter(range.to)] as const;
  const ofTable = 'table_name = ? AND block >= ? AND block < ?';
  const window = [start_time ?? null, end_time ?? null] as const;
  const mixed = sql<unknown[], { block: number }>(
    `SELECT block FROM time_blocks WHERE ${ofTable} AND row_count > 0 AND NOT (${isWhole}) LIMIT ${maxMixed + 1}`,
  ).all(...blocks, ...window);
  if (mixed.length > maxMixed) return undefined;
  const counts = new Map<string, number>();
  const take = (rows: readonly { span: string; n: number }[]): void => {
    for (const { span: name, n } of rows) counts.set(name, (counts.get(name) ?? 0) + n);
  };
  take(
    sql<unknown[], { span: string; n: number }>(
      `SELECT substr(earliest, 1, ${digits}) AS span, sum(row_count) AS n FROM time_blocks
       WHERE ${ofTable} AND row_count > 0 AND ${isWhole} GROUP BY 1`,
    ).all(...blocks, ...window),
  );
  const iso = isoOf(time);
  const singly = sql<unknown[], { span: string; n: number }>(
    `SELECT substr(iso, 1, ${digits}) AS span, count(*) AS n FROM (SELECT ${iso} AS iso FROM ${table} AS t WHERE ${key} > ? AND ${key} <= ?)
     WHERE coalesce(iso >= ?, 1) AND coalesce(iso <= ?, 1) GROUP BY 1`,
  );
  for (const { block } of mixed) take(singly.all(block * rowsOfBlock, (block + 1) * rowsOfBlock, ...window));
  take(singly.all(lastNoted(sql, table), Number.MAX_SAFE_INTEGER, ...window));
  return [...counts]
    .filter(([, n]) => n > 0)
    .map(([text, n]) => ({ name: spanName(span, Math.floor(startOf(text) / widthOf[span])), n }));
}

/** Whether a question only counts rows, by one span of the noted time. */
function isPlain({ what, keys, execution_id, namespace, status, time_field }: SummaryQuestion): boolean {
  const isUnfiltered = [execution_id, namespace, status].every((filter) => filter === undefined);
  return (what === 'messages' || what === 'logs') && keys.length === 1 && isUnfiltered && time_field === 'created';
}

const blockAfter = (key: number): number =>
  key === Number.MAX_SAFE_INTEGER ? key : Math.floor((key - 1) / rowsOfBlock) + 1;

/** The beginning of a span, from its first digits. */
const startOf = (text: string): number =>
  Date.parse(text.length === 10 ? text : `${text.padEnd(16, ':00').slice(0, 16)}Z`);
