import type { ExecutionRow } from '../../db/execution/find-execution.ts';
import type { Queries } from '../../db/queries.ts';
import { SwfError } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import type { MeasuredRun, Slot } from '../../monitoring/as-played/measured-run.ts';
import { type Changes, type PlayedAgain, playAgain } from '../../monitoring/as-played/play-again.ts';
import type { AsPlayed } from '../answers/as-played.ts';
import { inSteps } from '../shared/in-steps.ts';
import { present } from '../shared/params.ts';
import type { LiveContext } from '../shared/tool.ts';

/** The parts of a run that are told of its backlog. */
const bins = 60;

/** The changes, as they are asked. */
export interface AskedChanges {
  target_worker_count?: number | undefined;
  /** A factor. */
  slice_processing_time?: number | undefined;
  stf_sampling_rate?: number | undefined;
  without_worker?: string | undefined;
  without_host?: string | undefined;
}

/**
 * Plays an execution again on what it measured, as it was and with changes. Throws `ARGUMENT_INVALID` for a change that cannot be made, and where nothing was
 * processed.
 */
export async function playedAgain(
  context: Pick<LiveContext, 'queries' | 'signal'>,
  executionId: string,
  asked: AskedChanges,
): Promise<{ as_played: AsPlayed; assumptions: string[] }> {
  const execution = context.queries().execution(executionId);
  const run = await inSteps(context, (queries) => queries.measuredRun(execution.execution_id));
  if (run.count === 0)
    throw new SwfError(
      'ARGUMENT_INVALID',
      `execution_id = ${JSON.stringify(executionId)}: it has no slice that was processed, so there is nothing to play again`,
    );
  const changes = changesOf(asked, run, { execution, queries: context.queries() });
  const was: PlayedAgain = asItWas(run);
  const replayed = playAgain(run);
  const changed = changes === undefined ? undefined : playAgain(run, changes);
  return {
    as_played: told(execution, { was, replayed, changed }),
    assumptions: assumptionsOf(run, execution, changes !== undefined),
  };
}

function changesOf(
  asked: AskedChanges,
  run: MeasuredRun,
  { execution, queries }: { execution: ExecutionRow; queries: Queries },
): Changes | undefined {
  if (Object.values(asked).every((value) => value === undefined)) return undefined;
  const { slice_processing_time: factor, stf_sampling_rate: rate, without_worker, without_host } = asked;
  if (factor !== undefined && !(factor > 0 && factor <= 1000))
    throw new SwfError(
      'ARGUMENT_INVALID',
      `slice_processing_time = ${factor}: with as_played it is a factor of the measured times, from above 0 to 1000; 0.5 is half as long`,
    );
  return {
    workers: asked.target_worker_count,
    factor,
    part: rate === undefined ? undefined : partOf(rate, queries.configuration(execution)?.stf_sampling_rate ?? 1),
    isLeftOut: leftOut(run.slots, without_worker, without_host),
  };
}

function partOf(rate: number, was: number): number {
  if (rate >= 0 && rate <= was) return was === 0 ? 1 : rate / was;
  throw new SwfError(
    'ARGUMENT_INVALID',
    `stf_sampling_rate = ${rate}: with as_played it is from 0 to ${was}, as it was: only of what was sampled there are times`,
  );
}

function leftOut(
  slots: readonly Slot[],
  worker: string | undefined,
  host: string | undefined,
): ((slot: Slot) => boolean) | undefined {
  if (worker === undefined && host === undefined) return undefined;
  const isMeant = (slot: Slot): boolean =>
    (worker !== undefined && (slot.worker === worker || slot.worker.startsWith(`${worker}/`))) ||
    (host !== undefined && slot.host === host);
  if (slots.some(isMeant)) return isMeant;
  const [name, value, known] =
    worker === undefined
      ? ['without_host', host ?? '', slots.map((slot) => slot.host)]
      : ['without_worker', worker, slots.map((slot) => slot.worker)];
  throw new SwfError(
    'ARGUMENT_INVALID',
    `${name} = ${JSON.stringify(value)} did none of its slices; near it: ${nearest(value, [...new Set(known)]).join(', ')}`,
  );
}

/** The measured run in the form of one that is played. */
function asItWas(run: MeasuredRun): PlayedAgain {
  const all = run.first.flatMap((first) => {
    const attempts = [];
    for (let one: typeof first | undefined = first; one !== undefined; one = one.next) attempts.push(one);
    return attempts;
  });
  return {
    last: run.last,
    slots: run.slots.length,
    slices: run.first.length,
    undone: 0,
    queued: all.map(({ queued }) => queued),
    started: all.map(({ started }) => started),
    waits: all.map(({ queued, started }) => started - queued),
  };
}

function told(
  execution: ExecutionRow,
  { was, replayed, changed }: { was: PlayedAgain; replayed: PlayedAgain; changed: PlayedAgain | undefined },
): AsPlayed {
  const start = Date.parse(execution.start_time);
  const last = was.last ?? start;
  // The time after the last slice takes as long whatever came before.
  const real = Math.max(last, Date.parse(execution.end_time ?? '') || 0);
  const endOf = (played: PlayedAgain): number => (played.last ?? last) + (real - last);
  const until = Math.max(...[was, replayed, changed].map((played) => played?.last ?? start));
  const width = Math.max(1, (until - start) / bins);
  const backlog = (played: PlayedAgain): number[] => backlogOf(played, { start, width });
  const iso = (time: number): string => new Date(time).toISOString();
  const waitsOf = (played: PlayedAgain): AsPlayed['was'] => ({
    ...present({
      end: played.last === undefined || played.undone > 0 ? null : iso(endOf(played)),
      undone: played.undone === 0 ? null : played.undone,
    }),
    ...quantiles(played.waits),
    backlog_max: mostWaiting(played),
    slices: played.slices,
    worker_slots: played.slots,
  });
  return {
    execution_id: execution.execution_id,
    real_end: iso(real),
    replayed_end: iso(endOf(replayed)),
    off_percent: Math.round((1000 * (endOf(replayed) - real)) / Math.max(1, real - start)) / 10,
    was: waitsOf(was),
    replayed: waitsOf(replayed),
    ...(changed === undefined ? {} : { changed: waitsOf(changed) }),
    from: iso(start),
    bin_seconds: Math.round(width) / 1000,
    backlog: {
      was: backlog(was),
      replayed: backlog(replayed),
      ...(changed === undefined ? {} : { changed: backlog(changed) }),
    },
  };
}

const seconds = (milliseconds = 0): number => Math.round(Math.max(0, milliseconds)) / 1000;

function quantiles(waits: readonly number[]): Pick<AsPlayed['was'], 'wait_p50' | 'wait_p95' | 'wait_max'> {
  const inOrder = Float64Array.from(waits).toSorted();
  const at = (part: number): number =>
    seconds(inOrder[Math.min(inOrder.length - 1, Math.floor(part * inOrder.length))]);
  return { wait_p50: at(0.5), wait_p95: at(0.95), wait_max: at(1) };
}

/** How many wait at the end of each bin. */
function backlogOf({ queued, started }: PlayedAgain, { start, width }: { start: number; width: number }): number[] {
  const change = new Float64Array(bins);
  const binOf = (time: number): number => Math.min(bins - 1, Math.max(0, Math.floor((time - start) / width)));
  for (const time of queued) change[binOf(time)] = (change[binOf(time)] ?? 0) + 1;
  for (const time of started) change[binOf(time)] = (change[binOf(time)] ?? 0) - 1;
  let waiting = 0;
  return [...change].map((more) => (waiting += more));
}

function mostWaiting({ queued, started }: PlayedAgain): number {
  const [came, begun] = [Float64Array.from(queued).toSorted(), Float64Array.from(started).toSorted()];
  let most = 0;
  let taken = 0;
  for (const [n, time] of came.entries()) {
    while ((begun[taken] ?? Infinity) <= time) taken += 1;
    most = Math.max(most, n + 1 - taken);
  }
  return most;
}

const assumptionsOf = (run: MeasuredRun, execution: ExecutionRow, isChanged: boolean): string[] => [
  'slices come when they came, take as long as they took, and fail where they failed; seconds are of wall time',
  'each goes to the worker slot that is free first, in the order in which they were queued',
  ...(run.still.length === 0
    ? []
    : [`the run stood still ${run.still.length} times, as it did: pauses, or nobody drove it`]),
  ...(run.leftOut === 0 ? [] : [`${run.leftOut} attempts without a known begin or end are left out`]),
  ...(execution.status === 'running' ? ['it has not ended: what came so far is played'] : []),
  ...(isChanged ? ['further worker slots come when half of those that were had come'] : []),
];
