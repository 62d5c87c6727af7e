import type * as z from 'zod';

import { csvRecord } from '../../lib/csv.ts';
import { SwfError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { tools } from '../../tools/index.ts';
import { findTool, runTool } from '../../tools/shared/run-tool.ts';
import { exitCodes, type Io, storePath } from '../io.ts';
import { createStoreReader, type StoreReader } from '../store-reader.ts';
import type { Item, Output, TableCommand } from './catalogue.ts';
import { argumentsOf } from './filters.ts';
import { tableLines } from './layout.ts';

export interface TableArguments {
  /** The value that was named without its flag. */
  named: string | undefined;
  output: Output;
  /** Rows at most; undefined: as many as there are for `json` and `csv`, a screen or two for people. */
  limit: number | undefined;
  flags: Readonly<Record<string, unknown>>;
}

/** Rows that a person is shown without asking for more. */
const shownRows = 50;
/** Rows of one question. */
export const pageRows = 200;

/** The answer of a list tool. */
interface Page {
  items: Item[];
  total_count: number;
  total_is_lower_bound?: true;
  next_cursor?: string;
  note?: string;
}

/** A command that shows the rows of a tool. Returns the exit code. */
export function tableCommand(io: Io, table: TableCommand, given: TableArguments): number {
  const { output } = given;
  const most = given.limit ?? (output === 'json' || output === 'csv' ? Infinity : shownRows);
  const args = toolArguments(table, given);
  const { items, total, isAtLeast, note } = readRows(io, table, { args, most });
  show(io, table, output, items);
  const said = note ?? (items.length === 0 ? `no rows${whereOf(args)}` : undefined);
  if (said !== undefined) io.err(printable(said));
  if (items.length < total && most !== Infinity)
    io.err(`${items.length} of ${isAtLeast ? 'at least ' : ''}${total} rows; --limit ${total} shows all`);
  return exitCodes.fine;
}

/** The place where nothing was found: somebody may have meant another execution. */
const whereOf = ({ execution_id }: Record<string, unknown>): string =>
  execution_id === 'latest' ? ' in the newest execution that fit; swf-mcp list names the others' : ' that fit';

/** The arguments of the tool: the flags, what was named without one, and the newest execution where none is named. */
export function toolArguments(
  { tool, named: place, isOfExecution }: TableCommand,
  { named, flags }: Pick<TableArguments, 'named' | 'flags'>,
): Record<string, unknown> {
  const args = argumentsOf(tool, flags);
  if (named !== undefined && place !== undefined) {
    const before = args[place.argument];
    if (before !== undefined && before !== named)
      throw new SwfError(
        'ARGUMENT_INVALID',
        `${place.argument} is ${JSON.stringify(named)} and ${JSON.stringify(before)}; give it once, with its flag or without`,
      );
    args[place.argument] = named;
  }
  const isNamed = ['execution_id', 'run_number', 'namespace', 'message_id'].some((name) => args[name] !== undefined);
  return isOfExecution && !isNamed ? { ...args, execution_id: 'latest' } : args;
}

/** One page of a list tool. */
export function askPage(reader: StoreReader, tool: string, args: Record<string, unknown>): Page {
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
  return runTool(findTool(tools, tool), given, { queries: reader.queries(), now: Date.now() }) as unknown as Page;
}

interface Rows {
  items: Item[];
  total: number;
  isAtLeast: boolean;
  note: string | undefined;
}

function readRows(io: Io, { tool }: TableCommand, { args, most }: { args: object; most: number }): Rows {
  const reader = createStoreReader(storePath(io));
  try {
    const items: Item[] = [];
    let page: Page | undefined;
    do {
      const limit = Math.min(pageRows, most - items.length);
      const cursor = page?.next_cursor;
      page = askPage(reader, tool, { ...args, limit, cursor });
      items.push(...page.items);
    } while (items.length < most && page.next_cursor !== undefined);
    // Pages that are short are followed, so the note of the last one is about the list.
    const { total_count, total_is_lower_bound, note } = page;
    return { items, total: total_count, isAtLeast: total_is_lower_bound === true, note };
  } finally {
    reader.close();
  }
}

function show(io: Io, table: TableCommand, output: Output, items: readonly Item[]): void {
  if (output === 'json') {
    io.out(`${JSON.stringify(items, undefined, 1)}\n`);
    return;
  }
  if (output === 'csv') {
    // All fields that the tool has, so that the columns are the same whatever the rows are.
    const heads = fieldsOf(table.tool);
    io.out(csvRecord(heads));
    for (const item of items) io.out(csvRecord(heads.map((head) => item[head])));
    return;
  }
  const columns = output === 'wide' ? [...table.columns, ...table.wide] : table.columns;
  const rows = items.map((item) => columns.map(({ of }) => printable(of(item))));
  // A wide table may be wider than the terminal: somebody has asked for all of it.
  const width = output === 'wide' ? undefined : io.terminal('out')?.columns();
  if (rows.length > 0) io.out(`${tableLines(columns, rows, width).join('\n')}\n`);
}

function fieldsOf(tool: string): string[] {
  const { items } = findTool(tools, tool).output.shape as { items: z.ZodArray<z.ZodObject> };
  return Object.keys(items.element.shape);
}
