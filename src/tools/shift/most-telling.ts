import type { PersonAction } from './shift.ts';

/**
 * At most `most` actions, in order of time. If there are more, it prefers commands to starts, and later actions to earlier ones: a stop must not be
 * hidden behind the starts of a night.
 */
export function mostTelling(actions: readonly PersonAction[], most: number): PersonAction[] {
  const latest = actions.toReversed();
  const isStart = ({ did }: PersonAction): boolean => did === 'started';
  const chosen = [...latest.filter((action) => !isStart(action)), ...latest.filter(isStart)].slice(0, most);
  return actions.filter((action) => chosen.includes(action));
}
