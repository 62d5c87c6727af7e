import type { AgentState, AgentStatus } from '../../domain/states.ts';
import type { ProcessIdentity } from '../../lib/process-identity.ts';
import { utcNow } from '../../lib/time.ts';
import { type ListPage, listRows, type Page } from '../lists/page.ts';
import { drawNumber } from '../log/numbers.ts';
import type { Connection } from '../sqlite/open-store.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { beatSeconds, isProcessAlive, type LivenessTest, missedBeats } from './leases.ts';

/** Enters an agent that starts, under a name of its own. Inside a transaction only. Returns the name (contract §1). */
export function registerAgent(
  db: Connection,
  sql: Prepare,
  agent: { type: string; user: string; namespace: string; process_id: number; execution_id?: string },
): string {
  const name = `${agent.type}-agent-${agent.user}-${drawNumber(db, 'agent')}`;
  sql(
    `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id, current_execution_id)
     VALUES (?, ?, ?, 'STARTING', ?, ?, ?)`,
  ).run(name, agent.type, agent.namespace, utcNow(), agent.process_id, agent.execution_id ?? null);
  return name;
}

/**
 * One beat of a process and of the agents that it hosts. Inside a transaction only.
 * @param working on which execution, for agents that go from one to the next
 */
export function beat(sql: Prepare, processId: number, states: ReadonlyMap<string, AgentState>, working?: string): void {
  const now = utcNow();
  sql('UPDATE processes SET last_beat = ? WHERE process_id = ?').run(now, processId);
  for (const [name, state] of states) {
    sql(
      `UPDATE system_agents SET state = ?, last_heartbeat = ?, current_execution_id = coalesce(?, current_execution_id)
       WHERE agent_name = ?`,
    ).run(state, now, working ?? null, name);
  }
}

export interface AgentRow extends ProcessIdentity {
  key: number;
  agent_name: string;
  agent_type: string;
  namespace: string;
  state: AgentState;
  last_heartbeat: string;
  last_beat: string;
  current_execution_id: string | null;
}

export interface AgentFilter {
  namespace?: string | undefined;
  agent_type?: string | undefined;
  execution_id?: string | undefined;
  include_exited: boolean;
  start_time?: string | undefined;
  end_time?: string | undefined;
}

export function listAgents(sql: Prepare, filter: AgentFilter, page: Page): ListPage<AgentRow> {
  return listRows<AgentRow>(sql, {
    select: `seq AS key, agent_name, agent_type, namespace, state, last_heartbeat, last_beat, pid, pid_started, hostname, current_execution_id`,
    from: 'system_agents',
    join: 'JOIN processes USING (process_id)',
    key: 'seq',
    time: 'last_heartbeat',
    conditions: {
      execution: ['current_execution_id = ?', filter.execution_id],
      namespace: ['namespace = ?', filter.namespace],
      type: ['agent_type = ?', filter.agent_type],
      // In the words of the index.
      present: [`state <> 'EXITED' AND state <> ?`, filter.include_exited ? undefined : 'EXITED'],
    },
    paths: [
      ['system_agents_execution', ['execution']],
      ['system_agents_present', ['present']],
    ],
    window: filter,
    page,
  });
}

/** The types of agents that live in a namespace, whatever they work on. */
export function livingTypes(sql: Prepare, namespace: string, isAlive: LivenessTest): Set<string> {
  const rows = sql<[string], AgentRow>(
    `SELECT agent_type, state, last_heartbeat, last_beat, pid, pid_started, hostname FROM system_agents JOIN processes USING (process_id)
     WHERE namespace = ? AND state <> 'EXITED'`,
  ).all(namespace);
  return new Set(rows.filter((row) => agentStatus(row, isAlive) !== 'STALE').map(({ agent_type }) => agent_type));
}

/**
 * How an agent is, as far as its last sign of life tells: `STALE` when its process is gone without a word or has missed
 * several beats, `WARNING` when it is late. An agent that has ended in order is `OK`.
 */
export function agentStatus(row: AgentRow, isAlive: LivenessTest): AgentStatus {
  if (row.state === 'EXITED') return 'OK';
  if (!isProcessAlive(row, isAlive)) return 'STALE';
  const missed = (Date.now() - Date.parse(row.last_heartbeat)) / (beatSeconds * 1000);
  if (missed > 2 * missedBeats) return 'STALE';
  return missed > missedBeats ? 'WARNING' : 'OK';
}
