import type { ExecutionParams } from '../../domain/params.ts';
import { type StageDelay, stages } from '../../domain/stages.ts';
import type { Steps } from '../../lib/steps.ts';
import type { Attempts, Life } from '../../monitoring/timeline/attempts.ts';
import { type Bins, binsOf } from '../../monitoring/timeline/bins.ts';
import { causesOf, type TimedCause } from '../../monitoring/timeline/causes.ts';
import { cellsOf } from '../../monitoring/timeline/cells.ts';
import { type PhaseBand, type PhaseChange, phasesOf } from '../../monitoring/timeline/phases.ts';
import { type Series, seriesOf } from '../../monitoring/timeline/series.ts';
import { type Span, spansOf } from '../../monitoring/timeline/spans.ts';
import { workersOf, type WorkerTime } from '../../monitoring/timeline/workers.ts';
import type { ExecutionRow } from '../lists/executions.ts';
import { happenedAt } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { nameOf, numberOf, typeNumbers } from '../migrations/names.ts';
import { stageDelays } from '../reports/stage-delays.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { AttemptHistory } from './attempt-history.ts';

/** What is to be pictured. Times are milliseconds since 1970. */
export interface TimelineQuestion {
  execution: ExecutionRow;
  params: ExecutionParams;
  life: Life;
  from: number;
  until: number;
  /** Bins at most. */
  mostBins: number;
  /** Slots of which the cells or spans are wanted: so many from the first on, by name. */
  firstSlot: number;
  slots: number;
  /** More spans than these are told as cells. */
  mostSpans: number;
}

/** Delays of a stage with their buckets: `[n, items]`, of which n holds those from 1.25^(n-1) to 1.25^n milliseconds. */
export interface StagePicture extends StageDelay {
  buckets: [bucket: number, items: number][];
}

/** The life of an execution as numbers that pictures are made of. */
export interface Timeline {
  seq: number;
  bins: Bins;
  series: Series;
  phases: PhaseBand[];
  latency: StagePicture[];
  causes: TimedCause[];
  workers: (WorkerTime & { worker_id: string })[];
  /** All slots that have begun a slice so far, by name. */
  slotCount: number;
  slots: string[];
  cells: string[] | undefined;
  spans: Span[] | undefined;
}

/** Pictures an execution. Each step is to be taken in a snapshot. */
export function* timelineOf(sql: Prepare, history: AttemptHistory, question: TimelineQuestion): Steps<Timeline> {
  const { execution, params, life, from, until, mostBins } = question;
  const attempts = yield* history.follow();
  const bins = binsOf({ from, until }, { start: life.start, most: mostBins, least: leastWidth(params) });
  const window = { from: bins.from, until: Math.min(Math.max(life.end, from), bins.from + bins.count * bins.width) };
  const mostRetries = params.worker.max_retries;
  const names = attempts.names.worker.all;
  const inOrder = names.map((_, number) => number).toSorted((a, b) => byName(names[a] ?? '', names[b] ?? ''));
  const slots = inOrder.slice(question.firstSlot, question.firstSlot + question.slots);
  return {
    seq: history.seq,
    bins,
    series: seriesOf(attempts, bins, { life, mostRetries }),
    phases: phasesOf(life.start, phaseChanges(sql, execution.execution_id)),
    latency: delaysOf(sql, execution.run_number),
    causes: causesOf(attempts, window, mostRetries),
    workers: workersOf(attempts, window, life).map((one) => ({ ...one, worker_id: names[one.worker] ?? '' })),
    slotCount: names.length,
    slots: slots.map((number) => names[number] ?? ''),
    ...workOf(attempts, { bins, slots, life, window, mostSpans: question.mostSpans }),
  };
}

/** Spans, or cells where there are too many; neither where no slot is asked for. */
function workOf(
  attempts: Attempts,
  {
    bins,
    slots,
    life,
    window,
    mostSpans,
  }: {
    bins: Bins;
    slots: readonly number[];
    life: Life;
    window: { from: number; until: number };
    mostSpans: number;
  },
): Pick<Timeline, 'cells' | 'spans'> {
  if (slots.length === 0) return { cells: undefined, spans: undefined };
  const spans = spansOf(attempts, window, { slots, life, most: mostSpans });
  return spans === undefined
    ? { cells: cellsOf(attempts, bins, { slots, life }), spans: undefined }
    : { cells: undefined, spans };
}

/** Two intervals of the DAQ in wall time: narrower bins would beat with it. Milliseconds. */
function leastWidth({ daq_state_machine: daq, speed }: ExecutionParams): number {
  return speed === 'max' ? 1 : (2000 * (daq.stf_interval + daq.stf_generation_time)) / speed;
}

const byName = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

const phaseTypes = [
  'run_imminent',
  'start_run',
  'pause_run',
  'resume_run',
  'end_run',
  'pause_workflow',
  'workflow_ended',
] as const;

/** Phases that are told at most: a run of very many periods has no picture of each. */
const mostChanges = 2000;

interface ChangeRow {
  type: string;
  at: string;
  reason: string | null;
  by: string | null;
}

function phaseChanges(sql: Prepare, executionId: string): PhaseChange[] {
  const rows = sql<[string], ChangeRow>(
    `SELECT ${nameOf('type_no')} AS type, ${happenedAt} AS at, body ->> '$.reason' AS reason, coalesce(body ->> '$.claimed_by', ${nameOf('sender_no')}) AS by
     FROM message_rows INDEXED BY message_rows_landmarks
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark} AND type_no IN ${typeNumbers(phaseTypes)} AND effect = 'applied'
     ORDER BY seq LIMIT ${mostChanges}`,
  ).all(executionId);
  return rows.map(({ type, at, reason, by }) => ({
    type,
    at: Date.parse(at),
    reason: reason ?? undefined,
    by: by ?? undefined,
  }));
}

function delaysOf(sql: Prepare, runNumber: number): StagePicture[] {
  const rows = sql<[number], { stage: number; bucket: number; items: number }>(
    'SELECT stage, bucket, items FROM stage_delays WHERE run_number = ? ORDER BY stage, bucket',
  ).all(runNumber);
  return stageDelays(sql, runNumber).map((delay) => {
    const number = stages.findIndex(({ stage }) => stage === delay.stage);
    return {
      ...delay,
      buckets: rows.filter(({ stage }) => stage === number).map(({ bucket, items }) => [bucket, items]),
    };
  });
}
