import type { ListedExecution } from '../../db/lists/executions.ts';
import type { Queries } from '../../db/queries.ts';
import type { ExecutionStatus, Health } from '../../domain/states.ts';
import { headOf } from '../../lib/words.ts';
import type { Finding } from '../../monitoring/findings/rule.ts';

/** The time of a shift, ISO 8601. */
export interface Shift {
  start_time: string;
  end_time: string;
  namespace: string | undefined;
}

/**
 * Whether a shift ended before a time, in milliseconds since 1970. Nothing that came after its end is
 * reported.
 */
export const isOver = ({ end_time }: Shift, now: number) => Date.parse(end_time) < now;

/** Most messages to read again for a report of the past, so that it takes seconds. */
export const maxReplayed = 60_000;

export interface ShiftExecution {
  row: ListedExecution;
  /** At the end of the shift, like the counts. */
  status: ExecutionStatus;
  /** Undefined if it outlived a past shift and was not read again. */
  health: Health | undefined;
  /** Seconds since its driver was last heard from; undefined if it has a driver or has ended. */
  silent_seconds?: number | undefined;
  /** Wall time up to the end of the shift; undefined while it is unknown. */
  duration_seconds: number | undefined;
  stf_count: number;
  /** Why its counts of slices say nothing; undefined if they do say something. */
  why_uncounted: string | undefined;
  slices_created: number;
  slices_completed: number;
  stay_failed: number;
  /** Findings about a running execution. */
  findings: readonly Pick<Finding, 'severity' | 'code' | 'sentence' | 'causes'>[];
}

/** The findings that need a person. */
export const graveOf = ({ findings }: ShiftExecution) => findings.filter(({ severity }) => severity !== 'info');

/** Its slices without a final result. */
export const undone = ({ slices_created, slices_completed, stay_failed }: ShiftExecution) =>
  Math.max(0, slices_created - slices_completed - stay_failed);

export interface PersonAction {
  time: string;
  name: string;
  /** The sender who claims that name. */
  sent_by?: string;
  did: string;
  execution_id: string;
  reason: string | undefined;
}

/**
 * At most `most` actions, in order of time. If there are more, it prefers commands to starts, and later
 * actions to earlier ones: a stop must not be hidden behind the starts of a night.
 */
export function mostTelling(actions: readonly PersonAction[], most: number): PersonAction[] {
  const latest = actions.toReversed();
  const isStart = ({ did }: PersonAction) => did === 'started';
  const chosen = [...latest.filter((action) => !isStart(action)), ...latest.filter(isStart)].slice(0, most);
  return actions.filter((action) => chosen.includes(action));
}

/** The notes of a shift, its alarms, and the quality of its runs. */
export type Handover = ReturnType<typeof handoverOf>;

/** The previous shift was at least this long. Milliseconds. */
const usualShift = 8 * 3_600_000;

/** @param now in milliseconds since 1970 */
export function handoverOf(queries: Queries, shift: Shift, now: number) {
  const { start_time, end_time, namespace } = shift;
  const [start, end] = [Date.parse(start_time), Date.parse(end_time)];
  const before = new Date(start - Math.max(usualShift, end - start)).toISOString();
  const written = queries.notesWritten({ start_time, end_time, namespace });
  const judgements = queries.judgementsUntil({ end_time, namespace });
  const last = new Map(judgements.map((one) => [one.execution_id, one]));
  return {
    /** Notes of the previous shift for this one. */
    left: queries
      .notesWritten({ start_time: before, end_time: justBefore(start_time), namespace })
      .filter(({ for_next }) => for_next === 1),
    /** Notes of this shift: for itself, and for the next one. */
    notes: written.filter(({ for_next }) => for_next === 0),
    forNext: written.filter(({ for_next }) => for_next === 1),
    alarms: alarmsOf(queries, shift, now),
    /** Whether a process watches for alarms; undefined for a shift that has ended, and if none ever did. */
    isWatched: isOver(shift, now) ? undefined : queries.isWatched(now),
    /**
     * The qualities set by the end of the shift, and the last one of each execution unless it was taken back.
     */
    judgements,
    qualities: new Map([...last].filter(([, { value }]) => value !== 'none')),
  };
}

/** The alarms of a shift, in their state at its end; while it lasts, each with what its finding says now. */
function alarmsOf(queries: Queries, shift: Shift, now: number) {
  const alarms = queries.alarmsIn(shift);
  if (isOver(shift, now)) return alarms;
  const current = new Map(queries.openAlarms().map((alarm) => [`${alarm.alarm_id}/${alarm.count}`, alarm.sentence]));
  return alarms.map((alarm) => ({
    ...alarm,
    sentence: current.get(`${alarm.alarm_id}/${alarm.count}`) ?? alarm.sentence,
  }));
}

const justBefore = (time: string) => new Date(Date.parse(time) - 1).toISOString();

/** The alarms that people saw in a shift, and the runs that they judged. */
export function actionsOfLogbook({ alarms, judgements }: Handover, { start_time, end_time }: Shift): PersonAction[] {
  const isIn = (time: string | null): time is string => time !== null && time >= start_time && time <= end_time;
  const seen = alarms.flatMap(({ execution_id, code, seen_by, seen_sent_by, seen_at, seen_text }): PersonAction[] => {
    if (!isIn(seen_at)) return [];
    const by = { name: seen_by ?? '', ...(seen_sent_by === null ? {} : { sent_by: seen_sent_by }) };
    const reason = seen_text ?? undefined;
    return [{ time: seen_at, ...by, did: `saw ${code} of`, execution_id: execution_id ?? 'none', reason }];
  });
  const judged = judgements.flatMap(({ execution_id, value, reason, author, sent_by, set_at }): PersonAction[] => {
    if (!isIn(set_at)) return [];
    const by = { name: author, ...(sent_by === null ? {} : { sent_by }) };
    const did = value === 'none' ? 'cleared the quality of' : `set the quality to ${value} for`;
    return [{ time: set_at, ...by, did, execution_id, reason }];
  });
  return [...seen, ...judged];
}

/** The alarms that are raised and that no one has seen. */
export const unseenAlarms = ({ alarms }: Handover) =>
  alarms.filter(({ seen_by, state }) => seen_by === null && state !== 'cleared');

/**
 * The work that is left: alarms that no one has seen, except those listed with their finding, and executions
 * without a quality.
 */
export function undoneByPeople(
  handover: Handover,
  executions: readonly ShiftExecution[],
  { start_time }: Shift,
): string[] {
  const { qualities } = handover;
  const found = executions.flatMap((one) => graveOf(one).map(({ code }) => `${one.row.execution_id} ${code}`));
  const unseen = unseenAlarms(handover).filter(({ execution_id, code }) => !found.includes(`${execution_id} ${code}`));
  const old = unseen.filter(({ raised_at }) => raised_at < start_time).length;
  const raised = unseen
    .filter(({ raised_at }) => raised_at >= start_time)
    .map(({ alarm_id, sentence }) => `no one has seen alarm ${alarm_id}: ${headOf(sentence)}`);
  const unjudged = executions
    .filter(({ row, status }) => status !== 'running' && !qualities.has(row.execution_id))
    .map(({ row }) => row.execution_id);
  const named = unjudged.slice(0, maxNamed).join(', ');
  const more = unjudged.length > maxNamed ? ` and ${unjudged.length - maxNamed} more` : '';
  return [
    ...(unjudged.length === 0 ? [] : [`no quality is set for ${named}${more}`]),
    ...raised,
    ...(old === 0
      ? []
      : [
          `${old} ${old === 1 ? 'alarm' : 'alarms'} raised before this period ${old === 1 ? 'is' : 'are'} still unseen`,
        ]),
  ];
}

/** Executions that a sentence names. */
const maxNamed = 6;
