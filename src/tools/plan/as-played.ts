import * as z from 'zod';

import type { ExecutionRow } from '../../db/execution/find-execution.ts';
import type { Queries } from '../../db/queries.ts';
import { float, int, ints, object, optionalFloat, optionalInt, optionalString, string } from '../../domain/fields.ts';
import { were } from '../../lib/counted.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { timeWithin } from '../../lib/merged-spans.ts';
import { present } from '../../lib/present.ts';
import { nearest } from '../../lib/suggest.ts';
import {
  type MeasuredRun,
  measuredRun,
  secondsWithout,
  slotsOf,
  type Worker,
} from '../../monitoring/as-played/measured-run.ts';
import { type Changes, maxWaiting, playAgain, type PlayedAgain } from '../../monitoring/as-played/play-again.ts';
import { inSteps } from '../shared/in-steps.ts';
import type { LiveContext } from '../shared/tool.ts';

const waitsFields = () =>
  object({
    end: optionalString.describe('Of the last slice; absent if some slices find no worker'),
    wait_p50: optionalFloat,
    wait_p95: optionalFloat,
    wait_max: optionalFloat,
    backlog_max: int,
    slices: int,
    slices_failed: optionalInt.describe('Absent if unknown'),
    worker_slots: int,
    undone: optionalInt.describe('Attempts for which no worker was left'),
  });

/** A run as it was, as replayed, and as it would have been with changes. Seconds and times are wall time. */
export const asPlayedAnswer = () =>
  object({
    execution_id: string,
    real_end: string,
    replayed_end: string,
    off_percent: float.describe('Model error, in percent of the duration'),
    was: waitsFields(),
    replayed: waitsFields(),
    changed: waitsFields().optional(),
    from: string,
    bin_seconds: float,
    backlog: object({ was: ints, replayed: ints, changed: ints.optional() }).describe(
      'Slices waiting at the end of each bin',
    ),
  });

export type AsPlayed = z.infer<ReturnType<typeof asPlayedAnswer>>;

/** The number of bins in which the backlog of a run is reported. */
const bins = 60;

/** The changes, as requested; `slice_processing_time` is a factor. */
interface AskedChanges {
  target_worker_count?: number | undefined;
  slice_processing_time?: number | undefined;
  stf_sampling_rate?: number | undefined;
  without_worker?: string | undefined;
  without_host?: string | undefined;
}

/**
 * Replays an execution from its measurements, both as it ran and with changes. Throws `ARGUMENT_INVALID` for an
 * impossible change, or if the execution processed nothing.
 */
export async function playedAgain(
  context: Pick<LiveContext, 'queries' | 'signal'>,
  executionId: string,
  asked: AskedChanges,
): Promise<{ as_played: AsPlayed; assumptions: string[] }> {
  const execution = context.queries().execution(executionId);
  if (execution.status === 'running')
    throw argumentInvalid(
      `execution_id = ${JSON.stringify(executionId)}: it has not ended, so not all its slice times are known; replay it once it has ended`,
    );
  // In our own queue, a retried slice keeps its place; other programs resend it as a new message.
  const keepsPlace = context.queries().knownParams(execution) !== undefined;
  const run = await inSteps(context, function* (queries) {
    return measuredRun(yield* queries.attempts(execution.execution_id), keepsPlace);
  });
  if (run.count === 0)
    throw argumentInvalid(
      `execution_id = ${JSON.stringify(executionId)}: none of its slices was processed, so there is nothing to replay`,
    );
  const changes = changesOf(asked, run, execution, context.queries());
  const changed = changes && playAgain(run, changes);
  return {
    as_played: told(execution, asItWas(run), playAgain(run), changed),
    assumptions: assumptionsOf(run, changes),
  };
}

function changesOf(asked: AskedChanges, run: MeasuredRun, was: ExecutionRow, queries: Queries) {
  if (Object.values(asked).every((value) => value === undefined)) return undefined;
  const { slice_processing_time: factor, stf_sampling_rate: rate, without_worker, without_host } = asked;
  if (factor !== undefined && !(factor > 0 && factor <= 1000))
    throw argumentInvalid(
      `slice_processing_time = ${factor}: with as_played it is a factor applied to the measured times, above 0 and at most 1000; 0.5 halves them`,
    );
  return {
    slots: asked.target_worker_count,
    factor,
    part: rate === undefined ? undefined : partOf(rate, queries.configuration(was)?.stf_sampling_rate ?? 1, run),
    isLeftOut: leftOut(run.workers, without_worker, without_host),
  };
}

function partOf(rate: number, was: number, { first }: MeasuredRun) {
  const files = new Set(first.map(({ stf }) => stf)).size;
  if (rate > 0 && rate <= was && Math.floor((files * rate) / was) > 0) return rate / was;
  throw argumentInvalid(
    `stf_sampling_rate = ${rate}: with as_played it can be at most ${was}, as in the run (only sampled files have times), and must be high enough to sample at least one of the ${files} STF files`,
  );
}

function leftOut(workers: readonly Worker[], name?: string, host?: string): Changes['isLeftOut'] {
  if (name === undefined && host === undefined) return undefined;
  const isNamed = (worker: Worker) =>
    name !== undefined && (worker.name === name || worker.name.startsWith(`${name}/`));
  const isThere = (worker: Worker) => host !== undefined && worker.host === host;
  const refuse = (argument: string, value: string, of: 'name' | 'host') => {
    const known = new Set(workers.map((one) => one[of]));
    throw argumentInvalid(
      `${argument} = ${JSON.stringify(value)} processed no slices in this run; the nearest names that did: ${nearest(value, [...known]).join(', ')}`,
    );
  };
  if (name !== undefined && !workers.some(isNamed)) refuse('without_worker', name, 'name');
  if (host !== undefined && !workers.some(isThere)) refuse('without_host', host, 'host');
  return (worker) => isNamed(worker) || isThere(worker);
}

/** The measured run, in the form of a replayed run. */
function asItWas(run: MeasuredRun) {
  const all = run.first.flatMap((first) => {
    const attempts = [];
    for (let one: typeof first | undefined = first; one !== undefined; one = one.next) attempts.push(one);
    return attempts;
  });
  return {
    last: run.last,
    slots: slotsOf(run.workers).length,
    slices: run.first.length,
    undone: 0,
    failed: run.leftOut > 0 ? undefined : all.filter(({ hasFailed, next }) => hasFailed && next === undefined).length,
    queued: all.map(({ queued }) => queued),
    started: all.map(({ started }) => started),
    waits: all.map(({ queued, started }) => started - queued),
  };
}

function told(execution: ExecutionRow, was: PlayedAgain, replayed: PlayedAgain, changed?: PlayedAgain) {
  const start = Date.parse(execution.start_time);
  const last = was.last ?? start;
  // The time from the last slice to the end stays the same, whatever changes earlier in the run.
  const real = Math.max(last, Date.parse(execution.end_time ?? '') || 0);
  const endOf = (played: PlayedAgain) => (played.last ?? last) + (real - last);
  const until = Math.max(...[was, replayed, changed].map((played) => played?.last ?? start));
  const width = Math.max(1, (until - start) / bins);
  const backlog = (played: PlayedAgain) => backlogOf(played, start, width);
  const iso = (time: number) => new Date(time).toISOString();
  const waitsOf = (played: PlayedAgain) =>
    present({
      // If slices are never started, the end and the longest wait are unknown.
      ...(played.undone > 0 ? { undone: played.undone } : { end: iso(endOf(played)), ...quantiles(played.waits) }),
      backlog_max: maxWaiting(played),
      slices: played.slices,
      slices_failed: played.failed,
      worker_slots: played.slots,
    });
  return present({
    execution_id: execution.execution_id,
    real_end: iso(real),
    replayed_end: iso(endOf(replayed)),
    off_percent: Math.round((1000 * (endOf(replayed) - real)) / Math.max(1, real - start)) / 10,
    was: waitsOf(was),
    replayed: waitsOf(replayed),
    changed: changed && waitsOf(changed),
    from: iso(start),
    bin_seconds: Math.round(width) / 1000,
    backlog: present({ was: backlog(was), replayed: backlog(replayed), changed: changed && backlog(changed) }),
  });
}

const seconds = (milliseconds = 0) => Math.round(Math.max(0, milliseconds)) / 1000;

function quantiles(waits: readonly number[]) {
  const inOrder = Float64Array.from(waits).toSorted();
  const at = (part: number) => seconds(inOrder[Math.min(inOrder.length - 1, Math.floor(part * inOrder.length))]);
  return { wait_p50: at(0.5), wait_p95: at(0.95), wait_max: at(1) };
}

/** How many slices are waiting at the end of each bin. */
function backlogOf({ queued, started }: PlayedAgain, start: number, width: number) {
  const change = new Float64Array(bins);
  const binOf = (time: number) => Math.min(bins - 1, Math.max(0, Math.floor((time - start) / width)));
  for (const time of queued) change[binOf(time)] = (change[binOf(time)] ?? 0) + 1;
  for (const time of started) change[binOf(time)] = (change[binOf(time)] ?? 0) - 1;
  let waiting = 0;
  return [...change].map((more) => (waiting += more));
}

function assumptionsOf(run: MeasuredRun, changes: Changes | undefined) {
  const slots = slotsOf(run.workers);
  const without = Math.round(secondsWithout(slots));
  const times = run.still.length === 1 ? 'once' : `${run.still.length} times`;
  const still = timeWithin(run.still) / 1000;
  const each = 'seconds are wall time; slices arrive when they did in the run';
  const worker = 'each slice goes to the first free worker slot';
  return [
    run.hasFailed
      ? `${each}, take as long as they did, and fail where they failed`
      : `${each} and take as long as they did`,
    slots.some(({ length }) => length > 1)
      ? `${worker}; a replacement worker uses the slot of the one it replaced`
      : worker,
    without === 0 ? [] : `for ${without} s there was no worker, as in the run`,
    run.still.length === 0
      ? []
      : `slices waited ${times} although slots were free (${Math.round(10 * still) / 10} s in all), as in the run`,
    run.leftOut === 0 ? [] : `${were(run.leftOut, 'attempt')} left out: start or end unknown`,
    changes === undefined ? [] : changesSaid(changes, run),
  ].flat();
}

const changesSaid = ({ slots, factor, part, isLeftOut }: Changes, { hasFailed }: MeasuredRun) =>
  [
    isLeftOut === undefined ? [] : 'workers are left out',
    isLeftOut === undefined || !hasFailed
      ? []
      : 'slices that failed on them go to other workers, with the outcome of the retry; without a retry, they take the usual time, and their outcome is unknown',
    slots === undefined
      ? []
      : `${slots} worker slots in all; an added slot has a worker whenever the median slot of the run had one`,
    factor === undefined ? [] : `each slice takes ${factor} times as long as in the run`,
    part === undefined ? [] : `${Math.round(part * 1000) / 10} % of the sampled STF files are replayed, spread evenly`,
  ]
    .flat()
    .map((change) => `changed: ${change}`);
