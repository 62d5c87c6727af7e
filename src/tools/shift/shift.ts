import type { ListedExecution } from '../../db/lists/executions.ts';
import type { Queries } from '../../db/queries.ts';
import type { ExecutionStatus, Health } from '../../domain/states.ts';
import { are, someOf } from '../../lib/counted.ts';
import { headOf } from '../../lib/words.ts';
import { alarmIdOf } from '../../monitoring/findings/alarms.ts';
import type { Finding } from '../../monitoring/findings/rule.ts';

/** How many of each a report lists; `notes` also limits the alarms. */
export const most = { executions: 12, causes: 5, actions: 10, open: 8, notes: 10 };

/** A shift: its start and end (ISO 8601), and its namespace. */
export interface Shift {
  start_time: string;
  end_time: string;
  namespace: string | undefined;
}

/** Whether a shift is over at `now`, in milliseconds since 1970. Nothing after a shift's end is reported. */
export const isOver = ({ end_time }: Shift, now: number) => Date.parse(end_time) < now;

/** Maximum number of messages to replay for a report about the past, so that the report takes only seconds. */
export const maxReplayed = 60_000;

export interface ShiftExecution {
  row: ListedExecution;
  /** The status at the end of the shift; the counts are from the same time. */
  status: ExecutionStatus;
  /** Undefined if the execution outlived a past shift and was not replayed. */
  health: Health | undefined;
  /**
   * If the execution has no driver and has not ended: seconds since its last driver was heard from.
   */
  silent_seconds?: number | undefined;
  /** Wall time up to the end of the shift; undefined while it is unknown. */
  duration_seconds: number | undefined;
  stf_count: number;
  /** Why the execution's slice counts are meaningless; undefined if they are meaningful. */
  why_uncounted: string | undefined;
  slices_created: number;
  slices_completed: number;
  stay_failed: number;
  /** None if the execution outlived a past shift and was not replayed. */
  findings: readonly Pick<Finding, 'severity' | 'code' | 'sentence' | 'causes' | 'about'>[];
}

/** The findings that need a person's attention. */
export const graveOf = ({ findings }: ShiftExecution) => findings.filter(({ severity }) => severity !== 'info');

/** The number of an execution's slices that have no final result. */
export const undone = ({ slices_created, slices_completed, stay_failed }: ShiftExecution) =>
  Math.max(0, slices_created - slices_completed - stay_failed);

export interface PersonAction {
  time: string;
  name: string;
  /** The sender of the message, if `name` is only what the sender claims. */
  sent_by?: string | null;
  did: string;
  execution_id: string;
  reason: string | undefined;
}

/**
 * At most `most.actions` actions, in order of time. If there are more, commands take precedence over starts, and
 * later actions over earlier ones: a stop must not be lost among a night's starts.
 */
export function mostTelling(actions: readonly PersonAction[]) {
  const latest = actions.toReversed();
  const isStart = ({ did }: PersonAction) => did === 'started';
  const chosen = [...latest.filter((action) => !isStart(action)), ...latest.filter(isStart)].slice(0, most.actions);
  return actions.filter((action) => chosen.includes(action));
}

/** The notes of a shift, its alarms, and the quality of its runs. */
export type Handover = ReturnType<typeof handoverOf>;

/** The assumed minimum length of the previous shift, in milliseconds. */
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
    /** Notes from the previous shift for this one. */
    left: queries
      .notesWritten({ start_time: before, end_time: new Date(Date.parse(start_time) - 1).toISOString(), namespace })
      .filter(({ for_next }) => for_next === 1),
    /** Notes written in this shift: for this shift, and for the next one. */
    notes: written.filter(({ for_next }) => for_next === 0),
    forNext: written.filter(({ for_next }) => for_next === 1),
    alarms: alarmsOf(queries, shift, now),
    /**
     * Whether a process is watching for alarms; undefined for a shift that has ended, and if no process has
     * ever watched.
     */
    isWatched: isOver(shift, now) ? undefined : queries.isWatched(now),
    /**
     * All changes of quality up to the end of the shift, and each execution's last quality unless withdrawn.
     */
    judgements,
    qualities: new Map([...last].filter(([, { value }]) => value !== 'none')),
  };
}

/**
 * The alarms of a shift, in their state at its end; while the shift lasts, each with its finding's current
 * sentence.
 */
function alarmsOf(queries: Queries, shift: Shift, now: number) {
  const alarms = queries.alarmsIn(shift);
  if (isOver(shift, now)) return alarms;
  const current = new Map(queries.openAlarms().map((alarm) => [`${alarm.alarm_id}/${alarm.count}`, alarm.sentence]));
  return alarms.map((alarm) => ({
    ...alarm,
    sentence: current.get(`${alarm.alarm_id}/${alarm.count}`) ?? alarm.sentence,
  }));
}

/** The alarms that people marked as seen in a shift, and the runs whose quality they set. */
export function actionsOfLogbook({ alarms, judgements }: Handover, { start_time, end_time }: Shift) {
  const isIn = (time: string | null): time is string => time !== null && time >= start_time && time <= end_time;
  const seen = alarms.flatMap(({ execution_id, code, seen_by, seen_sent_by, seen_at, seen_text }) => {
    if (!isIn(seen_at)) return [];
    const by = { name: seen_by ?? '', sent_by: seen_sent_by };
    const reason = seen_text ?? undefined;
    return [{ time: seen_at, ...by, did: `saw ${code} of`, execution_id: execution_id ?? 'none', reason }];
  });
  const judged = judgements.flatMap(({ execution_id, value, reason, author, sent_by, set_at }) => {
    if (!isIn(set_at)) return [];
    const did = value === 'none' ? 'cleared the quality of' : `set the quality to ${value} for`;
    return [{ time: set_at, name: author, sent_by, did, execution_id, reason }];
  });
  return [...seen, ...judged];
}

/** Whether an alarm is raised and no one has seen it. */
export const isUnseen = ({ seen_by, state }: Handover['alarms'][number]) => seen_by === null && state !== 'cleared';

/**
 * The work that is left for people: alarms that no one has seen (except those listed with their finding), and
 * executions without a quality.
 */
export function undoneByPeople(handover: Handover, executions: readonly ShiftExecution[], { start_time }: Shift) {
  const found = executions.flatMap((one) => graveOf(one).map((finding) => alarmIdOf(one.row.execution_id, finding)));
  const unseen = handover.alarms.filter((alarm) => isUnseen(alarm) && !found.includes(alarm.alarm_id));
  const old = unseen.filter(({ raised_at }) => raised_at < start_time).length;
  const raised = unseen
    .filter(({ raised_at }) => raised_at >= start_time)
    .map(({ alarm_id, sentence }) => `no one has seen alarm ${alarm_id}: ${headOf(sentence)}`);
  const unjudged = executions
    .filter(({ row, status }) => status !== 'running' && !handover.qualities.has(row.execution_id))
    .map(({ row }) => row.execution_id);
  return [
    ...(unjudged.length === 0 ? [] : [`no quality is set for ${someOf(unjudged, unjudged.length, maxNamed)}`]),
    ...raised,
    ...(old === 0 ? [] : [`${are(old, 'earlier alarm')} still unseen`]),
  ];
}

/** Maximum number of executions that a sentence names. */
const maxNamed = 6;
