import type { Causes } from '../../domain/causes.ts';
import { type Group, type Groups, createGroups } from '../../domain/groups.ts';
import { failedState, queuedState, type SliceStatus, sliceStatuses } from '../../domain/slice-states.ts';
import {
  countsAttempts,
  spanName,
  type SummaryKey,
  type SummaryQuestion,
  widthOf,
} from '../../domain/summary-words.ts';
import type { Steps } from '../../lib/steps.ts';
import { isPlaceholder } from '../lists/executions.ts';
import { workerTest } from '../lists/workers.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { AttemptColumns } from '../timeline/attempt-columns.ts';
import type { HistoryOf } from '../timeline/attempt-history.ts';
import { addRows } from './row-groups.ts';

/** How long after the end of an execution its results may still arrive, in milliseconds. */
const latest = 3_600_000;

/** The groups of a query. Run each step in a snapshot of the store. */
export function* summarize(sql: Prepare, historyOf: HistoryOf, question: SummaryQuestion): Steps<Group[]> {
  const groups = createGroups();
  const { what } = question;
  if (what === 'slices') yield* addSlices(groups, sql, historyOf, question);
  else yield* addRows(groups, sql, { ...question, what });
  return groups.all(question.keys, question.keys.length === 1 && !(what === 'slices' && isPart(question)));
}

function* addSlices(groups: Groups, sql: Prepare, historyOf: HistoryOf, question: SummaryQuestion): Steps<void> {
  const { assigned_worker } = question;
  const isWorker = assigned_worker === undefined ? () => true : workerTest(sql, assigned_worker);
  for (const execution of executionsOf(sql, question)) {
    const columns = yield* historyOf(execution.execution_id).follow();
    yield* addAttempts(groups, { columns, of: execution, isWorker }, question);
    yield;
  }
}

/** The executions with slices that may match, oldest first. */
function executionsOf(sql: Prepare, question: SummaryQuestion): readonly OfExecution[] {
  const { execution_id, namespace, start_time, end_time } = question;
  const lived = start_time === undefined ? null : new Date(Date.parse(start_time) - latest).toISOString();
  const asked = [execution_id, namespace, end_time].map((value) => value ?? null);
  return sql<OfExecution>(
    `SELECT execution_id, namespace, executed_by AS person, ${isPlaceholder} AS is_placeholder FROM workflow_executions AS e
     WHERE coalesce(execution_id = ?, 1) AND coalesce(namespace = ?, 1) AND coalesce(start_time <= ?, 1)
       AND coalesce(coalesce(end_time, '9999') >= ?, 1) ORDER BY seq`,
  ).all(...asked, lived);
}

interface OfExecution {
  execution_id: string;
  namespace: string;
  /** The user who started the execution; null if unknown. */
  person: string | null;
  is_placeholder: 0 | 1;
}

/** The key of a row as a number, and the name that belongs to a number. */
interface Keyed {
  of: (at: number) => number;
  name: (number: number) => string | undefined;
}

/** Upper limit for the number that stands for a key: a name's number, or a time in minutes since 1970. */
const most = 2 ** 26;

/** Number of rows to process before other requests are served. */
const inOneTurn = 20_000;

/** Adds the slices of an execution, or all attempts at them, to groups. */
export function* addAttempts(
  groups: Groups,
  { columns, of, isWorker }: { columns: AttemptColumns; of: OfExecution; isWorker: (name: string) => boolean },
  question: SummaryQuestion,
): Steps<void> {
  const isOfAttempts = countsAttempts(question.keys);
  const time = timeOf(columns, question, isOfAttempts);
  const [first, second = nothing] = question.keys.map((key) =>
    keyed(columns, key, { of, time, causes: groups.causes }),
  );
  const fits = condition(columns, question, { isOfAttempts, isWorker, time });
  const known = new Map<number, Group>();
  for (let at = 0; at < columns.length; at += 1) {
    if (at % inOneTurn === inOneTurn - 1) yield;
    if (!fits(at)) continue;
    const [a, b] = [(first as Keyed).of(at), second.of(at)];
    const number = (a + 1) * most + b;
    let group = known.get(number);
    if (group === undefined) {
      group = groups.of([(first as Keyed).name(a), second.name(b)].slice(0, question.keys.length));
      known.set(number, group);
    }
    add(group, columns, at, isOfAttempts);
    const processing = columns.processing[at] as number;
    if (of.is_placeholder === 0 && !Number.isNaN(processing)) group.processing.push(processing);
    if (isOfAttempts) addSlice(group, columns, at, of.execution_id);
  }
}

const nothing: Keyed = { of: () => 0, name: () => undefined };

function add(group: Group, columns: AttemptColumns, at: number, isOfAttempts: boolean) {
  const attempt = columns.attempt[at] as number;
  const seconds = ((columns.completed[at] as number) - (columns.started[at] as number)) / 1000;
  group.count += 1;
  if (columns.state[at] === failedState) group.failed += 1;
  group.retries += isOfAttempts ? (attempt > 1 ? 1 : 0) : attempt - 1;
  // Times must not become negative because a clock was set back.
  if (!Number.isNaN(seconds)) group.seconds.push(Math.max(0, seconds));
}

/** Upper limit for a slice id; a higher id could be mistaken for that of a slice in another file. */
const slicesOfFile = 2 ** 20;

function addSlice(group: Group, columns: AttemptColumns, at: number, execution: string) {
  let slices = group.slices.get(execution);
  if (slices === undefined) group.slices.set(execution, (slices = new Set()));
  slices.add((columns.stf[at] as number) * slicesOfFile + (columns.sliceId[at] as number));
  if (columns.isCurrent[at] === 1 && columns.state[at] === failedState) group.stayFailed += 1;
}

/** A time of a row; NaN if the row lacks it. */
type TimeAt = (at: number) => number;

/**
 * The time that the query uses for a row: attempts count as created when they are queued. Columns are replaced
 * when they grow, which may happen between two steps, so get them again each time.
 */
function timeOf(columns: AttemptColumns, { time_field }: SummaryQuestion, isOfAttempts: boolean): TimeAt {
  // A slice that is queued again because its execution was stopped does not count as started, since no worker
  // has it.
  if (time_field === 'started' && !isOfAttempts)
    return (at) => (columns.state[at] === queuedState ? NaN : (columns.started[at] as number));
  const column = time_field !== 'created' ? time_field : isOfAttempts ? 'queued' : 'created';
  return (at) => columns[column][at] as number;
}

/** Whether a query's filters, which `condition` checks, select only some slices of an execution. */
const isPart = ({ status, assigned_worker, start_time, end_time }: SummaryQuestion) =>
  [status, assigned_worker, start_time, end_time].some((filter) => filter !== undefined);

function condition(
  columns: AttemptColumns,
  question: SummaryQuestion,
  { isOfAttempts, isWorker, time }: { isOfAttempts: boolean; isWorker: (name: string) => boolean; time: TimeAt },
): (at: number) => boolean {
  const { status, assigned_worker, start_time, end_time, keys } = question;
  const tests: ((at: number) => boolean)[] = [];
  if (!isOfAttempts) tests.push((at) => columns.isCurrent[at] === 1);
  if (keys.includes('cause')) tests.push((at) => columns.state[at] === failedState);
  if (status !== undefined) {
    const state = sliceStatuses.indexOf(status as SliceStatus);
    tests.push((at) => columns.state[at] === state);
  }
  if (assigned_worker !== undefined) {
    const fitting = columns.names.worker.all.map(isWorker);
    const isInHand = (at: number) => isOfAttempts || columns.state[at] !== queuedState;
    tests.push((at) => fitting[columns.worker[at] as number] === true && isInHand(at));
  }
  const [from, to] = [start_time, end_time].map((bound) => (bound === undefined ? undefined : Date.parse(bound)));
  if (from !== undefined) tests.push((at) => time(at) >= from);
  if (to !== undefined) tests.push((at) => time(at) <= to);
  return (at) => tests.every((test) => test(at));
}

function keyed(
  columns: AttemptColumns,
  key: SummaryKey,
  { of, time, causes }: { of: OfExecution; time: TimeAt; causes: Causes },
): Keyed {
  const { names } = columns;
  const byColumn = (
    column: 'attempt' | 'tfCount' | 'cause' | 'worker' | 'host' | 'job' | 'stf',
    name: Keyed['name'],
  ): Keyed => ({
    of: (at) => columns[column][at] as number,
    name,
  });
  switch (key) {
    case 'status':
      return {
        of: (at) => columns.state[at] as number,
        name: (number) => sliceStatuses[number],
      };
    case 'attempt':
      return byColumn('attempt', String);
    case 'tf_count':
      return byColumn('tfCount', (number) => (number === 0 ? undefined : String(number)));
    case 'cause':
      return byColumn('cause', (number) => causes.adopt(names.cause, number));
    case 'worker':
      return byColumn('worker', (number) => names.worker.all[number]);
    case 'host':
      return byColumn('host', (number) => names.host.all[number]);
    case 'job':
      return byColumn('job', (number) => names.job.all[number]);
    case 'stf_filename':
      return byColumn('stf', (number) => columns.stfOfFile.get(number) ?? names.stf.all[number]);
    case 'minute':
    case 'hour':
    case 'day': {
      const width = widthOf[key];
      const none = -1;
      return {
        of: (at) => (Number.isNaN(time(at)) ? none : Math.floor(time(at) / width)),
        name: (number) => (number === none ? undefined : spanName(key, number)),
      };
    }
    case 'namespace':
    case 'person':
      return { of: () => 0, name: () => of[key] ?? undefined };
    default:
      return { of: () => 0, name: () => of.execution_id };
  }
}
