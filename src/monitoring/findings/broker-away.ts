import { call, defineDrivenFinding } from './rule.ts';

/** While the broker is away, nobody else is heard and nothing reaches them. */
export const brokerAway = defineDrivenFinding('BROKER_AWAY', ({ evidence: { broker_away_since: since } }) => {
  if (since === undefined) return undefined;
  return {
    severity: 'error',
    sentence: `Its recorder has heard nothing from the broker since ${since}; what agents elsewhere do meanwhile is not known. "swf-mcp doctor --broker URL" says why; it goes on when the broker is back.`,
    next: call('list_logs', { level: 'WARNING' }),
  };
});
