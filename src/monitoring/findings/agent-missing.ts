import { defineFinding, isDriven } from './rule.ts';

export const agentMissing = defineFinding('AGENT_MISSING', ({ facts, evidence: { missing, broker_away_since } }) => {
  // Without its driver all agents of that process are gone, which another finding tells.
  if (facts.status !== 'running' || !isDriven(facts) || missing.length === 0) return undefined;
  // Nobody is heard then, which another finding tells.
  if (broker_away_since !== undefined) return undefined;
  return {
    severity: 'error',
    sentence: `No ${missing.join(' and no ')} agent works on it; start ${missing.map((type) => `"swf-mcp agent ${type} --broker URL"`).join(' and ')}, or "swf-mcp up" on their host.`,
    ids: [...missing],
    next: { tool: 'list_agents', arguments: {} },
  };
});
