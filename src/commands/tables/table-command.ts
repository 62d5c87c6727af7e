import type { Page } from '../../domain/list-columns.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { csvRecord } from '../../lib/words.ts';
import { findTool, tools } from '../../tools/index.ts';
import { askWith } from '../ask/ask-tool.ts';
import { flagOf, inFlags } from '../shared/flag-words.ts';
import { type Io, storeOption, withStore } from '../shared/io.ts';
import { tableLines } from '../shared/layout.ts';
import { createPaint } from '../shared/palette.ts';
import { createStoreReader, type StoreReader } from '../shared/store-reader.ts';
import { commandsByTool, type Output, type TableCommand } from './catalogue.ts';
import { columnsOf, type Item } from './cells.ts';
import { argumentsOf, fieldsOf, flagsOfTool } from './filters.ts';

export interface TableArguments {
  /** The value given without a flag. */
  named: string | undefined;
  output: Output;
  /** The maximum number of rows; if omitted, all rows for `json` and `csv`, and a screen or two for people. */
  limit?: number;
  /** Shows the rows of all `parts`. */
  all: boolean;
  follow: boolean;
  /** The arguments of the tool, as flags. */
  [flag: string]: unknown;
}

type Arguments = Readonly<Record<string, unknown>>;

/** How many rows a person is shown by default. */
const shownRows = 50;
/** Rows per question. */
export const pageRows = 200;

/** Shows the rows of a tool. */
export const tableCommand = (table: TableCommand) => async (io: Io, given: TableArguments) => {
  const { output } = given;
  const most = given.limit ?? (output === 'json' || output === 'csv' ? Infinity : shownRows);
  const args = toolArguments(table, given);
  const rows = await readRows(io, table, args, most, given.all);
  const { items, total_count: total, note, newest } = rows;
  show(io, table, output, items);
  const remark = note ?? (items.length === 0 && newest === undefined ? 'no matching rows' : undefined);
  const words = { flags: flagsOfTool(table.tool), commands: commandsByTool };
  if (remark !== undefined) io.err(printable(inFlags(remark, words)));
  sayNewest(io, newest, items.length);
  const bound = rows.total_is_lower_bound === true ? 'at least ' : '';
  if (items.length < total && most !== Infinity)
    io.err(`${items.length} of ${bound}${total} rows; --limit ${total} shows all`);
};

/**
 * Names the execution that was shown although the user named none, since the user may have meant another. In
 * output for a program, does so only if there are no rows.
 */
export function sayNewest(io: Io, newest: string | undefined, rows: number) {
  if (newest === undefined || (rows > 0 && io.terminal('out') === undefined)) return;
  const what = rows === 0 ? 'no matching rows in' : 'of';
  io.err(printable(`${what} ${newest}, the newest execution; "swf-mcp list" shows all executions`));
}

/**
 * The arguments of the tool: the flags, the value given without a flag, and the newest execution if none is named.
 */
export function toolArguments({ tool, named: place, usual }: TableCommand, { named, ...flags }: TableArguments) {
  const args = argumentsOf(tool, flags);
  if (named !== undefined && place !== undefined) {
    const before = args[place.argument];
    if (before !== undefined && before !== named)
      throw argumentInvalid(
        `${flagOf(place.argument)} was given as ${JSON.stringify(named)} and as ${JSON.stringify(before)}; give it only once`,
      );
    args[place.argument] = named;
  }
  return usual === 'newest' && !isNamed(args) ? { ...args, execution_id: 'latest' } : args;
}

/** Arguments that select executions. Times are included, since a period may contain several executions. */
const naming = [
  'execution_id',
  'run_number',
  'namespace',
  'message_id',
  'stf_filename',
  'tf_filename',
  'slice_filename',
  'start_time',
  'end_time',
];

export const isNamed = (args: Arguments) => naming.some((name) => args[name] !== undefined);

/** Requests pages from the list tools of a store. */
export const pageAsker =
  (io: Io, reader: StoreReader) =>
  async (tool: string, args: Arguments): Promise<Page<Item>> =>
    (await askWith(io, reader, findTool(tools, tool), args)) as Page<Item>;

type AskPage = ReturnType<typeof pageAsker>;

/** `newest`: the newest execution, if its rows are shown because no execution was named. */
type Rows = Omit<Page<Item>, 'has_more'> & { newest?: string | undefined };

async function readRows(io: Io, table: TableCommand, args: Arguments, most: number, isAll: boolean): Promise<Rows> {
  using reader = createStoreReader(io);
  const askPage = pageAsker(io, reader);
  const { parts = [] } = table;
  if (parts.length > 0 && !isAll && !parts.some((part) => Object.keys(part).some((key) => args[key] !== undefined)))
    return await readParts(askPage, table, args, most);
  const found = await readPages(askPage, table.tool, args, most);
  const newest = async () => {
    const [item] = (await readPages(askPage, 'list_workflow_executions', { as_of: args.as_of }, 1)).items;
    return item && String(item['execution_id']);
  };
  if (table.usual === 'newest' && args['execution_id'] === 'latest') return { ...found, newest: await newest() };
  if (table.usual !== 'all, else newest' || found.items.length > 0 || isNamed(args)) return found;
  const execution_id = await newest();
  if (execution_id === undefined) return found;
  return { ...(await readPages(askPage, table.tool, { ...args, execution_id }, most)), newest: execution_id };
}

/** The rows of several queries, one after the other. */
async function readParts(askPage: AskPage, table: TableCommand, args: Arguments, most: number) {
  const { tool, parts = [] } = table;
  const all: Rows = { items: [], total_count: 0 };
  for (const part of parts) {
    const room = most - all.items.length;
    const rows = await readPages(askPage, tool, { ...args, ...part }, Math.max(1, room));
    all.items.push(...rows.items.slice(0, room));
    all.total_count += rows.total_count;
    all.total_is_lower_bound ||= rows.total_is_lower_bound;
    all.note ??= rows.note;
  }
  return all;
}

async function readPages(askPage: AskPage, tool: string, args: Arguments, most: number) {
  const items: Item[] = [];
  let page: Page<Item> | undefined;
  do {
    const limit = Math.min(pageRows, most - items.length);
    page = await askPage(tool, { ...args, limit, cursor: page?.next_cursor });
    items.push(...page.items);
  } while (items.length < most && page.next_cursor !== undefined);
  // Pages are read to the end, so the last page's note is about the whole list.
  return { ...page, items };
}

function show(io: Io, table: TableCommand, output: Output, items: readonly Item[]) {
  if (output === 'json') return io.out(`${JSON.stringify(items, undefined, 1)}\n`);
  if (output === 'csv') {
    // All fields that the tool has, so that the columns do not depend on the rows.
    const heads = fieldsOf(table.tool, 'items');
    io.out(csvRecord(heads));
    // All rows together may exceed the maximum length of a string.
    for (const item of items) io.out(csvRecord(heads.map((head) => item[head])));
    return;
  }
  const columns = columnsOf(table, output === 'wide');
  // Only the field `sentence` contains commands, and its text always comes from swf-mcp.
  const forShell = (item: Item) =>
    typeof item['sentence'] === 'string' ? { ...item, sentence: withStore(item['sentence'], storeOption(io)) } : item;
  // Output `wide` may be wider than the terminal: the user asked for all of it.
  const terminal = io.terminal('out');
  const width = output === 'wide' ? undefined : terminal?.columns();
  const paint = createPaint(terminal?.colorDepth);
  if (items.length > 0) io.out(`${tableLines(columns, items.map(forShell), width, paint).join('\n')}\n`);
}
