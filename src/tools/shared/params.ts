import * as z from 'zod';

import { float, optionalOneOf, string } from '../../domain/fields.ts';
import { issueWords } from '../../domain/issue-words.ts';
import { maxAuthor } from '../../domain/logbook-words.ts';
import { openSectionOf, openSections } from '../../domain/params.ts';
import { argumentInvalid, valueInvalid, SwfError } from '../../lib/errors.ts';
import { parseTime } from '../../lib/time.ts';
import type { ToolContext } from './tool.ts';

/** Arguments that tools share, each with the one name it has everywhere. */

/** Some clients send numbers as text. */
const numeric = <T extends z.ZodNumber>(schema: T, asText: RegExp, description: string) =>
  z
    .preprocess((value) => (typeof value === 'string' && asText.test(value) ? Number(value) : value), schema)
    .optional()
    .describe(description);

export const integer = (least: number, most: number, description: string) =>
  numeric(z.int().min(least).max(most), /^\s*-?\d{1,15}\s*$/, description);

export const number = (description: string) => numeric(float, /^\s*-?\d{1,15}(\.\d{1,15})?\s*$/, description);

/** A text that some clients send as a number. */
export const textOrNumber = (most: number, description: string) =>
  z
    .preprocess((value) => (typeof value === 'number' ? String(value) : value), z.string().min(1).max(most))
    .optional()
    .describe(description);

export const requiredText = (description: string, most = 300) => string.min(1).max(most).describe(description);

export const text = (description: string, most = 300) => string.min(1).max(most).optional().describe(description);

export const choice = <const Words extends readonly string[]>(words: Words, description: string) =>
  optionalOneOf(words).describe(description);

/** The person on whose behalf something is requested. */
export const requestedBy = (description: string) =>
  z.string().trim().min(1).max(maxAuthor).optional().describe(description);

const executionWords = 'Execution id, or "latest"';
export const executionId = text(executionWords);
export const requiredExecution = requiredText(executionWords);
export const runNumber = integer(0, Number.MAX_SAFE_INTEGER, 'Run number');
export const namespace = text('Namespace');

/** The arguments of every list. @param time the time that its window covers, in words */
export const listArguments = (time: string) => ({
  limit: integer(1, 200, 'Rows per page (default 50)'),
  cursor: text('next_cursor of the previous page', 2000),
  order: choice(['newest', 'oldest'], 'Order of recording (default newest)'),
  start_time: text(`Earliest ${time}: ISO 8601, or -2h`),
  end_time: text(`Latest ${time}`),
});

/** The fields to return for items of a wide list. */
export const itemFields = text('Only these fields, separated by commas');

/** Both times of a list, in order. */
export function parseWindow(asked: { start_time?: string | undefined; end_time?: string | undefined }, now: number) {
  const start_time = parseTime('start_time', asked.start_time, now);
  const end_time = parseTime('end_time', asked.end_time, now);
  if (start_time !== undefined && end_time !== undefined && start_time > end_time)
    throw argumentInvalid(`start_time ${start_time} is after end_time ${end_time}; swap them`);
  return { start_time, end_time };
}

/**
 * The id of an execution that exists (`latest` resolved), or undefined if none was requested. Throws
 * `EXECUTION_NOT_FOUND`.
 */
export const resolveExecution = (id: string | undefined, { queries }: ToolContext) =>
  id === undefined ? undefined : queries.execution(id).execution_id;

/** Throws `RUN_NOT_FOUND` for a run that the store does not know. */
export function requireRun(run: number | undefined, { queries }: ToolContext): number | undefined {
  if (run === undefined || queries.runIsKnown(run)) return run;
  const recent = queries.recentRunNumbers();
  const known =
    recent.length === 0
      ? 'this store has no execution yet; "swf-mcp run" creates one'
      : `the newest ${recent.length === 1 ? 'is' : 'are'} ${recent.join(', ')}`;
  throw new SwfError('RUN_NOT_FOUND', `there is no run ${run}; ${known}`);
}

/**
 * The parameters of a run that were given, each with the section of the configuration that has it. Throws
 * `ARGUMENT_INVALID` for a value that the configuration would refuse.
 */
export const givenParameters = (given: Readonly<Record<string, number | undefined>>) =>
  Object.entries(given).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const section = openSectionOf(name);
    if (section === undefined) throw new Error(`no section has ${name}`);
    const schema = (openSections[section].shape as Record<string, z.ZodType>)[name] as z.ZodType;
    const { error } = schema.safeParse(value);
    if (error === undefined) return [{ section, name, value }];
    throw valueInvalid(`${name} = ${value}: ${issueWords(error.issues[0] as z.core.$ZodIssue, value)}`);
  });
