import * as z from 'zod';

import { SwfError } from '../../lib/errors.ts';
import type { ToolContext } from './tool.ts';

/** Arguments that tools share, each with the one name it has everywhere. */

/** An integer; some clients send numbers as strings of digits. */
export const integer = (least: number, most: number, description: string) =>
  z
    .preprocess(
      (value) => (typeof value === 'string' && /^\s*-?\d{1,15}\s*$/.test(value) ? Number(value) : value),
      z.int().min(least).max(most),
    )
    .optional()
    .describe(description);

export const text = (description: string) => z.string().min(1).max(300).optional().describe(description);

export const executionId = text('Execution id, or "latest"');
export const runNumber = integer(0, Number.MAX_SAFE_INTEGER, 'Run number');
export const namespace = text('Namespace');

/** The arguments of every list. @param time the time that its window is about, in words */
export const listArguments = (time: string) => ({
  limit: integer(1, 200, 'Rows a page, 1 to 200 (default 50)'),
  cursor: z
    .string()
    .min(1)
    .max(2000)
    .optional()
    .describe('next_cursor of the page before, with the same other arguments'),
  order: z.enum(['newest', 'oldest']).optional().describe('By time of recording (default newest first)'),
  start_time: text(`Of ${time}: ISO 8601 (UTC without a zone) or relative: -15m, -2h, -7d`),
  end_time: text('As start_time'),
});

/** The time that a window is about. */
export const timeField = <T extends string>(values: readonly T[], description: string) =>
  z.enum(values).optional().describe(description);

const relative = /^-(\d{1,9})(s|m|h|d|w)$/;
const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const iso = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|[+-]\d{2}:?\d{2})?)?$/i;

/** A time argument as UTC in ISO 8601 with milliseconds. Throws `ARGUMENT_INVALID` for what is no time. */
export function parseTime(name: string, value: string | undefined, now: number): string | undefined {
  if (value === undefined) return undefined;
  const [, amount, unit] = relative.exec(value.trim()) ?? [];
  const date =
    unit === undefined
      ? parseIso(value.trim())
      : new Date(now - Number(amount) * unitSeconds[unit as keyof typeof unitSeconds] * 1000);
  // Stored times have four-digit years and are compared as text.
  const year = date?.getUTCFullYear();
  if (date !== undefined && year !== undefined && year >= 0 && year <= 9999) return date.toISOString();
  throw new SwfError(
    'ARGUMENT_INVALID',
    `${name} = ${JSON.stringify(value)} is no time; give ISO 8601 such as 2026-11-24T10:00:00Z, or a relative time such as -15m, -2h, -7d`,
  );
}

function parseIso(value: string): Date | undefined {
  const [, time, , , zone] = iso.exec(value) ?? [undefined];
  if (!iso.test(value)) return undefined;
  const withZone = time === undefined ? `${value}T00:00:00Z` : zone === undefined ? `${value}Z` : value;
  const date = new Date(withZone.replace(' ', 'T').replace(/\s/g, ''));
  if (Number.isNaN(date.getTime())) return undefined;
  // JavaScript takes 30 February for 2 March.
  const day = Number(value.slice(8, 10));
  const asUtcDay = new Date(`${value.slice(0, 7)}-01T00:00:00Z`);
  asUtcDay.setUTCDate(day);
  return asUtcDay.getUTCDate() === day ? date : undefined;
}

/** Both times of a list, in order. */
export function parseWindow(
  { start_time, end_time }: { start_time?: string | undefined; end_time?: string | undefined },
  now: number,
): { start_time: string | undefined; end_time: string | undefined } {
  const window = {
    start_time: parseTime('start_time', start_time, now),
    end_time: parseTime('end_time', end_time, now),
  };
  if (window.start_time !== undefined && window.end_time !== undefined && window.start_time > window.end_time) {
    throw new SwfError(
      'ARGUMENT_INVALID',
      `start_time ${window.start_time} is after end_time ${window.end_time}; exchange them`,
    );
  }
  return window;
}

/** The id of an execution that exists (`latest` resolved), or undefined where none was asked for. Throws `EXECUTION_NOT_FOUND`. */
export function resolveExecution(id: string | undefined, { queries }: ToolContext): string | undefined {
  return id === undefined ? undefined : queries.execution(id).execution_id;
}

/** Throws `RUN_NOT_FOUND` for a run that the store does not know. */
export function requireRun(run: number | undefined, { queries }: ToolContext): number | undefined {
  if (run === undefined || queries.runIsKnown(run)) return run;
  const recent = queries.recentRunNumbers();
  const known =
    recent.length === 0 ? 'there is none yet; "swf-mcp run" makes one' : `the newest are ${recent.join(', ')}`;
  throw new SwfError('RUN_NOT_FOUND', `there is no run ${run}; ${known}`);
}

/** Leaves out what is not known: absent, never null. */
export function present<T extends Record<string, unknown>>(fields: T): { [K in keyof T]: Exclude<T[K], null> } {
  const known: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value !== null && value !== undefined) known[key] = value;
  }
  return known as never;
}
