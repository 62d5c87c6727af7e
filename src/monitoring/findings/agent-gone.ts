import { agentsOf, defineFinding, isDriven } from './rule.ts';

/** Agents that the sentence names. */
const named = 5;

export const agentGone = defineFinding('AGENT_GONE', ({ facts, evidence: { execution_id, agents } }) => {
  // Agents of an earlier driver are gone with it, which its end tells.
  const gone = agents.filter(({ state, status }) => state !== 'EXITED' && status === 'STALE');
  if (facts.status !== 'running' || !isDriven(facts) || gone.length === 0) return undefined;
  const names = gone.map(({ agent_name }) => agent_name).slice(0, named);
  return {
    severity: 'warning',
    sentence: `Gone without a word, last heard ${gone[0]?.last_heartbeat}: ${names.join(', ')}.`,
    ids: names,
    next: agentsOf(execution_id),
  };
});
