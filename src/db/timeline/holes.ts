import { driverGaps } from '../../monitoring/driver-gaps.ts';
import type { Life } from '../../monitoring/timeline/attempts.ts';
import type { PhaseBand } from '../../monitoring/timeline/phases.ts';
import type { ExecutionRow } from '../execution/find-execution.ts';
import { gapsOf } from '../observed/hearings.ts';
import { standstillsOf } from '../presence/incidents.ts';
import type { LivenessTest } from '../presence/leases.ts';
import { driversOf } from '../reports/drivers.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Times about which nothing is known, or when nobody could do anything, the oldest of each kind first. */
export function holesIn(
  sql: Prepare,
  { execution_id, origin }: ExecutionRow,
  { end: until, silentSince }: Life,
  isAlive: LivenessTest,
): PhaseBand[] {
  if (origin === 'observed')
    return gapsOf(sql, execution_id, until).map(({ from, until: end }) => ({ phase: 'unheard', start: from, end }));
  const unwritten = standstillsOf(sql, execution_id).map(({ from, until: end }) =>
    band('unwritten', Date.parse(from), Date.parse(end)),
  );
  const undriven = driverGaps(driversOf(sql, execution_id, isAlive)).map(({ from, to }) =>
    band('undriven', Date.parse(from), Date.parse(to)),
  );
  return [...unwritten, ...undriven, ...(silentSince === undefined ? [] : [band('undriven', silentSince)])];
}

const band = (phase: PhaseBand['phase'], start: number, end?: number): PhaseBand => ({ phase, start, end });
