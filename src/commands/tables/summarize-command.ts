import { isSpan } from '../../domain/summary-words.ts';
import { duration } from '../../lib/duration.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { columnTime } from '../../lib/shown-time.ts';
import { csvRecord, textOf } from '../../lib/words.ts';
import { summarizeTool } from '../../tools/summarize.ts';
import type { Summary, Sums } from '../../tools/summary.ts';
import { askTool } from '../ask/ask-tool.ts';
import type { Io } from '../shared/io.ts';
import { printJson } from '../shared/print-lines.ts';
import type { Output } from './catalogue.ts';
import { shortError } from './cells.ts';
import { argumentsOf } from './filters.ts';
import { type Column, numberColumn, tableLines } from './layout.ts';
import { isNamed, sayNewest } from './table-command.ts';

/** Default keys to sum by, if not the status. */
const usualKeys: Readonly<Record<string, string>> = { messages: 'message_type', logs: 'level' };

/** Keys that compare several executions. */
const ofSeveral = ['execution_id', 'namespace'];

type Flags = { output: Output; limit?: number } & Readonly<Record<string, unknown>>;

/** `swf-mcp summarize [WHAT]`: counts and sums in groups, as a table. */
export async function summarizeCommand(io: Io, given: string | undefined, flags: Flags): Promise<void> {
  const { output, limit } = flags;
  const asked = argumentsOf('summarize', flags);
  const what = whatOf(given, asked['what'] as string | undefined);
  const group_by = (asked['group_by'] as string | undefined) ?? usualKeys[what] ?? 'status';
  const keys = group_by.split(',').map((key) => key.trim());
  const isOfAll = what === 'executions' || isNamed(asked) || keys.some((key) => ofSeveral.includes(key));
  const most = limit && Math.min(limit, 1000);
  const args = { ...(isOfAll ? {} : { execution_id: 'latest' }), ...asked, group_by, what, limit: most };
  const answer = await askTool(io, summarizeTool, args);
  if (output === 'json') printJson(io, answer, 1);
  else if (output === 'csv') io.out(csvOf(answer, keys));
  else io.out(`${tableOf(answer, keys, output === 'wide' ? undefined : io.terminal('out')?.columns()).join('\n')}\n`);
  sayNewest(io, isOfAll ? undefined : answer.execution_id, answer.total.count);
  if (answer.note !== undefined) io.err(printable(answer.note));
  if (answer.groups_omitted > 0)
    io.err(`${answer.groups.length} groups of ${answer.groups.length + answer.groups_omitted}; --limit shows more`);
}

function whatOf(given: string | undefined, flag: string | undefined) {
  if (given !== undefined && flag !== undefined && given !== flag)
    throw argumentInvalid(
      `what is ${JSON.stringify(given)} and ${JSON.stringify(flag)}; give it once, with its flag or without`,
    );
  return given ?? flag ?? 'slices';
}

/** @param keys in the order of the request */
function csvOf(answer: Summary, keys: readonly string[]) {
  const [fields, spread] = [[...keys, 'count', 'failed', 'retries', 'bytes'], ['mean', 'p50', 'p95', 'max'] as const];
  const rows = answer.groups.map((group) => [
    ...fields.map((name) => group[name]),
    ...spread.map((name) => group.seconds?.[name]),
    group.stay_failed,
  ]);
  const head = [...fields, ...spread.map((name) => `seconds_${name}`), 'stay_failed'];
  return [head, ...rows].map((row) => csvRecord(row)).join('');
}

/** The groups, with the total in the last line. */
function tableOf(answer: Summary, keys: readonly string[], width: number | undefined) {
  const columns = [
    sumColumn('COUNT', 'count'),
    sumColumn('FAILED', 'failed'),
    sumColumn('STAY FAILED', 'stay_failed', 2),
    sumColumn('RETRIES', 'retries', 3),
    sumColumn('BYTES', 'bytes', 4),
    secondsColumn('MEAN', 'mean', 2),
    secondsColumn('P50', 'p50', 1),
    secondsColumn('P95', 'p95', 1),
    secondsColumn('LONGEST', 'max', 2),
  ];
  const shown = columns.filter(({ of }) => of(answer.total) !== undefined);
  const heads = keys.map((key): Column => ({
    head: key.toUpperCase().replaceAll('_', ' ') + (isSpan(key) ? ' (UTC)' : ''),
    ...(key === 'cause' ? { isWrapped: true, least: 50, shorten: shortError } : { cut: 'start', least: 24 }),
  }));
  const rows = [
    ...answer.groups.map((group) => [
      ...keys.map((key) => keyText(key, group[key])),
      ...shown.map(({ of }) => of(group)),
    ]),
    [...keys.map((_, at) => (at === 0 ? `all ${answer.counts}` : '')), ...shown.map(({ of }) => of(answer.total))],
  ];
  const cells = rows.map((row) => row.map((cell) => printable(textOf(cell))));
  return tableLines([...heads, ...shown], cells, width);
}

/** A span of time without the zone, which is in its head. */
const keyText = (key: string, value: unknown) =>
  isSpan(key) ? columnTime(textOf(value)).replace('Z', '') : textOf(value);

const sumColumn = (head: string, sum: keyof Sums, drop?: number) => ({
  ...numberColumn(head, drop),
  of: (sums: Sums): unknown => sums[sum],
});

const secondsColumn = (head: string, part: keyof NonNullable<Sums['seconds']>, drop: number) => ({
  ...numberColumn(head, drop),
  of: ({ seconds }: Sums): unknown => seconds && duration(seconds[part]),
});
