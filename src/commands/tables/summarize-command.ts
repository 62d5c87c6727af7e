import { isSpan } from '../../domain/summary-words.ts';
import { duration } from '../../lib/duration.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { csvText, textOf } from '../../lib/words.ts';
import { summarizeTool } from '../../tools/summarize.ts';
import type { Summary, Sums } from '../../tools/summary.ts';
import { askTool } from '../ask/ask-tool.ts';
import type { Io } from '../shared/io.ts';
import { type ShownColumn, tableLines, valueIn } from '../shared/layout.ts';
import { printJson } from '../shared/print-lines.ts';
import type { Output } from './catalogue.ts';
import { shortError } from './cells.ts';
import { argumentsOf } from './filters.ts';
import { isNamed, sayNewest } from './table-command.ts';

/** The default keys to group by, where the default is not the status. */
const usualKeys: Readonly<Record<string, string>> = { messages: 'message_type', logs: 'level' };

/** Grouping by these keys compares several executions. */
const ofSeveral = ['execution_id', 'namespace'];

interface SummarizeArguments {
  /** The argument given without a flag. */
  named?: string;
  output: Output;
  limit?: number;
  /** The arguments of the tool, as flags. */
  [flag: string]: unknown;
}

/** `swf-mcp summarize [WHAT]`: counts and sums by group, as a table. */
export async function summarizeCommand(io: Io, { named, output, limit, ...flags }: SummarizeArguments) {
  const asked = argumentsOf('summarize', flags);
  const what = whatOf(named, asked['what'] as string | undefined);
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
    io.err(`${answer.groups.length} of ${answer.groups.length + answer.groups_omitted} groups; --limit shows more`);
}

function whatOf(given: string | undefined, flag: string | undefined) {
  if (given !== undefined && flag !== undefined && given !== flag)
    throw argumentInvalid(
      `--what was given as ${JSON.stringify(given)} and as ${JSON.stringify(flag)}; give it only once`,
    );
  return given ?? flag ?? 'slices';
}

/** @param keys in the order of the request */
function csvOf(answer: Summary, keys: readonly string[]) {
  const spread = ['mean', 'p50', 'p95', 'max'].map((name) => `seconds_${name}`);
  const heads = [...keys, 'count', 'failed', 'retries', 'bytes', ...spread, 'stay_failed'];
  const rows = answer.groups.map(({ seconds = {}, ...group }) => ({
    ...group,
    ...Object.fromEntries(Object.entries(seconds).map(([name, value]) => [`seconds_${name}`, value])),
  }));
  return csvText(heads, rows);
}

type Group = Summary['groups'][number];

/** The groups as a table, with the total in the last line. */
function tableOf(answer: Summary, keys: readonly string[], width: number | undefined) {
  const sums = [
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
  const heads = keys.map((key): ShownColumn<Group> => ({
    head: key.toUpperCase().replaceAll('_', ' ') + (isSpan(key) ? ' (UTC)' : ''),
    // Minutes and hours are shown without the time zone, which is in the heading.
    of: (group) => textOf(group[key]).replace(/^([\d-]{10})T([\d:]{5})Z$/, '$1 $2'),
    ...(key === 'cause' ? { isWrapped: true, least: 50, shorten: shortError } : { cut: 'start', least: 24 }),
  }));
  const columns = [...heads, ...sums.filter((column) => valueIn(column, answer.total) !== undefined)];
  return tableLines(columns, [...answer.groups, { ...answer.total, [keys[0] ?? '']: `all ${answer.counts}` }], width);
}

const sumColumn = (head: string, sum: keyof Sums, drop = 0): ShownColumn<Sums> => ({
  head,
  align: 'right',
  drop,
  of: sum,
});

const secondsColumn = (head: string, part: keyof NonNullable<Sums['seconds']>, drop: number): ShownColumn<Sums> => ({
  head,
  align: 'right',
  drop,
  of: ({ seconds }) => seconds && duration(seconds[part]),
});
