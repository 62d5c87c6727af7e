import * as z from 'zod';

import type { ValueKind } from '../../db/lists/known-values.ts';
import type { ListPage, Page } from '../../db/lists/page.ts';
import { argumentInvalid, SwfError } from '../../lib/errors.ts';
import { onceFor } from '../../lib/once-for.ts';
import { present } from '../../lib/present.ts';
import { readJson } from '../../lib/read-json.ts';
import { sha256 } from '../../lib/sha256.ts';
import { harmless } from './harmless.ts';
import { nowhereNote } from './nowhere.ts';
import { type listArguments, parseWindow, requireRun, resolveExecution } from './params.ts';
import type { ToolContext } from './tool.ts';

/** An answer never exceeds this many characters of JSON; everything around the items needs a few hundred. */
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

/** The relative parts of a question, resolved: the same on every page. */
export type Fixed = Record<'start_time' | 'end_time' | 'execution_id', string | undefined>;

/** The question of a list: its arguments, with everything relative resolved. `run_id`: the run number as a text. */
type Question<Args> = Args & Fixed & { run_id: string | undefined };

const cursorSchema = z.strictObject({
  /** Key of the last row returned. */
  after: z.int().nonnegative(),
  /** How many rows were returned so far. */
  given: z.int().nonnegative(),
  /** How many rows there are, if earlier pages could tell; else 0. */
  total: z.int().nonnegative(),
  /** Which list and arguments it belongs to. */
  of: z.string(),
  /** The window of the first page: relative times must mean the same on every page. */
  start: z.iso.datetime().optional(),
  end: z.iso.datetime().optional(),
  /** The execution that "latest" was when the list began. */
  latest: z.string().optional(),
  /** The earlier moment that the list is of. */
  as_of: z.string().optional(),
});

type Cursor = z.infer<typeof cursorSchema>;

interface ListParts<Args, Row, Shape extends z.ZodRawShape> {
  ask: (question: Question<Args>, page: Page) => ListPage<Row>;
  /** An item. It has these fields and no others of its row, so that nothing leaks by accident. */
  item: () => z.ZodObject<Shape>;
  /** The fields that differ from those of the row. */
  computed?: (row: Row) => object;
  whenEmpty?: (question: Question<Args>) => string | undefined;
  /** A note for the end of the list. */
  atEnd?: (() => string | undefined) | undefined;
  /** A note about the list, whatever is on the page. */
  remark?: (question: Fixed) => string | undefined;
  /** Arguments whose values may exist nowhere, with their kinds. */
  values?: Readonly<Record<string, ValueKind>>;
  resolve?: typeof resolveExecution;
}

const shortPage =
  'This page is short: enough rows were looked at. Go on with next_cursor, or narrow the time (start_time, end_time).';

/** Such a page has fewer rows than were asked for. */
const cutPage = (rows: number): string =>
  `This page ends after ${rows} rows, since an answer has at most ${pageCharacters} characters. Go on with next_cursor.`;

const shiftingPages =
  'Pages in this order go by position: if slices change meanwhile, the next page may repeat a row or miss one.';

/**
 * One page of a list: as many rows as the limit and the size of an answer allow. Throws `RUN_NOT_FOUND` before it looks at other arguments.
 * @param ask reads rows
 * @param resolve turns the argument into an execution's id, if the list takes one
 * @param whenEmpty suggests what else to ask for if no row fits
 */
export function listPage<Args extends ListArguments, Row extends { key: number }, Shape extends z.ZodRawShape>(
  tool: string,
  args: Args,
  context: ToolContext,
  parts: ListParts<Args, Row, Shape>,
) {
  const { ask, item, computed, whenEmpty, atEnd, remark, values = {}, resolve = resolveExecution } = parts;
  const run = requireRun(args.run_number, context);
  const names = chosenOf(args.fields, fieldsOf(item));
  const listId = fingerprint(tool, args);
  const { fixed, page, before } = fix(args, listId, context, resolve);
  const question = { ...args, ...fixed, run_id: run === undefined ? undefined : String(run) };
  const found = ask(question, page);
  const items = asManyAsFit(found.rows, (row) => {
    const known: Readonly<Record<string, unknown>> = { ...row, ...computed?.(row) };
    const unknown = names.find((name) => !(name in known));
    if (unknown !== undefined) throw new Error(`${tool}: neither a row nor computed has ${unknown}`);
    return present(Object.fromEntries(names.map((name) => [name, known[name]]))) as z.infer<z.ZodObject<Shape>>;
  });
  const { hasMore, last, isShort } = endOf(found, items.length);
  const given = before.given + items.length;
  const counted = totalOf(found, { given, hasMore, total: before.total });
  const total = counted.total_is_lower_bound ? 0 : counted.total_count;
  const latest = args.execution_id === 'latest' ? fixed.execution_id : undefined;
  const cursorFields = {
    given,
    total,
    of: listId,
    as_of: context.asOf,
    start: fixed.start_time,
    end: fixed.end_time,
    latest,
  };
  const noteOf = (): string | undefined => {
    if (isShort) return shortPage;
    const cut = items.length < found.rows.length ? cutPage(items.length) : undefined;
    if (hasMore) return [found.mayShift === true ? shiftingPages : [], cut ?? []].flat().join(' ') || undefined;
    const empty = given === 0 ? (nowhereNote(args, values, fixed, context) ?? whenEmpty?.(question)) : undefined;
    return empty ?? atEnd?.();
  };
  return {
    items,
    ...counted,
    has_more: hasMore,
    ...present({
      next_cursor: hasMore && last !== undefined ? writeCursor({ after: last, ...cursorFields }) : null,
      data_as_of: context.queries.dataAsOf(),
      note: [remark?.(fixed) ?? [], noteOf() ?? []].flat().join(' ') || null,
    }),
  };
}

/** The names of an item's fields: a schema takes longer to make than a page of rows to read. */
const fieldsOf = onceFor((item: () => z.ZodObject): readonly string[] => Object.keys(item().shape));

/** The names of the fields that a caller wants: all, or some with commas between. Throws `ARGUMENT_INVALID` for an unknown name. */
function chosenOf(asked: string | undefined, known: readonly string[]): readonly string[] {
  if (asked === undefined) return known;
  const names = asked.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw argumentInvalid(
      `fields = ${JSON.stringify(unknown.slice(0, 60))} is no field of an item; give some of ${known.join(', ')}, with commas`,
    );
  return known.filter((name) => names.includes(name));
}

/** Where a page of `count` rows ends, and whether because enough rows were examined. */
function endOf({ rows, has_more, scanStoppedAt }: ListPage<{ key: number }>, count: number) {
  if (count < rows.length) return { hasMore: true, last: rows[count - 1]?.key, isShort: false };
  return { hasMore: has_more, last: scanStoppedAt ?? rows.at(-1)?.key, isShort: scanStoppedAt !== undefined };
}

/**
 * A bound must not fall from page to page, and an exact total must not become a bound.
 * @param given rows on this page and earlier ones
 * @param total the exact total of earlier pages, or 0
 */
function totalOf(
  { total_count, total_is_lower_bound }: ListPage<unknown>,
  { given, hasMore, total }: { given: number; hasMore: boolean; total: number },
): { total_count: number; total_is_lower_bound?: true } {
  if (!total_is_lower_bound) return { total_count };
  const most = Math.max(total_count, total, given);
  return total > 0 || !hasMore ? { total_count: most } : { total_count: most, total_is_lower_bound };
}

/** The items of the first rows that fit into an answer: at least one, since the tool cuts its long texts. */
function asManyAsFit<Row, Item>(rows: readonly Row[], toItem: (row: Row) => Item): Item[] {
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

/** The question of this page: as given on the first page, as the cursor says on the others. */
function fix(args: ListArguments, of: string, context: ToolContext, resolve: typeof resolveExecution) {
  const { limit = defaultLimit, order = 'newest' } = args;
  const cursor = readCursor(args.cursor, of);
  const window =
    cursor === undefined ? parseWindow(args, context.now) : { start_time: cursor.start, end_time: cursor.end };
  const fixed = { ...window, execution_id: resolve(cursor?.latest ?? args.execution_id, context) };
  return { fixed, page: { order, limit, after: cursor?.after }, before: cursor ?? { given: 0, total: 0 } };
}

/** The same list with the same arguments has the same fingerprint; page size may change from page to page. */
function fingerprint(tool: string, args: Record<string, unknown>): string {
  const { cursor: _, limit: __, order = 'newest', ...filters } = args;
  const filled = Object.entries({ ...filters, order }).filter(([, value]) => value !== undefined);
  const text = JSON.stringify([tool, filled.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  return sha256().update(text).digest('base64url').slice(0, 12);
}

const writeCursor = (cursor: Cursor): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** The earlier moment of a list, from the cursor of one of its pages. */
export const momentOfCursor = (text: string): string | undefined => parseCursor(text).data?.as_of;

const parseCursor = (text: string) => cursorSchema.safeParse(readJson(Buffer.from(text, 'base64url').toString('utf8')));

function readCursor(text: string | undefined, of: string): Cursor | undefined {
  if (text === undefined) return undefined;
  const { data } = parseCursor(text);
  if (data?.of === of) return data;
  const why =
    data === undefined
      ? 'was not made by this tool; give the next_cursor of the page before unchanged, or leave it out'
      : 'belongs to a list with other arguments; repeat the arguments of the page before, or leave the cursor out';
  throw new SwfError('CURSOR_INVALID', `cursor ${JSON.stringify(text.slice(0, 60))} ${why}`);
}
