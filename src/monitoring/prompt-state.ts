import { type HeardFacts, nextStepSeconds, secondsSince } from './heard-facts.ts';
import type { PromptFacts } from './prompt-facts.ts';

/** Policies under which no site gets a file. */
const noSite: ReadonlySet<string> = new Set(['none', 'skip']);

/**
 * Whether a run of prompt processing has had files for some time but its hand-over to PanDA has not been
 * reported.
 */
export function isNotHandedOver(facts: HeardFacts) {
  const { prompt, gaps, isBusHeard, status } = facts;
  if (prompt?.first_stf === undefined || prompt.isHandedOver || noSite.has(prompt.policy ?? '')) return false;
  // The hand-over message may have been sent while no observer was listening.
  if (!isBusHeard || !facts.isBeginHeard || facts.phase === 'none' || gaps.length > 0) return false;
  return (facts.isOver && status !== 'unknown') || secondsSince(facts, prompt.first_stf) >= nextStepSeconds;
}

/**
 * Whether a run's data taking has ended, according to the announcement or the registered status, but its data
 * agent has not closed the run.
 */
export function isNotClosed(facts: HeardFacts) {
  const { prompt, told, isOver } = facts;
  if (prompt?.data_run !== 'open') return false;
  const ended = prompt.ended_at ?? (told === undefined || told.status === 'running' ? undefined : told.at);
  return ended !== undefined && (isOver || secondsSince(facts, ended) >= nextStepSeconds);
}

/** The assumed number of seconds between the processing agent's queries to PanDA, if not reported. */
const usualPoll = 60;
const minUnprocessed = 180;

/**
 * How long, in seconds, files may wait without a report from their agent, which writes one each time it queries
 * PanDA.
 */
export const reportSeconds = ({ poll_seconds = usualPoll }: PromptFacts) =>
  Math.max(minUnprocessed, 3 * poll_seconds) + nextStepSeconds;

/**
 * For how long, in seconds, no agent has reported on files that are waiting for PanDA. Undefined if unknown or
 * still acceptable.
 */
export function unprocessedFor(facts: HeardFacts) {
  const { prompt, isObserved } = facts;
  if (!isObserved || prompt === undefined || prompt.open.count === 0) return undefined;
  if (prompt.last_report === undefined) return undefined;
  const silent = secondsSince(facts, prompt.last_report);
  return silent >= reportSeconds(prompt) ? silent : undefined;
}
