import type { Health } from '../../domain/states.ts';
import { nothingSucceeds } from '../failures-in-a-row.ts';
import { noResultSeconds, type ObservedFacts, secondsSince } from './facts.ts';

/** Whether slices wait and nobody has answered any for too long. */
export function isUnanswered(facts: ObservedFacts): boolean {
  const { oldest_waiting, last_result, delays } = facts;
  if (oldest_waiting === undefined || !facts.hearsResults) return false;
  return secondsSince(facts, Math.max(oldest_waiting, last_result ?? 0)) >= noResultSeconds(delays);
}

const minSilence = 120;
const usualDistances = 5;

/** Whether a run has not ended but has been silent for much longer than usual. */
export function isSilent(facts: ObservedFacts): boolean {
  const { phase, status, last_message } = facts;
  if (status !== 'running' || phase === 'completed' || phase === 'standby') return false;
  return secondsSince(facts, last_message) >= Math.max(minSilence, usualDistances * usualDistance(facts));
}

/** Mean seconds between STFs if two were announced, else between messages. */
function usualDistance({ stf_span, first_message, last_message, messages }: ObservedFacts): number {
  if (stf_span !== undefined) return (stf_span.last - stf_span.first) / (stf_span.n - 1) / 1000;
  return messages > 1 ? (last_message - first_message) / (messages - 1) / 1000 : 0;
}

/** The health of an observed execution, as far as its messages show; undefined while it is not heard: nobody knows how it does. */
export function observedHealth(facts: ObservedFacts): Health | undefined {
  const { status, phase, isListening } = facts;
  if (status === 'unknown' || (status === 'running' && !isListening)) return undefined;
  if (status === 'failed') return 'failed';
  if (status !== 'running') return 'finished';
  if (isSilent(facts) || isUnanswered(facts) || nothingSucceeds(facts.failing, facts.now)) return 'stalled';
  if (phase === 'standby') return 'paused';
  return phase === 'completed' ? 'draining' : 'progressing';
}
