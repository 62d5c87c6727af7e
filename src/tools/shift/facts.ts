import type { ExecutionRow } from '../../db/execution/find-execution.ts';
import type { ListedExecution } from '../../db/lists/executions.ts';
import type { Queries } from '../../db/queries.ts';
import type { Group } from '../../domain/groups.ts';
import { isPrompt } from '../../domain/workflows.ts';
import { SwfError } from '../../lib/errors.ts';
import { objectIn } from '../../lib/read-json.ts';
import type { Steps } from '../../lib/steps.ts';
import {
  actionsOfLogbook,
  type Handover,
  handoverOf,
  isOver,
  type PersonAction,
  type Shift,
  type ShiftExecution,
  undone,
} from './shift.ts';

export interface ShiftFacts {
  /**
   * Newest first. If there are very many, contains only the running ones and the newest others; the rest are
   * only in `all`.
   */
  executions: readonly ShiftExecution[];
  all: readonly ListedExecution[];
  /** STF files that were created during the shift. */
  stf_files: { count: number; bytes: number | undefined };
  /**
   * Slices that ended during the shift, by status, and attempts that failed during it, by cause, most
   * frequent first.
   */
  ended: readonly Group[];
  causes: readonly Group[];
  /** Oldest first. */
  actions: readonly PersonAction[];
  handover: Handover;
}

const pageRows = 200;

/** Maximum number of executions to examine closely. */
const maxClose = 50;

/**
 * Of the executions that were running at the end of a shift, at most this many are examined: a testbed has a
 * few, but a flood of messages may name thousands.
 */
const maxRunning = 500;

/** Maximum number of an execution's messages in which to look for what people did. */
const maxLandmarks = 50;

/** Everything that a shift report contains. @param now in milliseconds since 1970 */
export function* shiftFacts(queries: Queries, shift: Shift, now: number): Steps<ShiftFacts> {
  const all = executionsOf(queries, shift);
  yield;
  const stfs = yield* queries.summarize({ what: 'stf_files', time_field: 'created', keys: ['status'], ...shift });
  const slices = { what: 'slices', time_field: 'completed', ...shift } as const;
  const ended = yield* queries.summarize({ ...slices, keys: ['status'] });
  const causes = (yield* queries.summarize({ ...slices, keys: ['cause'] })).toSorted((a, b) => b.count - a.count);
  const executions: ShiftExecution[] = [];
  const acted: PersonAction[] = [];
  for (const row of closeOf(all, shift)) {
    executions.push(
      isOver(shift, now) && outlives(row, shift) ? yield* lookBack(queries, row, shift) : lookAt(queries, row, now),
    );
    acted.push(...actionsOf(queries, row, shift));
    yield;
  }
  const handover = handoverOf(queries, shift, now);
  const count = countOf(stfs);
  const sum = (of: (group: Group) => number) => stfs.reduce((before, group) => before + of(group), 0);
  const isUnknown = count > 0 && sum(({ unknown }) => unknown.bytes) === count;
  const stf_files = { count, bytes: isUnknown ? undefined : sum(({ bytes }) => bytes) };
  // Actions with the same time keep their order.
  const actions = [...acted.toReversed(), ...actionsOfLogbook(handover, shift)].toSorted(
    (a, b) => Date.parse(a.time) - Date.parse(b.time),
  );
  return { executions, all, stf_files, ended, causes, actions, handover };
}

/** Whether an execution was still running when the shift ended. */
const outlives = ({ end_time }: ListedExecution, shift: Shift) => end_time === null || end_time > shift.end_time;

const statusAtEnd = (row: ListedExecution, shift: Shift) =>
  outlives(row, shift) && row.status !== 'unknown' ? 'running' : row.status;

/**
 * The executions to examine closely. Those that were running at the end of the shift matter to the next
 * shift, however long ago they began.
 */
function closeOf(all: readonly ListedExecution[], shift: Shift) {
  // A flood of messages may name runs that produce nothing, so runs with slices come first.
  const running = all
    .filter((row) => outlives(row, shift))
    .toSorted((a, b) => Number(b.slices_created > 0) - Number(a.slices_created > 0));
  const close = new Set([...running, ...all].slice(0, Math.min(running.length, maxRunning) + maxClose));
  return all.filter((row) => close.has(row));
}

/** Every execution that was active in a shift, newest first. */
export function executionsOf(queries: Queries, shift: Shift) {
  const rows: ListedExecution[] = [];
  for (let after: number | undefined; ;) {
    const page = queries.executions(shift, { order: 'newest', limit: pageRows, after, uncounted: true });
    rows.push(...page.rows);
    after = page.scanStoppedAt ?? page.rows.at(-1)?.key;
    if (!page.has_more || after === undefined) return rows;
  }
}

function lookAt(queries: Queries, row: ListedExecution, now: number) {
  const { status, stf_count, slices_created, slices_completed } = row;
  return {
    row,
    status,
    stf_count,
    why_uncounted: queries.whySlicesUncounted(row),
    slices_created,
    slices_completed,
    stay_failed: queries.executionRecord(row).slices_exhausted,
    silent_seconds: queries.silence(row, now),
    duration_seconds: queries.duration(row, now),
    ...assessed(queries, row, now),
  };
}

/** The health and findings of an execution. If its record cannot be used, the only finding says why. */
function assessed(queries: Queries, row: ListedExecution, now: number) {
  try {
    const { health, findings } = queries.assessWithFindings(row, now, queries.dataAsOf());
    return { health, findings };
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    return { health: undefined, findings: [{ severity: 'error', code: error.code, sentence: error.message } as const] };
  }
}

/**
 * An execution that outlived a shift, as it was at the shift's end: only its counts, without its health or
 * findings.
 */
function* lookBack(queries: Queries, row: ListedExecution, { end_time }: Shift): Steps<ShiftExecution> {
  const scope = { execution_id: row.execution_id, end_time, keys: ['status'] } as const;
  const stfs = yield* queries.summarize({ what: 'stf_files', time_field: 'created', ...scope });
  const created = yield* queries.summarize({ what: 'slices', time_field: 'created', ...scope });
  const ended = yield* queries.summarize({ what: 'slices', time_field: 'completed', ...scope });
  return {
    row,
    status: 'running',
    health: undefined,
    duration_seconds: (Date.parse(end_time) - Date.parse(row.start_time)) / 1000,
    stf_count: countOf(stfs),
    why_uncounted: queries.whySlicesUncounted(row),
    slices_created: countOf(created),
    slices_completed: countOf(ended, 'completed'),
    stay_failed: countOf(ended, 'failed'),
    findings: [],
  };
}

/** The number of rows in all groups, or in the groups with one status. */
const countOf = (groups: readonly Group[], status?: string) =>
  groups.reduce((sum, { keys, count }) => (status === undefined || keys[0] === status ? sum + count : sum), 0);

const actionNames: Readonly<Record<string, string>> = {
  pause_workflow: 'paused',
  resume_workflow: 'continued',
  stop_workflow: 'stopped',
  driver_started: 'resumed',
};

/** Newest first. */
function actionsOf(queries: Queries, row: ExecutionRow, { start_time, end_time }: Shift) {
  const { execution_id } = row;
  const landmarks = queries.lastLandmarks(execution_id, maxLandmarks);
  const first = landmarks.find(({ message_type }) => message_type === 'driver_started');
  const stop = landmarks.find(({ message_type, effect }) => message_type === 'stop_workflow' && effect === 'applied');
  const starter = objectIn(first?.body) as { epoch?: number; user?: string };
  const started = {
    time: row.start_time,
    // The client that started a run need not be the user that its process runs as.
    name: (starter.epoch === 1 ? starter.user : undefined) ?? row.executed_by ?? '',
    did: 'started',
    execution_id,
    reason: undefined,
  };
  const found = landmarks.flatMap((message) => {
    const did = actionNames[message.message_type];
    if (did === undefined || message.effect !== 'applied') return [];
    const body = objectIn(message.body);
    // Two drivers do not count as resuming: the execution's first one, which is part of the start, and one that
    // begins after the stop only to carry it out.
    const isResumption = body['epoch'] !== 1 && (stop === undefined || message.key < stop.key);
    if (message.message_type === 'driver_started' && !isResumption) return [];
    const text = (name: string) => (typeof body[name] === 'string' ? body[name] : undefined);
    const sender = text('user') ?? message.sender_agent ?? 'unknown';
    const claimed = text('claimed_by');
    const who = claimed === undefined ? { name: sender } : { name: claimed, sent_by: sender };
    return [{ time: message.sent_at, ...who, did, execution_id, reason: text('reason') }];
  });
  return [...found, started].filter(({ time, name }) => time >= start_time && time <= end_time && name !== '');
}

export type Totals = ReturnType<typeof totalsOf>;

export function totalsOf(facts: ShiftFacts, shift: Shift) {
  const countIn = (status: string) => facts.all.filter((row) => statusAtEnd(row, shift) === status).length;
  return {
    executions: facts.all.length,
    running: countIn('running'),
    completed: countIn('completed'),
    failed: countIn('failed'),
    terminated: countIn('terminated'),
    unknown: countIn('unknown'),
    stf_files: facts.stf_files.count,
    bytes: facts.stf_files.bytes,
    ...sliceTotals(facts),
    stf_failed: sumOf(facts.executions, ({ row }) => row.stf_failed) || undefined,
  };
}

const sumOf = (executions: readonly ShiftExecution[], of: (execution: ShiftExecution) => number) =>
  executions.reduce((sum, execution) => sum + of(execution), 0);

/**
 * The sums of the slice counts. Executions without slice counts add nothing; if no execution has counts, there
 * is no sum.
 */
function sliceTotals({ all, executions, ended, causes }: ShiftFacts) {
  const uncounted = executions.filter(({ why_uncounted }) => why_uncounted !== undefined);
  const unseen = uncounted.filter(({ row }) => !isPrompt(row)).length;
  const isNone = all.length > 0 && uncounted.length === all.length;
  return {
    ...(!isNone && {
      slices_completed: countOf(ended, 'completed'),
      attempts_failed: countOf(causes),
      slices_stay_failed: sumOf(executions, ({ stay_failed }) => stay_failed),
      slices_not_done: sumOf(executions, undone),
    }),
    executions_uncounted: unseen || undefined,
  };
}
