import type * as z from 'zod';

import { issueWords } from '../domain/issue-words.ts';
import { argumentInvalid, SwfError } from '../lib/errors.ts';
import { asObject } from '../lib/read-json.ts';
import { closest, nearest } from '../lib/suggest.ts';
import { tried } from '../lib/tried.ts';
import { controlTools, noteTools } from './index.ts';
import { clip as cut } from './shared/clip.ts';
import { momentOfCursor } from './shared/list.ts';
import { ofMoment } from './shared/moment.ts';
import { pastContext } from './shared/past-context.ts';
import type { LiveContext, Tool, ToolContext } from './shared/tool.ts';
import { fitting, uncompiled } from './shared/unshown.ts';

/** The tool of that name. Throws `TOOL_NOT_FOUND` with the nearest names. */
export function findTool(tools: readonly Tool[], name: string): Tool {
  const isNamed = (candidate: Tool): boolean => candidate.name === name;
  const tool = tools.find(isNamed);
  if (tool !== undefined) return tool;
  const names = tools.map((candidate) => candidate.name);
  const why = controlTools.some(isNamed)
    ? `${name} changes something: it is there for tokens that may control, where the server is started with --allow-control`
    : noteTools.some(isNamed)
      ? `${name} writes into the logbook: it is there for tokens of scope note or control, and not where the server is started with --read-only`
      : `there is no tool ${JSON.stringify(clip(name))}; the nearest: ${nearest(name.slice(0, 100), names).join(', ')}`;
  throw new SwfError('TOOL_NOT_FOUND', why);
}

/**
 * Calls a tool: checks the arguments, queries one state of the store, and builds the answer through the tool's output schema. For an earlier moment
 * (`as_of`) it queries the store as it was then. Throws `ARGUMENT_INVALID`, and whatever the tool throws.
 */
export async function callTool(tool: Tool, args: unknown, context: LiveContext): Promise<Record<string, unknown>> {
  const checked = checkArguments(tool, args);
  const asOf = tool.takesMoment === true ? asOfIn(checked) : undefined;
  if (asOf === undefined) return answerOf(tool, checked, context);
  return context.past(asOf, context.now(), async (past) => {
    try {
      return ofMoment(await answerOf(tool, checked, pastContext(context, past)), past);
    } catch (error) {
      if (!(error instanceof SwfError) || !error.code.endsWith('_NOT_FOUND')) throw error;
      throw new SwfError(error.code, `${error.message} (as of ${new Date(past.now).toISOString()})`);
    }
  });
}

/** The moment that a call is about: on later pages of a list that of the first page, since a relative time has moved on. */
const asOfIn = ({ as_of, cursor }: { as_of?: string; cursor?: string }): string | undefined =>
  as_of === undefined || cursor === undefined ? as_of : (momentOfCursor(cursor) ?? as_of);

async function answerOf(tool: Tool, checked: object, context: LiveContext): Promise<Record<string, unknown>> {
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
    // Read the clock now: everything in the state existed by then.
    const asked = { queries, now: context.now(), asOf: context.asOf };
    const answer = fitting(tool.output, handle(checked as never, asked));
    return tool.takesMoment === true ? withMoment(answer, asked) : answer;
  });
}

/** Adds the moment of an answer, so that it can be requested again; an answer that looked back has its own. */
const withMoment = (answer: Record<string, unknown>, { queries, now }: ToolContext): Record<string, unknown> => ({
  ...answer,
  as_of_exact: answer['as_of_exact'] ?? queries.momentExactly(now),
});

function checkArguments(tool: Tool, args: unknown = {}): Record<string, string> {
  const given = asObject(args);
  if (given === undefined)
    throw argumentInvalid(
      `the arguments of ${tool.name} are not a JSON object; give {} or names with values, such as {"execution_id":"latest"} where it takes that`,
    );
  const named = withoutAliases(tool, given);
  // The schema ignores an own property of this name.
  if (Object.hasOwn(named, '__proto__')) throw unknownArgument(tool, '__proto__');
  const result = tool.input.safeParse(named, uncompiled);
  if (result.success) return result.data as Record<string, string>;
  const issues = result.error.issues.slice(0, 3);
  throw argumentInvalid(issues.map((issue) => explain(tool, issue, named)).join('; '));
}

function withoutAliases(tool: Tool, given: Record<string, unknown>): Record<string, unknown> {
  // A Map, not an object: a key may be "__proto__".
  const renamed = new Map<string, unknown>();
  for (const [key, value] of Object.entries(given)) {
    const name = Object.hasOwn(tool.aliases, key) ? (tool.aliases[key] as string) : key;
    if (renamed.has(name) && renamed.get(name) !== value)
      throw argumentInvalid(
        `${key} is another spelling of ${name} and both were given with different values; give one`,
      );
    renamed.set(name, value);
  }
  return Object.fromEntries(renamed);
}

function explain(tool: Tool, issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  if (issue.code === 'unrecognized_keys') return unknownArgument(tool, issue.keys[0] ?? '').message;
  const name = issue.path.join('.');
  if (!Object.hasOwn(given, name)) return `${name} is missing; ${tool.name} needs it: ${describe(tool, name)}`;
  return `${name} = ${shownValue(given[name])}: ${issueWords(issue, given[name])}; ${name}: ${describe(tool, name)}`;
}

function unknownArgument(tool: Tool, key: string): SwfError {
  const known = Object.keys(tool.input.shape);
  const near = closest(key.slice(0, 100), known);
  const hint = near === undefined ? '' : `the nearest is ${near}, `;
  return argumentInvalid(
    `unknown argument ${JSON.stringify(clip(key))}; ${hint}${tool.name} takes ${known.join(', ')}`,
  );
}

/** A value as given, or a note that it is nested too deep to be written. */
const shownValue = (value: unknown): string =>
  tried(() => clip(JSON.stringify(value) ?? 'undefined')) ?? 'a value nested too deep';

const describe = (tool: Tool, name: string): string =>
  (tool.input.shape[name] as z.ZodType | undefined)?.description ?? name;

const shown = 80;

const clip = (text: string): string => (text.length > shown ? `${cut(text, shown - 1)}…` : text);
