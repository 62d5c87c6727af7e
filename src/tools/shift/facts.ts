import type { ExecutionRow, ListedExecution } from '../../db/lists/executions.ts';
import type { Queries } from '../../db/queries.ts';
import type { Group } from '../../domain/groups.ts';
import type { Health } from '../../domain/states.ts';
import type { Steps } from '../../lib/steps.ts';

/** The time of a shift, ISO 8601. */
export interface Shift {
  start_time: string;
  end_time: string;
  namespace: string | undefined;
}

/** An execution that lived in a shift. */
export interface ShiftExecution {
  row: ListedExecution;
  health: Health;
  duration_seconds: number;
  /** Slices that stay failed. */
  stay_failed: number;
  /** Sentences about one that runs. */
  findings: readonly { severity: string; code: string; sentence: string }[];
}

/** Something that somebody did. */
export interface Deed {
  time: string;
  name: string;
  /** The one who claims that name. */
  sent_by?: string;
  did: string;
  execution_id: string;
  reason: string | undefined;
}

export interface ShiftFacts {
  /** Newest first. Of very many those that run and the newest others; the rest are in `all` alone. */
  executions: readonly ShiftExecution[];
  all: readonly ListedExecution[];
  /** Slices that ended in the shift, by status, and attempts that failed in it, by cause. */
  ended: readonly Group[];
  causes: readonly Group[];
  deeds: readonly Deed[];
}

const pageRows = 200;

/** Executions that are looked at closely. */
const mostClose = 50;

/** Messages of an execution that are looked at for what people did. */
const mostLandmarks = 50;

/** Everything that a report of a shift tells. @param now in milliseconds since 1970 */
export function* shiftFacts(queries: Queries, shift: Shift, now: number): Steps<ShiftFacts> {
  const all = executionsOf(queries, shift);
  yield;
  const slices = { what: 'slices', time_field: 'completed', ...shift } as const;
  const ended = yield* queries.summarize({ ...slices, keys: ['status'] });
  const causes = yield* queries.summarize({ ...slices, keys: ['cause'] });
  const executions: ShiftExecution[] = [];
  const deeds: Deed[] = [];
  for (const row of closeOf(all)) {
    executions.push(lookAt(queries, row, now));
    deeds.push(...deedsOf(queries, row, shift));
    yield;
  }
  return { executions, all, ended, causes, deeds: deeds.toSorted((a, b) => (a.time < b.time ? -1 : 1)) };
}

/** Those that run matter to the next shift, however long ago it began. */
function closeOf(all: readonly ListedExecution[]): ListedExecution[] {
  const running = all.filter(({ status }) => status === 'running');
  const close = new Set([...running, ...all].slice(0, running.length + mostClose));
  return all.filter((row) => close.has(row));
}

function executionsOf(queries: Queries, shift: Shift): ListedExecution[] {
  const rows: ListedExecution[] = [];
  for (let after: number | undefined; ;) {
    const page = queries.executions(shift, { order: 'newest', limit: pageRows, after, uncounted: true });
    rows.push(...page.rows);
    after = page.scanStoppedAt ?? page.rows.at(-1)?.key;
    if (!page.has_more || after === undefined) return rows;
  }
}

function lookAt(queries: Queries, row: ListedExecution, now: number): ShiftExecution {
  const stay_failed = queries.executionDetail(row).slices_exhausted;
  if (row.status !== 'running')
    return {
      row,
      health: queries.health(row, now),
      duration_seconds: queries.duration(row, now),
      stay_failed,
      findings: [],
    };
  const { health, findings, duration_seconds } = queries.assessWithFindings(row, now, queries.dataAsOf());
  return { row, health, duration_seconds, stay_failed, findings };
}

const deedNames: Readonly<Record<string, string>> = {
  pause_workflow: 'paused',
  resume_workflow: 'continued',
  stop_workflow: 'stopped',
  driver_started: 'took up',
};

function deedsOf(queries: Queries, row: ExecutionRow, { start_time, end_time }: Shift): Deed[] {
  const { execution_id } = row;
  const landmarks = queries.lastLandmarks(execution_id, mostLandmarks);
  const first = landmarks.find(({ message_type }) => message_type === 'driver_started');
  const starter = JSON.parse(first?.body ?? '{}') as { epoch?: number; user?: string };
  const started: Deed = {
    time: row.start_time,
    // A client that has started it is not the user as whom it runs.
    name: starter.epoch === 1 && starter.user !== undefined ? starter.user : row.executed_by,
    did: 'started',
    execution_id,
    reason: undefined,
  };
  const said = landmarks.flatMap((message): Deed[] => {
    const did = deedNames[message.message_type];
    if (did === undefined || message.effect !== 'applied') return [];
    const body = JSON.parse(message.body ?? '{}') as Record<string, unknown>;
    // The first driver is the start itself.
    if (message.message_type === 'driver_started' && body['epoch'] === 1) return [];
    const text = (name: string): string | undefined => (typeof body[name] === 'string' ? body[name] : undefined);
    const sender = text('user') ?? message.sender_agent ?? 'unknown';
    const claimed = text('claimed_by');
    const who = claimed === undefined ? { name: sender } : { name: claimed, sent_by: sender };
    return [{ time: message.sent_at, ...who, did, execution_id, reason: text('reason') }];
  });
  return [started, ...said].filter(({ time }) => time >= start_time && time <= end_time);
}
