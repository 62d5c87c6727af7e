import { defineFinding, isDriven } from './rule.ts';

export const agentMissing = defineFinding('AGENT_MISSING', ({ facts, evidence: { missing } }) => {
  // Without its driver all agents of that process are gone, which another finding tells.
  if (facts.status !== 'running' || !isDriven(facts) || missing.length === 0) return undefined;
  return {
    severity: 'error',
    sentence: `No ${missing.join(' and no ')} agent works on it; start one with "swf-mcp agent ${missing[0]}".`,
    ids: [...missing],
    next: { tool: 'list_agents', arguments: {} },
  };
});
