import { probabilityOfAtLeast } from '../lib/hypergeometric.ts';

/** An attempt at a slice that has ended, with the places that may be the reason of a failure. */
export interface PlacedAttempt {
  slice: string;
  stf: string | null;
  /** A worker, or a slot of one: `AGENT/NN`. */
  worker: string | null;
  host: string | null;
  /** Why it failed; null where it did not. */
  error: string | null;
}

/** A place that has more failures than chance gives. */
export interface Concentration {
  kind: 'slot' | 'worker' | 'host' | 'STF file';
  place: string;
  /** Slices that failed there at least once, of those that were tried there. */
  failed: number;
  tried: number;
  /** The same of all other places. */
  failed_elsewhere: number;
  tried_elsewhere: number;
  /** Errors of the attempts that failed there. */
  errors: readonly string[];
}

/** The probability that a run whose failures are chance is told to have them on one place. */
export const falseAlarmRate = 0.001;

/** Fewer failures, in slices, tell nothing. */
const minFailed = 3;

/** A place counts as the reason where slices fail there so many times as often as elsewhere. */
const minRatio = 3;

/** Of two places with the same attempts the wider one is told: a host with one worker, a worker with one slot. */
const kindsByWidth = ['host', 'worker', 'slot', 'STF file'] as const satisfies readonly Concentration['kind'][];

/**
 * The place with more failures than chance gives, the least likely one. Chance would spread the slices that fail over the places as a draw without
 * replacement (the hypergeometric distribution); the number of places that are looked at is corrected for (Bonferroni), so that a run whose failures
 * are chance has a finding with a probability of less than `falseAlarmRate`. A slice counts once a place, since its attempts fail together.
 */
export function concentrationOf(attempts: readonly PlacedAttempt[]): Concentration | undefined {
  const tables = kindsByWidth.map((kind) => ({ kind, table: tableOf(attempts, kind) }));
  const looked = tables.reduce((sum, { table }) => sum + table.places.size, 0);
  let found: { chance: number; kind: Concentration['kind']; place: string } | undefined;
  for (const { kind, table } of tables)
    for (const [place, counts] of table.places) {
      if (!isTelling(counts, table)) continue;
      const chance = probabilityOfAtLeast(counts.failed, {
        items: table.tried,
        marked: table.failed,
        drawn: counts.tried,
      });
      if (chance * looked < falseAlarmRate && chance < (found?.chance ?? 1)) found = { chance, kind, place };
    }
  return found === undefined ? undefined : concentrationAt(attempts, found);
}

interface Counts {
  tried: number;
  failed: number;
}

interface Table extends Counts {
  places: Map<string, Counts>;
}

function tableOf(attempts: readonly PlacedAttempt[], kind: Concentration['kind']): Table {
  /** Whether a slice failed at a place. */
  const slices = new Map<string, Map<string, boolean>>();
  for (const attempt of attempts) {
    const place = placeOf(attempt, kind);
    if (place === undefined) continue;
    let there = slices.get(place);
    if (there === undefined) slices.set(place, (there = new Map()));
    there.set(attempt.slice, there.get(attempt.slice) === true || attempt.error !== null);
  }
  const table: Table = { tried: 0, failed: 0, places: new Map() };
  for (const [place, there] of slices) {
    const failed = [...there.values()].filter(Boolean).length;
    table.places.set(place, { tried: there.size, failed });
    table.tried += there.size;
    table.failed += failed;
  }
  return table;
}

function isTelling({ tried, failed }: Counts, all: Table): boolean {
  if (failed < minFailed || all.places.size < 2) return false;
  const elsewhere = (all.failed - failed) / Math.max(1, all.tried - tried);
  return failed / tried >= minRatio * elsewhere;
}

/** Undefined where that is not known. A worker without slots is no slot of one. */
function placeOf({ worker, host, stf }: PlacedAttempt, kind: Concentration['kind']): string | undefined {
  if (kind === 'host') return host ?? undefined;
  if (kind === 'STF file') return stf ?? undefined;
  if (worker === null) return undefined;
  const [agent = ''] = worker.split('/');
  if (kind === 'worker') return agent;
  return worker.includes('/') ? worker : undefined;
}

function concentrationAt(
  attempts: readonly PlacedAttempt[],
  { kind, place }: Pick<Concentration, 'kind' | 'place'>,
): Concentration {
  const { places, tried, failed } = tableOf(attempts, kind);
  const there = places.get(place) as Counts;
  return {
    kind,
    place,
    ...there,
    failed_elsewhere: failed - there.failed,
    tried_elsewhere: tried - there.tried,
    errors: attempts.flatMap((attempt) =>
      attempt.error !== null && placeOf(attempt, kind) === place ? [attempt.error] : [],
    ),
  };
}
