import { dirname } from 'node:path';

import type { Queries } from '../../db/queries.ts';
import { playRun } from '../../domain/plan/played-run.ts';
import { someOf } from '../../lib/counted.ts';
import { argumentInvalid, NoStoreYet, SwfError } from '../../lib/errors.ts';
import { freeBytes } from '../../lib/file-system.ts';
import { tried } from '../../lib/tried.ts';
import { planOf } from '../../tools/plan-run.ts';
import { inTurns } from '../../tools/shared/in-steps.ts';
import type { StartRequest } from '../../tools/shared/services.ts';
import { type Io, storePath } from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import { plannedParams } from './tool-services.ts';

/**
 * A server starts a run only if fewer runs than this are in progress in its store; `--max-runs` changes the
 * limit.
 */
const usualMaxRuns = 4;

/** Limits for a run that a tool starts. Larger runs must be started at a terminal. */
const maxOfARun = {
  stf_files: 50_000,
  slices: 1_000_000,
  /** A week of wall time. */
  seconds: 604_800,
  bytes: 100_000_000_000,
} as const;

/** Space that a run must leave free on the store's disk, in bytes. */
const roomLeft = 1_000_000_000;

/**
 * A place held for a starting run, and the process that will drive the run. Once the run is in the store, it is
 * counted there.
 */
export interface RunPlace {
  pid: number | undefined;
}

/**
 * Gives places to starting runs, up to the maximum number of runs in progress. Runs that the store does not
 * contain yet count too. Throws `ARGUMENT_INVALID` if all places are taken.
 */
export function createRunPlaces(io: Io, maxRuns = usualMaxRuns) {
  const beginning = new Set<RunPlace>();
  return async <T>(begin: (place: RunPlace) => Promise<T>): Promise<T> => {
    const running = drivenIn(io);
    const pids = new Set(running.map(({ pid }) => pid));
    const underWay = running.length + [...beginning].filter(({ pid }) => pid === undefined || !pids.has(pid)).length;
    if (underWay >= maxRuns) throw allTaken(underWay, maxRuns, running);
    const place: RunPlace = { pid: undefined };
    beginning.add(place);
    return begin(place).finally(() => beginning.delete(place));
  };
}

function allTaken(underWay: number, maxRuns: number, running: readonly DrivenExecution[]) {
  const ids = running.map(({ execution_id }) => execution_id);
  const shown = ids.length === 0 ? '' : ` (${someOf(ids)})`;
  return argumentInvalid(
    `${underWay} runs are in progress in this store${shown}, and this server starts one only while fewer than ${maxRuns} are running; wait for one with wait_for_execution, or stop one with control_workflow`,
  );
}

/** The driven executions of a store; empty while there is no store. */
function drivenIn(io: Io): DrivenExecution[] {
  using reader = createStoreReader(io);
  try {
    return drivenExecutions(reader.queries());
  } catch (error) {
    if (error instanceof NoStoreYet) return [];
    throw error;
  }
}

/**
 * Refuses a run that is larger than a tool may request. Throws `ARGUMENT_INVALID` with the limit, and
 * `CONFIG_…`.
 */
export async function requireBounded(io: Io, { config, speed, settings }: StartRequest) {
  const sets = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const planned = plannedParams(io, { config, sets });
  const params = { ...planned, speed: speed ?? planned.speed };
  if (params.fast_processing.physics_period_count === 0)
    throw tooMuch('physics_period_count = 0 makes a run that never ends', `at most ${maxOfARun.seconds / 86_400} days`);
  const plan = planOf(params, await inTurns(playRun(params)).catch(tooLargeToPlay));
  const seconds = params.speed === 'max' ? 0 : plan.total_seconds / params.speed;
  const bytes = plan.store_bytes + plan.data_bytes;
  const free = freeFor(storePath(io));
  for (const [n, most, what] of [
    [plan.stf_files, maxOfARun.stf_files, 'STF files'],
    [plan.slices, maxOfARun.slices, 'slices'],
    [Math.round(seconds), maxOfARun.seconds, 'seconds'],
    [bytes, maxOfARun.bytes, 'bytes on disk'],
    [bytes, free - roomLeft, `bytes on disk (${free} are free, and ${roomLeft} must stay free)`],
  ] as const)
    if (n > most) throw tooMuch(`${n} ${what}`, most);
}

const tooMuch = (asked: string, limit: number | string) =>
  argumentInvalid(
    `the run would be too large to start from a tool: ${asked} (allowed: ${limit}); ask for less (plan_run shows the size), or start it in a terminal with swf-mcp run`,
  );

const tooLargeToPlay = (error: unknown) => {
  if (!(error instanceof SwfError)) throw error;
  throw tooMuch(
    `more than ${maxOfARun.stf_files} STF files or ${maxOfARun.slices} slices`,
    `${maxOfARun.stf_files} STF files and ${maxOfARun.slices} slices`,
  );
};

/** Free bytes on the disk of a file that may not exist yet, such as a new store. */
const freeFor = (path: string): number =>
  tried(() => freeBytes(path)) ?? (dirname(path) === path ? Infinity : freeFor(dirname(path)));

type DrivenExecution = ReturnType<typeof drivenExecutions>[number];

/** The running executions driven by a live process, newest first. */
export const drivenExecutions = (queries: Queries) =>
  queries
    .executions({ status: 'running' }, { order: 'newest', limit: 1000, uncounted: true })
    .rows.flatMap(({ execution_id }) => {
      const driver = queries.driver(execution_id);
      return driver?.isAlive() === true ? [{ execution_id, pid: driver.pid }] : [];
    });
