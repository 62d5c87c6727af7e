import type { AgentState } from '../../domain/states.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { processColumns, type SignsOfLife } from '../presence/agent-registry.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { listRows } from './list-rows.ts';
import type { ListPage, Page, Window } from './page.ts';

export interface AgentRow extends SignsOfLife {
  key: number;
  agent_name: string;
  agent_type: string;
  namespace: string;
  state: AgentState;
  current_execution_id: string | null;
  /** For a remote agent: idle slots, kinds of work it cannot do (JSON), and seconds that its clock is ahead. */
  free_slots: number | null;
  off_duty: string | null;
  clock_offset: number | null;
  /** For a program of another make: the host it reports, or empty. */
  heard_on: string | null;
}

export interface AgentFilter extends Window {
  namespace?: string | undefined;
  agent_type?: string | undefined;
  execution_id?: string | undefined;
  include_exited: boolean;
}

export function listAgents(sql: Prepare, filter: AgentFilter, page: Page): ListPage<AgentRow> {
  return listRows<AgentRow>(sql, {
    select: `seq AS key, agent_name, agent_type, namespace, state, last_heartbeat, ${processColumns}, current_execution_id, free_slots, off_duty, clock_offset, heard_on`,
    from: 'system_agents',
    join: 'JOIN processes USING (process_id)',
    key: 'seq',
    time: 'last_heartbeat',
    conditions: {
      execution: ['current_execution_id = ?', filter.execution_id],
      namespace: ['namespace = ?', filter.namespace],
      type: ['agent_type = ?', filter.agent_type],
      present: [`${indexPredicates.presentAgent} AND state <> ?`, filter.include_exited ? undefined : 'EXITED'],
    },
    indexes: [
      ['system_agents_execution', ['execution']],
      ['system_agents_present', ['present']],
    ],
    window: filter,
    page,
  });
}
