import * as z from 'zod';

import { executionStatuses, healths } from '../domain/states.ts';
import { SwfError } from '../lib/errors.ts';
import { parseTime } from '../lib/time-arguments.ts';
import { clipShown } from './shared/clip.ts';
import { inSteps } from './shared/in-steps.ts';
import { nowhereNote } from './shared/nowhere.ts';
import { namespace, present, text } from './shared/params.ts';
import { defineLiveTool } from './shared/tool.ts';
import { countOf, type Shift, shiftFacts, type ShiftFacts, statusAtEnd } from './shift/facts.ts';
import { mostTelling } from './shift/most-telling.ts';
import { left, openMatters, shiftText } from './shift/text.ts';

const shownExecutions = 12;
const shownCauses = 5;
const shownDeeds = 10;
const shownOpen = 8;
const shownName = 160;
const shownMatter = 300;

const usualStart = '-8h';

export const shiftReportTool = defineLiveTool({
  name: 'shift_report',
  title: 'Report of a shift',
  description:
    'A hand-over of a time, by default the last 8 hours: the executions that lived in it, also where they began before; what was completed, failed and waits; failures by cause; ' +
    'who started, paused, continued, stopped what and why; open matters. Of a time that has passed all is told as it was at its end. text is the same as Markdown, ready to be handed on. Instead of asking each execution.',
  takesLong: () => true,
  input: () =>
    z.strictObject({
      start_time: text('ISO 8601 (UTC without a zone) or relative: -30m, -8h (default), -1d'),
      end_time: text('As start_time (default now)'),
      namespace,
    }),
  output: () =>
    z.strictObject({
      start_time: z.string(),
      end_time: z.string(),
      totals: z.strictObject({
        executions: z.int(),
        running: z.int(),
        completed: z.int(),
        failed: z.int(),
        terminated: z.int(),
        stf_files: z.int().describe('Made in this time, as their bytes'),
        bytes: z.int(),
        slices_completed: z.int().describe('In this time'),
        attempts_failed: z.int(),
        slices_stay_failed: z.int().describe('At the end of this time, of the executions that were looked at'),
        slices_not_done: z.int(),
      }),
      executions: z.array(
        z.strictObject({
          execution_id: z.string(),
          status: z.enum(executionStatuses),
          health: z.enum(healths).optional(),
          slices_completed: z.int(),
          slices_created: z.int(),
          slices_stay_failed: z.int(),
        }),
      ),
      executions_omitted: z.int(),
      causes: z.array(z.strictObject({ cause: z.string(), attempts: z.int() })),
      causes_omitted: z.int(),
      people: z.array(
        z.strictObject({
          time: z.string(),
          name: z.string(),
          sent_by: z.string().optional().describe('Where the name is only claimed'),
          did: z.string(),
          execution_id: z.string(),
          reason: z.string().optional(),
        }),
      ),
      people_omitted: z.int(),
      open: z.array(z.string()),
      open_omitted: z.int(),
      text: z.string().describe('The same as Markdown'),
      data_as_of: z.string().optional(),
      note: z.string().optional(),
    }),
  async perform(args, context) {
    const now = Date.now();
    const shift = shiftOf(args, now);
    const facts = await inSteps(context, (queries) => shiftFacts(queries, shift, now));
    const queries = context.queries();
    const isEmpty = facts.all.length === 0;
    const nowhere = nowhereNote({ ...args }, { namespace: 'namespace' }, { execution_id: undefined }, { queries, now });
    return present({
      start_time: shift.start_time,
      end_time: shift.end_time,
      totals: totalsOf(facts, shift),
      ...partsOf(facts),
      text: shiftText(shift, facts),
      data_as_of: queries.dataAsOf(),
      note: isEmpty ? (nowhere ?? 'no execution lived in this time') : undefined,
    });
  },
});

function withEllipsis(line: string, most: number): string {
  const shown = clipShown(line, most - 1);
  return shown.length < line.length ? `${shown}…` : shown;
}

function shiftOf(
  args: { start_time?: string | undefined; end_time?: string | undefined; namespace?: string | undefined },
  now: number,
): Shift {
  const start_time = parseTime('start_time', args.start_time ?? usualStart, now) as string;
  const end_time = parseTime('end_time', args.end_time, now) ?? new Date(now).toISOString();
  if (start_time > end_time)
    throw new SwfError('ARGUMENT_INVALID', `start_time ${start_time} is after end_time ${end_time}; exchange them`);
  return { start_time, end_time, namespace: args.namespace };
}

function totalsOf({ all, executions, stf_files, ended, causes }: ShiftFacts, shift: Shift) {
  const of = (status: string): number => all.filter((row) => statusAtEnd(row, shift) === status).length;
  const { stay_failed, waiting } = left(executions);
  return {
    executions: all.length,
    running: of('running'),
    completed: of('completed'),
    failed: of('failed'),
    terminated: of('terminated'),
    stf_files: stf_files.count,
    bytes: stf_files.bytes,
    slices_completed: countOf(ended, 'completed'),
    attempts_failed: countOf(causes),
    slices_stay_failed: stay_failed,
    slices_not_done: waiting,
  };
}

function partsOf(facts: ShiftFacts) {
  const { executions, all, causes, deeds } = facts;
  const shown = executions.slice(0, shownExecutions).map(({ row, status, health, ...counts }) =>
    present({
      execution_id: row.execution_id,
      status,
      health: health ?? null,
      slices_completed: counts.slices_completed,
      slices_created: counts.slices_created,
      slices_stay_failed: counts.stay_failed,
    }),
  );
  const people = mostTelling(deeds, shownDeeds);
  const open = openMatters(facts);
  return {
    executions: shown,
    executions_omitted: all.length - shown.length,
    causes: causes
      .toSorted((a, b) => b.count - a.count)
      .slice(0, shownCauses)
      .map(({ keys, count }) => ({ cause: clipShown(keys[0] ?? '', shownName), attempts: count })),
    causes_omitted: Math.max(0, causes.length - shownCauses),
    people: people.map((deed) =>
      present({
        ...deed,
        name: clipShown(deed.name, shownName),
        sent_by: deed.sent_by === undefined ? null : clipShown(deed.sent_by, shownName),
        reason: deed.reason === undefined ? null : clipShown(deed.reason, shownName),
      }),
    ),
    people_omitted: deeds.length - people.length,
    open: open.slice(0, shownOpen).map((line) => withEllipsis(line, shownMatter)),
    open_omitted: Math.max(0, open.length - shownOpen),
  };
}
