import { logChoose, probabilityOfAtLeast } from '../lib/hypergeometric.ts';

/**
 * A slice's first attempt, once it has ended, with the places that may be the cause of a failure. A retry
 * happens only because another place failed the slice.
 */
export interface PlacedAttempt {
  stf: string | null;
  /** The number of the slice within its STF file. */
  number: number;
  /** A worker, or a slot of one: `AGENT/NN`. */
  worker: string | null;
  host: string | null;
  /** 1 if it failed. */
  failed: number;
}

/** Places of one kind with more failures than chance explains. */
export interface Concentration {
  kind: 'slot' | 'worker' | 'host' | 'STF file' | 'slice number';
  /** The worst first. */
  places: readonly string[];
  /** First attempts that failed there, of those made there. */
  failed: number;
  tried: number;
  /** The same for all other places. */
  failed_elsewhere: number;
  tried_elsewhere: number;
}

/** The probability of reporting some places for a run whose failures are chance. */
const falseAlarmRate = 0.001;

/** Fewer failures prove nothing. */
const minFailed = 3;

/** Places count as the cause if attempts fail there at least this many times as often as elsewhere. */
const minRatio = 3;

/** More places than this are not "some places". */
const maxPlaces = 8;

/**
 * If everything fails for a while, that hits the STF files of that time: one file is the cause only with at
 * least this share of all failures.
 */
const minPartOfStf = 0.5;

/**
 * Of two kinds with the same attempts, the wider is reported: a host with one worker, a worker with one slot.
 */
const kindsByWidth = [
  'host',
  'worker',
  'slot',
  'STF file',
  'slice number',
] as const satisfies readonly Concentration['kind'][];

/**
 * Finds the places whose failures chance explains least. Chance would spread failures over the places like a
 * draw without replacement (the hypergeometric distribution). Tests the worst places for each number of
 * places and corrects for the number of choices (Bonferroni), so that a run whose failures are chance has a
 * finding with a probability below `falseAlarmRate`.
 * @param attempts first attempts only: the slices that are retried are those that fail, wherever they are
 * tried again
 */
export function concentrationOf(attempts: readonly PlacedAttempt[]): Concentration | undefined {
  const tables = kindsByWidth.map((kind) => tableOf(attempts, kind));
  const [found] = tables
    .flatMap((table) => likeliest(table, tables.length) ?? [])
    // Prefer the fewest places: they take the fewest words.
    .toSorted((a, b) => a.places.length - b.places.length || a.chance - b.chance);
  if (found === undefined) return undefined;
  const { chance: _, ...concentration } = found;
  return concentration;
}

type Candidate = Concentration & { chance: number };

/** The places of a kind that chance explains least; undefined if it explains all. */
function likeliest(table: Table, kinds: number): Candidate | undefined {
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

/** Attempts made at a place, and of these the failed ones. */
export interface PlaceCount {
  name: string;
  tried: number;
  failed: number;
}

/** How many attempts each worker made and failed, the worst first. */
export const countsByWorker = (attempts: readonly PlacedAttempt[]) => tableOf(attempts, 'worker').places;

/** How many attempts were made and failed at all places of a kind, and at each. */
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
    /** The worst first. */
    places: places.toSorted((a, b) => b.failed / b.tried - a.failed / a.tried || b.failed - a.failed),
  };
}

/**
 * The worst place, the two worst, and so on, as long as their share of failures is large enough to report.
 */
function candidatesOf({ kind, places, ...all }: Table): Concentration[] {
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

/** Undefined if the place is unknown. A worker without slots has no slot to name. */
function placeOf({ worker, host, stf, number }: PlacedAttempt, kind: Concentration['kind']): string | undefined {
  if (kind === 'host') return host ?? undefined;
  if (kind === 'STF file') return stf ?? undefined;
  if (kind === 'slice number') return String(number);
  if (worker === null) return undefined;
  const slash = worker.indexOf('/');
  if (kind === 'worker') return slash === -1 ? worker : worker.slice(0, slash);
  return slash === -1 ? undefined : worker;
}
