import type { Queries } from '../../db/queries.ts';
import { clipCause, longestCause } from '../../domain/causes.ts';
import { someOf } from '../../lib/counted.ts';
import { present } from '../../lib/present.ts';
import { printable } from '../../lib/printable.ts';
import { headOf } from '../../lib/words.ts';
import { aheadWords } from '../../monitoring/findings/store.ts';
import { clipped } from '../monitor/parts.ts';
import { notePart, seenByShown } from '../monitor/people.ts';
import { clipShown } from '../shared/clip.ts';
import { inSteps } from '../shared/in-steps.ts';
import { momentOf } from '../shared/moment.ts';
import { nowhereNote } from '../shared/nowhere.ts';
import { failedFiles } from '../shared/sites.ts';
import { type LiveContext, parseWindow, pastContext } from '../shared/tool.ts';
import { executionsOf, shiftFacts, type ShiftFacts, totalsOf } from './facts.ts';
import { type Handover, isOver, maxReplayed, most, mostTelling, type Shift } from './shift.ts';
import { openMatters, shiftText } from './text.ts';

const shownName = 160;
const usualStart = '-8h';

interface Asked {
  start_time?: string | undefined;
  end_time?: string | undefined;
  namespace?: string | undefined;
}

/**
 * The facts of a report, and how fresh they are: the store's last change, or the earlier moment that they
 * describe.
 */
interface Looked {
  facts: ShiftFacts;
  /**
   * Whether the facts include the health and findings of the executions that were running at the end of the
   * shift.
   */
  isWhole: boolean;
  /** Executions with messages that were recorded too late for the report. */
  late?: readonly string[];
  data_as_of?: string | undefined;
  as_of?: string;
  as_of_exact?: string;
}

/**
 * Reads a shift. A past shift is read as of its end, unless too much would have to be replayed, or the call is
 * already about an earlier moment.
 */
async function lookAt(shift: Shift, context: LiveContext): Promise<Looked> {
  const isPast = isOver(shift, context.now());
  if (!isPast || context.asOf !== undefined || isTooLargeToReplay(context.queries(), shift))
    return { facts: await factsOf(shift, context), isWhole: !isPast, data_as_of: context.queries().dataAsOf() };
  return context.past(shift.end_time, context.now(), async (past) => ({
    facts: await factsOf(shift, pastContext(context, past)),
    isWhole: true,
    late: lateOf(context.queries(), shift),
    ...momentOf(past),
  }));
}

/**
 * Executions with messages that were sent during a shift but recorded after it: a report as of the shift's end
 * lacks these messages.
 */
function lateOf(queries: Queries, shift: Shift) {
  const [from, until] = [Date.parse(shift.start_time), Date.parse(shift.end_time)];
  const all = executionsOf(queries, shift).map(({ execution_id }) => execution_id);
  return all.filter((id) => queries.isAnyRecordedLate(id, from, until));
}

/**
 * The tool's answer: a report on a shift; a past shift is reported as of its end. Throws `ARGUMENT_INVALID` for
 * an invalid time.
 */
export async function reportOfShift(args: Asked, context: LiveContext) {
  const shift = shiftOf(args, context.now());
  const { facts, isWhole, late = [], ...moment } = await lookAt(shift, context);
  const totals = totalsOf(facts, shift);
  const open = [...clockOff(context), ...openMatters(facts, shift)];
  const nowhere = nowhereNote({ ...args }, {}, { queries: context.queries() });
  const nothing = facts.all.length === 0 ? (nowhere ?? 'no execution was active in this period') : undefined;
  const gap = nothing ?? (isWhole ? undefined : uncertain);
  return present({
    start_time: shift.start_time,
    end_time: shift.end_time,
    totals: present(totals),
    ...partsOf(facts, open),
    text: shiftText(shift, { ...facts, totals, open }, context.page),
    ...moment,
    note: noteOf(gap, late),
  });
}

/**
 * Warns if this host's clock is behind the store's messages: a period up to now then lacks the newest rows.
 */
function clockOff(context: LiveContext) {
  const ahead = context.queries().ahead(context.now());
  if (ahead === 0) return [];
  return [
    `CLOCK_OFF: the newest row of the store is ${aheadWords(ahead)}. Rows from after this machine's current time are not in this report.`,
  ];
}

/**
 * The note for a report when executions outlived the shift and too many messages would have to be replayed to
 * find their state at its end.
 */
const uncertain =
  'executions still running at the end of this period are reported with their counts at that time, but without health or findings; get_workflow_monitor with as_of reports the state of each';

/**
 * The note of a report: what the report omits, and where to find it. Undefined if nothing is omitted.
 * @param late executions with messages that were recorded too late
 */
function noteOf(gap: string | undefined, late: readonly string[]) {
  const missing =
    late.length === 0
      ? []
      : `messages sent in this period but recorded later are missing for ${someOf(late)}; get_workflow_monitor has them`;
  return [gap ?? [], missing].flat().join('; ') || undefined;
}

/**
 * Whether finding the state at the end of a shift would require too much replaying; executions in all
 * namespaces count.
 */
function isTooLargeToReplay(queries: Queries, { end_time }: Shift) {
  const outliving = executionsOf(queries, { start_time: end_time, end_time, namespace: undefined });
  return outliving.reduce((sum, { execution_id }) => sum + queries.messageCount(execution_id), 0) > maxReplayed;
}

const factsOf = (shift: Shift, context: LiveContext) =>
  inSteps(context, (queries) => shiftFacts(queries, shift, context.now()));

function shiftOf(args: Asked, now: number): Shift {
  const asked = { start_time: args.start_time ?? usualStart, end_time: args.end_time ?? new Date(now).toISOString() };
  return { ...(parseWindow(asked, now) as typeof asked), namespace: args.namespace };
}

function partsOf({ executions, all, causes, actions, handover }: ShiftFacts, open: readonly string[]) {
  const shown = executions.slice(0, most.executions).map(({ row, status, health, ...counts }) =>
    present({
      execution_id: row.execution_id,
      executed_by: row.executed_by,
      status,
      health,
      silent_seconds: counts.silent_seconds,
      stf_failed: failedFiles(row),
      ...(counts.why_uncounted === undefined && {
        slices_completed: counts.slices_completed,
        slices_created: counts.slices_created,
        slices_stay_failed: counts.stay_failed,
      }),
      start_time: row.start_time,
      duration_seconds: counts.duration_seconds,
      quality: handover.qualities.get(row.execution_id)?.value,
    }),
  );
  const people = mostTelling(actions);
  return {
    executions: shown,
    executions_omitted: all.length - shown.length,
    causes: causes
      .slice(0, most.causes)
      .map(({ keys, count }) => ({ cause: clipCause(printable(keys[0] ?? ''), longestCause), attempts: count })),
    causes_omitted: Math.max(0, causes.length - most.causes),
    people: people.map((action) =>
      present({
        ...action,
        name: clipShown(action.name, shownName),
        sent_by: clipShown(action.sent_by, shownName),
        reason: clipShown(action.reason, shownName),
      }),
    ),
    people_omitted: actions.length - people.length,
    ...handoverParts(handover),
    open: open.slice(0, most.open).map((line) => clipped(line) ?? ''),
    open_omitted: Math.max(0, open.length - most.open),
  };
}

/** Notes and alarms as fields; empty lists are absent. */
function handoverParts({ left: fromLast, notes, forNext, alarms }: Handover) {
  const some = <T, U>(rows: readonly T[], shown: (row: T) => U) =>
    rows.length === 0 ? undefined : rows.slice(-most.notes).map(shown);
  const note = (row: Handover['notes'][number]) => present({ ...notePart(row), execution_id: row.execution_id });
  return present({
    from_last: some(fromLast, note),
    notes: some(notes, note),
    for_next: some(forNext, note),
    alarms: some(alarms, ({ alarm_id, severity, state, count, sentence, raised_at, cleared_at, ...seen }) =>
      present({
        alarm_id,
        severity,
        state,
        count,
        sentence: clipped(headOf(sentence)) ?? '',
        raised_at,
        seen_by: seenByShown(seen),
        seen_text: clipShown(seen.seen_text, shownName),
        cleared_at,
      }),
    ),
  });
}
