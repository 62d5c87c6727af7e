import type * as z from 'zod';

import { uncompiled } from '../domain/fields.ts';
import { issueWords } from '../domain/issue-words.ts';
import { someOf } from '../lib/counted.ts';
import { argumentInvalid, valueInvalid, SwfError } from '../lib/errors.ts';
import { asObject } from '../lib/read-json.ts';
import { closest } from '../lib/suggest.ts';
import { tried } from '../lib/tried.ts';
import { clip as cut } from './shared/clip.ts';
import { fits } from './shared/fits.ts';
import { ofMoment } from './shared/moment.ts';
import { momentOfCursor } from './shared/page.ts';
import { type LiveContext, pastContext, type Tool, type ToolContext } from './shared/tool.ts';

/**
 * Calls a tool: checks the arguments, queries one snapshot of the store, and builds the answer through the
 * tool's output schema. For an earlier moment (`as_of`) it queries the store as it was then. Throws
 * `ARGUMENT_INVALID` and the tool's errors.
 */
export async function callTool(tool: Tool, args: unknown, context: LiveContext): Promise<Record<string, unknown>> {
  const checked = checkArguments(tool, args);
  const asOf = tool.takesMoment === true ? asOfIn(checked) : undefined;
  const { shorten = (answer: Record<string, unknown>) => answer } = tool;
  if (asOf === undefined) return shorten(await answerOf(tool, checked, context));
  return context.past(asOf, context.now(), async (past) => {
    try {
      return shorten(ofMoment(await answerOf(tool, checked, pastContext(context, past)), past));
    } catch (error) {
      if (!(error instanceof SwfError) || !error.code.endsWith('_NOT_FOUND')) throw error;
      throw new SwfError(error.code, `${error.message} (as of ${new Date(past.now).toISOString()})`);
    }
  });
}

/**
 * The moment that a call is about. Later pages of a list keep the first page's moment, since a relative time
 * would mean something else by then.
 */
const asOfIn = ({ as_of, cursor }: { as_of?: string; cursor?: string }) =>
  as_of === undefined || cursor === undefined ? as_of : (momentOfCursor(cursor) ?? as_of);

async function answerOf(tool: Tool, checked: object, context: LiveContext) {
  const { handle, perform } = tool;
  if (perform !== undefined && tool.takesMoment !== true)
    return fitting(tool.output, await perform(checked as never, context));
  if (perform !== undefined)
    return context.held(async (queries) => {
      const now = context.now();
      const still = { ...context, queries: () => queries, now: () => now };
      return withMoment(fitting(tool.output, await perform(checked as never, still)), { queries, now });
    });
  if (handle === undefined) throw new Error(`${tool.name} has nothing to do`);
  const queries = context.queries();
  return queries.snapshot(() => {
    // Read the clock only now, so that everything in the store's state is older.
    const asked = { queries, now: context.now(), asOf: context.asOf };
    const answer = fitting(tool.output, handle(checked as never, asked));
    return tool.takesMoment === true ? withMoment(answer, asked) : answer;
  });
}

/**
 * Adds the moment to an answer, so that the same answer can be requested again. An answer about the past
 * already has its moment.
 */
function withMoment(answer: Record<string, unknown>, { queries, now }: ToolContext) {
  answer['as_of_exact'] ??= queries.momentExactly(now);
  return answer;
}

function checkArguments(tool: Tool, args: unknown = {}) {
  const given = asObject(args);
  if (given === undefined)
    throw argumentInvalid(
      `the arguments of ${tool.name} are not a JSON object; give {} or names with values, such as {"execution_id":"latest"}`,
    );
  const named = withoutAliases(tool, given);
  // The schema would ignore an own property with this name.
  if (Object.hasOwn(named, '__proto__')) throw unknownArgument(tool, '__proto__');
  const result = tool.input.safeParse(named, uncompiled);
  if (result.success) return result.data as Record<string, string>;
  const issues = result.error.issues.slice(0, 3);
  throw valueInvalid(issues.map((issue) => explain(tool, issue, given)).join('; '));
}

/** The argument for which a key is an alias. */
const aliasOf = ({ aliases }: Tool, key: string) => (Object.hasOwn(aliases, key) ? aliases[key] : undefined);

function withoutAliases(tool: Tool, given: Record<string, unknown>) {
  // A Map, not an object: a key may be "__proto__".
  const renamed = new Map<string, unknown>();
  for (const [key, value] of Object.entries(given)) {
    const name = aliasOf(tool, key) ?? key;
    if (renamed.has(name) && renamed.get(name) !== value)
      throw argumentInvalid(`${key} is an alias of ${name}, and their values differ; give only one`);
    renamed.set(name, value);
  }
  return Object.fromEntries(renamed);
}

function explain(tool: Tool, issue: z.core.$ZodIssue, given: Record<string, unknown>) {
  if (issue.code === 'unrecognized_keys') return unknownArgument(tool, issue.keys[0] ?? '').message;
  const name = issue.path.join('.');
  const asked = Object.keys(given).find((key) => key === name || aliasOf(tool, key) === name);
  if (asked === undefined) return `${name} is required: ${describe(tool, name)}`;
  return `${asked} = ${shownValue(given[asked])}: ${issueWords(issue, given[asked])}; ${asked}: ${describe(tool, name)}`;
}

function unknownArgument(tool: Tool, key: string) {
  const known = Object.keys(tool.input.shape);
  const near = closest(key.slice(0, 100), known);
  const hint = near === undefined ? '' : `did you mean ${near}? `;
  return valueInvalid(`unknown argument ${JSON.stringify(clip(key))}; ${hint}${tool.name} accepts ${known.join(', ')}`);
}

/** A value as given, or a note that it is nested too deeply to be shown. */
const shownValue = (value: unknown) =>
  tried(() => closed(clip(JSON.stringify(value) ?? 'undefined'))) ?? 'a value nested too deeply';

/** Adds the closing quotation mark to a text that was cut. */
const closed = (text: string) => (text.startsWith('"') && text.endsWith('…') ? `${text}"` : text);

const describe = (tool: Tool, name: string) => (tool.input.shape[name] as z.ZodType | undefined)?.description ?? name;

const shown = 80;

/** A caller's text as errors quote it. */
export const clip = (text: string) => (text.length > shown ? `${cut(text, shown - 1)}…` : text);

/** Maximum number of checking rounds: removing an invalid value may uncover another. */
const maxRounds = 5;

/**
 * Fits an answer to its schema. Removes values that only a damaged row can contain, and names them in a note:
 * one bad row must not hide the others. A field that is missing because it was removed is not a fault.
 */
export function fitting(schema: z.ZodObject, answer: Record<string, unknown>): Record<string, unknown> {
  if (fits(schema)(answer)) return answer;
  const copy = structuredClone(answer);
  const unshown = new Set<string>();
  for (let round = 0; round < maxRounds; round += 1) {
    const { success, error } = schema.safeParse(copy, uncompiled);
    if (success) break;
    // Begin at the end: removing an item from an array shifts the items after it.
    for (const { path } of error.issues.toSorted(byLastFirst)) if (takeOut(copy, path)) unshown.add(path.join('.'));
  }
  const note = `The store contains values that cannot be shown: ${someOf([...unshown])}. "swf-mcp check --deep" searches for their cause.`;
  return { ...copy, note: typeof copy['note'] === 'string' ? `${copy['note']} ${note}` : note };
}

function byLastFirst({ path: a }: z.core.$ZodIssue, { path: b }: z.core.$ZodIssue) {
  const at = a.findIndex((step, index) => step !== b[index]);
  return at < 0 ? 0 : Number(b[at] ?? 0) - Number(a[at] ?? 0) || 0;
}

/** Deletes the value at a path. Returns false if the path leads nowhere. */
function takeOut(root: Record<string, unknown>, path: readonly PropertyKey[]) {
  const key = path.at(-1);
  let place: unknown = root;
  for (const step of path.slice(0, -1)) place = (place as Record<PropertyKey, unknown> | undefined)?.[step];
  if (key === undefined || typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return false;
  if (Array.isArray(place)) place.splice(Number(key), 1);
  else delete (place as Record<PropertyKey, unknown>)[key];
  return true;
}
