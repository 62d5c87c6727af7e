import { livenessOf } from '../../domain/liveness.ts';
import { counted } from '../../lib/counted.ts';
import { call, defineDrivenFinding } from './rule.ts';

/** Agents that the sentence names. */
const named = 5;

export const agentGone = defineDrivenFinding('AGENT_GONE', ({ facts, evidence }) => {
  const { execution_id, agents, broker_away_since } = evidence;
  // Nobody is heard then; another finding reports that.
  if (broker_away_since !== undefined) return undefined;
  // Agents of an earlier driver went with it; its end reports that.
  const gone = agents
    .filter(({ state, status }) => state !== 'EXITED' && status === 'STALE')
    // A remote agent may be cut off for a while.
    .filter(({ isRemote, last_heartbeat }) => !isRemote || livenessOf(last_heartbeat, facts.now) === 'gone');
  if (gone.length === 0) return undefined;
  const names = gone.map(({ agent_name }) => agent_name).slice(0, named);
  const descriptions = gone.slice(0, named).map(({ agent_name, hostname, isRemote }) => {
    const held = facts.lost.filter(({ assigned_worker }) => assigned_worker.startsWith(`${agent_name}/`)).length;
    const where = isRemote ? ` on ${hostname}` : '';
    return `${agent_name}${where}${held === 0 ? '' : ` with ${counted(held, 'TF slice')} in hand`}`;
  });
  return {
    severity: 'warning',
    sentence: `Gone without a word, last heard ${gone[0]?.last_heartbeat}: ${descriptions.join(', ')}. Look at their hosts; slices go to other workers.`,
    ids: [...names, ...facts.lost.slice(0, named).map(({ slice_filename }) => slice_filename)],
    next: call('list_agents', { execution_id }),
  };
});
