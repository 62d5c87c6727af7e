import { printable } from '../../lib/printable.ts';
import type { Snapshot } from './snapshot.ts';

/** The next step, if somebody has to take one. A command to copy is alone on its line. */
export function advice(snapshot: Snapshot, storeOption: string): string[] {
  const { health, execution } = snapshot;
  const next = (name: string): string => `  swf-mcp${storeOption} ${name} ${execution.execution_id}`;
  if (health === 'stalled') return ['', ...stalledAdvice(snapshot, next)];
  return health === 'paused' ? pausedAdvice(snapshot, next) : [];
}

function stalledAdvice({ driver, inHand }: Snapshot, next: (name: string) => string): string[] {
  if (inHand === undefined) return ['nothing shows that it is still running; check with', next('status')];
  if (driver?.isAlive !== true) return ['its process is gone; go on with', next('resume')];
  if (driver.isSilent)
    return [
      `its process ${driver.pid} on ${driver.hostname} has not been heard for a while; look whether it is stopped`,
    ];
  const what =
    inHand.overdue > 0
      ? 'no slice in hand has ended for a while; look at the payload of the oldest, and with'
      : 'a stage has work and does nothing; look with';
  return [what, next('status')];
}

function pausedAdvice({ pausedBy, execution }: Snapshot, next: (name: string) => string): string[] {
  if (pausedBy === undefined)
    return execution.phase === 'standby' ? ['', 'standby between two physics periods: it goes on by itself'] : [];
  const { name, time, reason } = pausedBy;
  const why = reason === undefined ? '' : ` (${printable(reason)})`;
  return ['', `${printable(name)} paused it at ${time.slice(11, 19)}${why}; go on with`, next('continue')];
}
