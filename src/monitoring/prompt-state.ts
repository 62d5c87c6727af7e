import { type HeardFacts, nextStepSeconds, secondsSince } from './heard-facts.ts';
import type { PromptFacts } from './prompt-facts.ts';

/** Policies under which no site gets a file. */
const noSite: ReadonlySet<string> = new Set(['none', 'skip']);

/**
 * Whether a run of prompt processing has had files for long enough without a report of its hand-over to
 * PanDA.
 */
export function isNotHandedOver(facts: HeardFacts): boolean {
  const { prompt, gaps, isBusHeard, status } = facts;
  if (prompt?.first_stf === undefined || prompt.isHandedOver || noSite.has(prompt.policy ?? '')) return false;
  // It may have been sent when no one was listening.
  if (!isBusHeard || !facts.isBeginHeard || facts.phase === 'none' || gaps.length > 0) return false;
  return (facts.isOver && status !== 'unknown') || secondsSince(facts, prompt.first_stf) >= nextStepSeconds;
}

/**
 * Whether data taking of a run has ended, by its announcement or its registered status, and its data agent
 * has not closed it.
 */
export function isNotClosed(facts: HeardFacts): boolean {
  const { prompt, told, isOver } = facts;
  if (prompt?.data_run !== 'open') return false;
  const ended = prompt.ended_at ?? (told === undefined || told.status === 'running' ? undefined : told.at);
  return ended !== undefined && (isOver || secondsSince(facts, ended) >= nextStepSeconds);
}

/** How often the agent of prompt processing queries PanDA unless reported. Seconds. */
const usualPoll = 60;
const minUnprocessed = 180;

/**
 * How long files may wait without a report of their agent, which writes one each time that it queries PanDA.
 * Seconds.
 */
export const reportSeconds = ({ poll_seconds = usualPoll }: PromptFacts) =>
  Math.max(minUnprocessed, 3 * poll_seconds) + nextStepSeconds;

/**
 * For how many seconds no agent has reported on files that wait for PanDA. Undefined if that is not known,
 * or not long.
 */
export function unprocessedFor(facts: HeardFacts): number | undefined {
  const { prompt, isObserved } = facts;
  if (!isObserved || prompt === undefined || prompt.open.count === 0) return undefined;
  if (prompt.last_report === undefined) return undefined;
  const silent = secondsSince(facts, prompt.last_report);
  return silent >= reportSeconds(prompt) ? silent : undefined;
}
