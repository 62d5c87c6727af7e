import type * as z from 'zod';

import type { ValueKind } from '../../db/lists/known-values.ts';
import type { ListPage, Page } from '../../db/lists/list-query.ts';
import { object } from '../../domain/fields.ts';
import { listColumns, type ListName, pageAnswer } from '../../domain/list-columns.ts';
import { valueInvalid } from '../../lib/errors.ts';
import { present } from '../../lib/present.ts';
import { harmless } from './harmless.ts';
import { nowhereNote } from './nowhere.ts';
import { fingerprint, readCursor, writeCursor } from './page.ts';
import {
  defineTool,
  itemFields,
  listArguments,
  parseWindow,
  requireRun,
  resolveExecution,
  type Tool,
  type ToolContext,
} from './tool.ts';

/** Maximum length of an answer, in characters of JSON; everything around the items needs a few hundred. */
const pageCharacters = 25_000;
const aroundItems = 700;

const defaultLimit = 50;

type ListArguments = Readonly<Record<string, unknown>> &
  z.output<z.ZodObject<ReturnType<typeof listArguments>>> & {
    execution_id?: string | undefined;
    run_number?: number | undefined;
    /** Comma-separated names. */
    fields?: string | undefined;
  };

/**
 * The parts of a query that may be relative, such as times. They are resolved once, so that they are the same
 * on every page.
 */
type Fixed = Record<'start_time' | 'end_time' | 'execution_id', string | undefined>;

/** The query of a list: its arguments, the relative ones resolved. `run_id`: the run number as text. */
type Question<Args> = Args & Fixed & { run_id: string | undefined };

type ArgumentsOf<In extends z.ZodRawShape> = z.output<z.ZodObject<In>> & ListArguments;

/** A list: its name and arguments, its query, and how its rows become items. */
interface List<Name extends ListName, In extends z.ZodRawShape, Row>
  extends Pick<Tool, 'title' | 'description' | 'takesLong'>, Partial<Pick<Tool, 'aliases'>> {
  /**
   * Determines the columns: items have only the columns defined under this name, not every column of a row, so
   * that nothing leaks by accident.
   */
  name: Name;
  /** The arguments besides those that every list has. */
  input: () => In;
  /** The time that the list's window refers to, in words. */
  window: string;
  /** Whether a caller may request only some fields, so that all are optional. */
  isWide?: true;
  ask: (
    context: ToolContext,
    args: ArgumentsOf<In>,
  ) => (question: Question<ArgumentsOf<In>>, page: Page) => ListPage<Row>;
  /** The fields that differ from those of the row. */
  computed?: (context: ToolContext, args: ArgumentsOf<In>) => (row: Row) => object;
  whenEmpty?: (context: ToolContext, question: Question<ArgumentsOf<In>>) => string | undefined;
  /** A note for the end of the list. */
  atEnd?: (context: ToolContext) => string | undefined;
  /** Facts about the whole list, not only the page: more fields of the answer, and a note. */
  whole?: { fields: () => z.ZodRawShape; of: (context: ToolContext) => { note?: string } };
  /** Throws if these arguments match too many rows for an answer. */
  check?: (args: ArgumentsOf<In>, total: number) => void;
  /** The kind of name that the `agent` argument takes. */
  agents?: ValueKind;
  /** Resolves the argument to an execution's id, if the list takes an execution. */
  resolve?: typeof resolveExecution;
}

const shortPage =
  'This page is short: the call scanned as many rows as a call may. Continue with next_cursor, or narrow the period (start_time, end_time).';

/** The note on a page that has fewer rows than requested. */
const cutPage = (rows: number) =>
  `This page ends after ${rows} rows, because an answer has at most ${pageCharacters} characters. Continue with next_cursor.`;

const shiftingPages =
  'In this order, pages are found by position: if slices change between calls, the next page may repeat a row or miss one.';

/** Declares a tool that lists rows. */
export function defineList<Name extends ListName, In extends z.ZodRawShape, Row extends { key: number }>(
  list: List<Name, In, Row>,
): Tool<Name> {
  const { name, input, window, isWide } = list;
  const item = () => object(listColumns(name));
  return defineTool({
    ...list,
    takesMoment: true,
    input: () => ({ ...input(), ...(isWide === true ? { fields: itemFields } : {}), ...listArguments(window) }),
    output: () => pageAnswer(isWide === true ? item().partial() : item()).extend(list.whole?.fields() ?? {}),
    handle: (args, context) => listPage(list, args as ArgumentsOf<In>, context),
  });
}

/**
 * One page of a list: as many rows as the limit and the size of an answer allow. Throws `RUN_NOT_FOUND`
 * before checking other arguments.
 */
function listPage<Name extends ListName, In extends z.ZodRawShape, Row extends { key: number }>(
  list: List<Name, In, Row>,
  args: ArgumentsOf<In>,
  context: ToolContext,
) {
  const { name, whenEmpty, atEnd, whole, check, agents, resolve = resolveExecution } = list;
  const ask = list.ask(context, args);
  const computed = list.computed?.(context, args);
  const run = requireRun(args.run_number, context);
  const names = chosenOf(args.fields, Object.keys(listColumns(name)));
  const listId = () => fingerprint(name, args);
  const { fixed, page, before } = fix(args, listId, context, resolve);
  const question = { ...args, ...fixed, run_id: run === undefined ? undefined : String(run) };
  const found = ask(question, page);
  const items = asManyAsFit(found.rows, (row) => itemOf(names, row, computed?.(row) ?? {}));
  const { hasMore, last, isShort } = endOf(found, items.length);
  const given = before.given + items.length;
  const counted = totalOf(found, { given, hasMore, total: before.total });
  const cursorAfter = (after: number) =>
    writeCursor({
      after,
      given,
      total: counted.total_is_lower_bound ? 0 : counted.total_count,
      of: listId(),
      as_of: context.asOf,
      start: fixed.start_time,
      end: fixed.end_time,
      latest: args.execution_id === 'latest' ? fixed.execution_id : undefined,
    });
  const noteOf = () => {
    if (isShort) return shortPage;
    const cut = items.length < found.rows.length ? cutPage(items.length) : undefined;
    if (hasMore) return [found.mayShift === true ? shiftingPages : [], cut ?? []].flat().join(' ') || undefined;
    const empty =
      given === 0 ? (nowhereNote(args, fixed, context, agents) ?? whenEmpty?.(context, question)) : undefined;
    return empty ?? atEnd?.(context);
  };
  const { note: remark = [], ...facts } = whole?.of(context) ?? {};
  const note = [remark, noteOf() ?? []].flat().join(' ');
  check?.(args, counted.total_count);
  return {
    items,
    ...counted,
    has_more: hasMore,
    ...facts,
    ...present({
      next_cursor: hasMore && last !== undefined ? cursorAfter(last) : null,
      data_as_of: context.queries.dataAsOf(),
      note: note || null,
    }),
  };
}

/**
 * The fields of an item, without fields that have no value. Copies field by field, since spreading a row into
 * a new object would take most of the time for a page.
 */
export function itemOf<Row extends object>(names: readonly string[], row: Row, changed: Partial<Row>) {
  const item: Record<string, unknown> = {};
  for (const name of names as (string & keyof Row)[]) {
    const value = name in changed ? changed[name] : row[name];
    if (value !== null && value !== undefined) item[name] = value;
    else if (!(name in row || name in changed)) throw new Error(`neither the row nor "computed" has ${name}`);
  }
  return item;
}

/**
 * The names of the fields that a caller requests: all, or some, separated by commas. Throws
 * `ARGUMENT_INVALID` for an unknown name.
 */
function chosenOf(asked: string | undefined, known: readonly string[]) {
  if (asked === undefined) return known;
  const names = asked.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw valueInvalid(
      `fields = ${JSON.stringify(unknown.slice(0, 60))} is not a field; choose from ${known.join(', ')}, separated by commas`,
    );
  return known.filter((name) => names.includes(name));
}

/**
 * Where a page of `count` rows ends, and whether it ends there because the maximum number of rows was
 * scanned.
 */
function endOf({ rows, has_more, scanStoppedAt }: ListPage<{ key: number }>, count: number) {
  if (count < rows.length) return { hasMore: true, last: rows[count - 1]?.key, isShort: false };
  return { hasMore: has_more, last: scanStoppedAt ?? rows.at(-1)?.key, isShort: scanStoppedAt !== undefined };
}

/**
 * The total of a list. A lower bound must not decrease from page to page, and an exact total must not become
 * a lower bound.
 * @param given number of rows on this page and earlier pages
 * @param total the exact total of earlier pages, or 0
 */
function totalOf(
  { total_count, total_is_lower_bound }: ListPage<unknown>,
  { given, hasMore, total }: { given: number; hasMore: boolean; total: number },
) {
  if (!total_is_lower_bound) return { total_count };
  const most = Math.max(total_count, total, given);
  return total > 0 || !hasMore ? { total_count: most } : { total_count: most, total_is_lower_bound };
}

/**
 * The items for the first rows, as many as fit into an answer. At least one always fits, since tools cut long
 * texts.
 */
function asManyAsFit<Row, Item>(rows: readonly Row[], toItem: (row: Row) => Item) {
  const items: Item[] = [];
  let room = pageCharacters - aroundItems;
  for (const row of rows) {
    const { answer: item, text } = harmless(toItem(row));
    room -= text.length + 1;
    if (room < 0 && items.length > 0) break;
    items.push(item);
  }
  return items;
}

/** The query of this page: on the first page as given, on later pages as recorded in the cursor. */
function fix(args: ListArguments, of: () => string, context: ToolContext, resolve: typeof resolveExecution) {
  const { limit = defaultLimit, order = 'newest' } = args;
  const cursor = readCursor(args.cursor, of);
  const window =
    cursor === undefined ? parseWindow(args, context.now) : { start_time: cursor.start, end_time: cursor.end };
  const fixed = { ...window, execution_id: resolve(cursor?.latest ?? args.execution_id, context) };
  return { fixed, page: { order, limit, after: cursor?.after }, before: cursor ?? { given: 0, total: 0 } };
}
