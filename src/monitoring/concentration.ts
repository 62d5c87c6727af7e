import { logChoose, probabilityOfAtLeast } from '../lib/hypergeometric.ts';

/**
 * An ended first attempt at a slice, with the places that may have caused a failure. Retries are left out: they
 * happen only because an earlier attempt failed.
 */
export interface PlacedAttempt {
  stf: string | null;
  /** The number of the slice within its STF file. */
  number: number;
  /** A worker, or a worker's slot: `AGENT/NN`. */
  worker: string | null;
  host: string | null;
  /** 1 if the attempt failed. */
  failed: number;
}

/** Places of one kind with more failures than chance explains. */
export interface Concentration {
  kind: 'slot' | 'worker' | 'host' | 'STF file' | 'slice number';
  /** The places, worst first. */
  places: readonly string[];
  /** Number of first attempts that failed at these places, and the number of all first attempts made there. */
  failed: number;
  tried: number;
  /** The same numbers for all other places. */
  failed_elsewhere: number;
  tried_elsewhere: number;
}

/** The probability of reporting places for a run whose failures are due to chance. */
const falseAlarmRate = 0.001;

/** Fewer failures prove nothing. */
const minFailed = 3;

/** Places count as the cause if attempts there fail at least this many times as often as elsewhere. */
const minRatio = 3;

/** More places than this do not count as a concentration. */
const maxPlaces = 8;

/**
 * If everything fails for a while, the STF files from that time are affected. A file therefore counts as the
 * cause only if it has at least this share of all failures.
 */
const minPartOfStf = 0.5;

/**
 * If places of two kinds have the same attempts, the wider kind is reported: the host rather than its only
 * worker, the worker rather than its only slot.
 */
const kindsByWidth = [
  'host',
  'worker',
  'slot',
  'STF file',
  'slice number',
] as const satisfies readonly Concentration['kind'][];

/**
 * Finds the places whose failures are least likely to be due to chance. Chance would distribute failures over
 * the places like a draw without replacement (the hypergeometric distribution). For each number of places,
 * tests the worst ones, and corrects for the number of choices (Bonferroni). The probability of a finding in a
 * run whose failures are due to chance is therefore below `falseAlarmRate`.
 * @param attempts only first attempts: retried slices tend to fail again, wherever they are processed
 */
export function concentrationOf(attempts: readonly PlacedAttempt[]): Concentration | undefined {
  const tables = kindsByWidth.map((kind) => tableOf(attempts, kind));
  const [found] = tables
    .flatMap((table) => likeliest(table, tables.length) ?? [])
    // Prefer the smallest set of places, which is the shortest to describe.
    .toSorted((a, b) => a.places.length - b.places.length || a.chance - b.chance);
  if (found === undefined) return undefined;
  const { chance: _, ...concentration } = found;
  return concentration;
}

type Candidate = Concentration & { chance: number };

/**
 * Among the places of a kind, those whose failures are least likely to be due to chance; undefined if chance
 * may explain all failures.
 */
function likeliest(table: Table, kinds: number) {
  let found: Candidate | undefined;
  const most = Math.min(maxPlaces, table.places.length) * kinds;
  for (const candidate of candidatesOf(table)) {
    const { failed, tried, places } = candidate;
    const choices = Math.exp(logChoose(table.places.length, places.length));
    const alone = probabilityOfAtLeast(failed, { items: table.tried, marked: table.failed, drawn: tried });
    const chance = alone * choices * most;
    if (chance < Math.min(falseAlarmRate, found?.chance ?? 1)) found = { ...candidate, chance };
  }
  return found;
}

type Table = ReturnType<typeof tableOf>;

/** Number of attempts made at a place, and the number that failed. */
export interface PlaceCount {
  name: string;
  tried: number;
  failed: number;
}

/** Numbers of attempts and failures on each worker, worst first. */
export const countsByWorker = (attempts: readonly PlacedAttempt[]) => tableOf(attempts, 'worker').places;

/** Numbers of attempts and failures at each place of a kind, and in total. */
function tableOf(attempts: readonly PlacedAttempt[], kind: Concentration['kind']) {
  const counts = new Map<string, PlaceCount>();
  for (const attempt of attempts) {
    const name = placeOf(attempt, kind);
    if (name === undefined) continue;
    let there = counts.get(name);
    if (there === undefined) counts.set(name, (there = { name, tried: 0, failed: 0 }));
    there.tried += 1;
    there.failed += attempt.failed;
  }
  const places = [...counts.values()];
  const sum = (of: 'tried' | 'failed') => places.reduce((total, place) => total + place[of], 0);
  return {
    kind,
    tried: sum('tried'),
    failed: sum('failed'),
    places: places.toSorted((a, b) => b.failed / b.tried - a.failed / a.tried || b.failed - a.failed),
  };
}

/**
 * The worst place, the two worst, and so on: those sets of places with enough failures to report.
 */
function candidatesOf({ kind, places, ...all }: Table) {
  const candidates: Concentration[] = [];
  let [tried, failed] = [0, 0];
  const most = Math.min(kind === 'STF file' ? 1 : maxPlaces, places.length - 1);
  for (const [at, place] of places.slice(0, Math.max(0, most)).entries()) {
    tried += place.tried;
    failed += place.failed;
    const elsewhere = { failed_elsewhere: all.failed - failed, tried_elsewhere: all.tried - tried };
    const rate = elsewhere.failed_elsewhere / Math.max(1, elsewhere.tried_elsewhere);
    if (failed < minFailed || failed / tried < minRatio * rate) continue;
    if (kind === 'STF file' && failed < minPartOfStf * all.failed) continue;
    candidates.push({ kind, places: places.slice(0, at + 1).map(({ name }) => name), failed, tried, ...elsewhere });
  }
  return candidates;
}

/**
 * The place of an attempt; undefined if unknown. The slot is unknown if the worker has no slots.
 */
function placeOf({ worker, host, stf, number }: PlacedAttempt, kind: Concentration['kind']) {
  if (kind === 'host') return host ?? undefined;
  if (kind === 'STF file') return stf ?? undefined;
  if (kind === 'slice number') return String(number);
  if (worker === null) return undefined;
  const slash = worker.indexOf('/');
  if (kind === 'worker') return slash === -1 ? worker : worker.slice(0, slash);
  return slash === -1 ? undefined : worker;
}
