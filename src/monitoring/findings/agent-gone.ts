import { livenessOf } from '../../domain/liveness.ts';
import { counted } from '../../lib/counted.ts';
import type { LostStart } from '../evidence.ts';
import { call, defineDrivenFinding } from './rule.ts';

/** Agents that the sentence names. */
const named = 5;

const isOf = ({ worker }: { worker: string }, agent: string): boolean => worker.startsWith(`${agent}/`);

const becameOf = ({ status, worker_now }: LostStart): string =>
  status === 'processing' ? `was started again by ${worker_now}` : `was started again and is ${status}`;

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
  const waits = facts.isOverBroker ? 'waits for the broker to hand it out again' : 'waits to be started again';
  const left = [
    ...facts.lost.map((slice) => ({ ...slice, worker: slice.assigned_worker, now: waits })),
    ...evidence.lost_starts.map((slice) => ({ ...slice, now: becameOf(slice) })),
  ].filter((slice) => gone.some(({ agent_name }) => isOf(slice, agent_name)));
  const names = gone.map(({ agent_name }) => agent_name).slice(0, named);
  const descriptions = gone.slice(0, named).map(({ agent_name, hostname, isRemote }) => {
    const held = left.filter((slice) => isOf(slice, agent_name)).length;
    const where = isRemote ? ` on ${hostname}` : '';
    return `${agent_name}${where}${held === 0 ? '' : ` with ${counted(held, 'TF slice')} in hand`}`;
  });
  const slices = left.slice(0, named).map(({ slice_filename, now }) => `${slice_filename} ${now}`);
  const others = left.length > named ? ` and ${left.length - named} more` : '';
  const outcome = slices.length === 0 ? '' : `Their slices: ${slices.join(', ')}${others}. `;
  return {
    severity: 'warning',
    sentence: `Gone without a word, last heard ${gone[0]?.last_heartbeat}: ${descriptions.join(', ')}. ${outcome}Look at their hosts; slices go to other workers.`,
    ids: [...names, ...left.slice(0, named).map(({ slice_filename }) => slice_filename)],
    next: call('list_agents', { execution_id }),
  };
});
