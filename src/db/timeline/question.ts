import type { ExecutionParams } from '../../domain/params.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { mergedSpans } from '../../lib/merged-spans.ts';
import type { Steps } from '../../lib/steps.ts';
import { driverGaps } from '../../monitoring/facts.ts';
import type { Life } from '../../monitoring/timeline/attempts.ts';
import { type PhaseBand, type PhaseChange, beginOfWork, phasesOf } from '../../monitoring/timeline/phases.ts';
import { type Picture, pictureOf, type WantedPicture } from '../../monitoring/timeline/picture.ts';
import type { ExecutionRow } from '../execution/find-execution.ts';
import { knownParams } from '../execution/params.ts';
import { heardTimeOfRun } from '../observed/hearings.ts';
import type { Moment } from '../presence/leases.ts';
import { standstillsOf } from '../presence/standstills.ts';
import { driversOf, speedsOf } from '../reports/drivers.ts';
import { endOfLife, newestRow, silentSince } from '../reports/life.ts';
import { stagePictures } from '../reports/stage-delays.ts';
import { phaseChanges } from '../reports/waiting.ts';
import { kept } from '../sqlite/kept-answers.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { AttemptHistory } from './attempt-history.ts';

/** A requested picture. Times are ISO 8601; without times, the execution's whole life is drawn. */
export interface WantedTimeline extends Pick<
  TimelineQuestion,
  'maxBins' | 'maxLevels' | 'firstSlot' | 'slots' | 'maxSpans'
> {
  from: string | undefined;
  until: string | undefined;
}

/**
 * The request, completed with everything that follows from the execution. Throws `ARGUMENT_INVALID` if the
 * window lies outside the execution's life.
 */
export function timelineQuestion(
  sql: Prepare,
  execution: ExecutionRow,
  wanted: WantedTimeline,
  moment: Moment,
): TimelineQuestion {
  const start = Date.parse(execution.start_time);
  const lived = lifeOf(sql, execution, moment);
  const { end } = lived;
  const holes = holesIn(sql, execution, lived, moment);
  const from = wanted.from === undefined ? start : Math.max(start, Date.parse(wanted.from));
  const until = wanted.until === undefined ? end : Math.min(end, Date.parse(wanted.until));
  if (from > until)
    throw argumentInvalid(
      `${execution.execution_id} was active from ${execution.start_time} to ${new Date(end).toISOString()}, which the requested period does not overlap; give start_time and end_time within that time, or leave them out`,
    );
  return {
    ...wanted,
    execution,
    ...planned(sql, execution),
    life: goOnWithoutDriver(sql, execution) ? lived : withIdle(lived, holes),
    holes,
    from,
    until,
  };
}

/**
 * Periods about which nothing is known, or in which nothing could be done: by kind, and the oldest first within
 * each kind.
 */
function holesIn(sql: Prepare, execution: ExecutionRow, life: Life, moment: Moment): PhaseBand[] {
  const { execution_id } = execution;
  const { end: until, silentSince: start } = life;
  const drivers = driversOf(sql, execution_id, moment.isAlive);
  return [
    ...(heardTimeOfRun(sql, execution_id, moment)?.gaps ?? [])
      .filter(({ from }) => from < until)
      .map(({ from, until: end }) => ({ phase: 'unheard' as const, start: from, end: Math.min(end, until) })),
    ...standstillsOf(sql, execution_id).map(({ from, until: to }) => band('unwritten', from, to)),
    ...driverGaps(drivers).map(({ from, to }) => band('undriven', from, to)),
    ...(start === undefined ? [] : [{ phase: 'undriven' as const, start, end: undefined }]),
  ];
}

const band = (phase: PhaseBand['phase'], from: string, to: string) => ({
  phase,
  start: Date.parse(from),
  end: Date.parse(to),
});

/** Whether workers may continue without a driver, because they run in separate processes. */
const goOnWithoutDriver = (sql: Prepare, { execution_id }: ExecutionRow) =>
  sql<number>('SELECT over_broker FROM workflow_executions WHERE execution_id = ?').value(execution_id) === 1;

/**
 * A life with the periods in which no work was done. Periods in which nothing was received are not among them,
 * since work may have been done then.
 */
function withIdle(life: Life, holes: readonly PhaseBand[]) {
  const over = holes.flatMap(({ phase, start, end }) =>
    end === undefined || phase === 'unheard' ? [] : { from: start, until: end },
  );
  return over.length === 0 ? life : { ...life, idle: mergedSpans(over) };
}

/**
 * The life to draw. If the driver is gone, the life extends to the present, but at most by the time for which
 * the execution was driven. Without that limit, a run that died a week ago would be too small to see.
 */
function lifeOf(sql: Prepare, execution: ExecutionRow, moment: Moment): Life {
  const start = Date.parse(execution.start_time);
  // If the clock is behind, the execution's life extends to its newest row.
  const until = endOfLife(sql, execution, moment) ?? sql<number>(newestRow).value({ id: execution.execution_id });
  const end = Math.max(start, until ?? start, lastResult(sql, execution, moment));
  const hasEnded = execution.end_time !== null;
  if (silentSince(sql, execution, moment.isAlive) === undefined) return { start, end, hasEnded };
  return { start, end: Math.max(end, Math.min(moment.now, 2 * end - start)), hasEnded, silentSince: end };
}

/**
 * When the last result was received, even if after the execution's end, since workers may continue after their
 * runner has ended. Milliseconds since 1970.
 */
function lastResult(sql: Prepare, { execution_id, end_time }: ExecutionRow, { now }: Moment) {
  const last = sql<number>('SELECT last_result_ms FROM observed_runs WHERE execution_id = ?');
  // No result can have arrived later than now, whatever the broker's clock says.
  return end_time === null ? 0 : Math.min(last.value(execution_id) ?? 0, now);
}

/** The parts of a picture that follow from the plan. Without a plan, no retry is expected. */
function planned(sql: Prepare, execution: ExecutionRow) {
  const params = knownParams(sql, execution);
  if (params === undefined) return { minWidth: 1, maxRetries: 0 };
  const speed = speedsOf(sql, execution.execution_id).current ?? params.speed;
  return { minWidth: minWidth({ ...params, speed }), maxRetries: params.worker.max_retries };
}

export interface TimelineQuestion extends Omit<WantedPicture, 'anchor'> {
  execution: ExecutionRow;
  /** Periods about which nothing is known, or in which nothing could be done. */
  holes: readonly PhaseBand[];
}

/** A picture, and the position in the log that it reflects. */
export interface Timeline extends Picture {
  seq: number;
}

/** Draws an execution. Run each step in a snapshot. */
export function* timelineOf(sql: Prepare, history: AttemptHistory, question: TimelineQuestion): Steps<Timeline> {
  const { execution, life } = question;
  const attempts = yield* history.follow();
  const changes = phaseChanges(sql, execution.execution_id, maxChanges);
  const phases = phasesSince(life.start, changes);
  // If there are too many changes, the start of work is unknown.
  const anchor = changes.length === maxChanges ? life.start : beginOfWork(life.start, phases);
  return {
    seq: history.seq(),
    phases: [...phases, ...question.holes],
    latency: kept(sql, stagePictures)(execution.execution_id),
    ...pictureOf(attempts, { ...question, anchor }),
  };
}

/** Two DAQ intervals in wall time, in milliseconds. Narrower bins would show artifacts of the intervals. */
const minWidth = ({ daq_state_machine: daq, speed }: ExecutionParams) =>
  speed === 'max' ? 1 : (2000 * (daq.stf_interval + daq.stf_generation_time)) / speed;

/** Maximum number of phase changes to show; if there are more, the first ones are not shown. */
const maxChanges = 2000;

/** If there are too many changes, the first ones are unknown, as is the phase before them. */
function phasesSince(start: number, changes: readonly PhaseChange[]) {
  const [first] = changes;
  return phasesOf(first !== undefined && changes.length === maxChanges ? first.at : start, changes);
}
