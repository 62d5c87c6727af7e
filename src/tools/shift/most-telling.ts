import type { Deed } from './shift.ts';

/**
 * At most `most` deeds, in order of time. If there are more, it prefers commands to starts, and later deeds to earlier ones: a stop must not be
 * hidden behind the starts of a night.
 */
export function mostTelling(deeds: readonly Deed[], most: number): Deed[] {
  const latest = deeds.toReversed();
  const isStart = ({ did }: Deed): boolean => did === 'started';
  const told = [...latest.filter((deed) => !isStart(deed)), ...latest.filter(isStart)].slice(0, most);
  return deeds.filter((deed) => told.includes(deed));
}
