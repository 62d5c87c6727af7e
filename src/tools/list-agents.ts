import { optionalBoolean } from '../domain/fields.ts';
import { secondsAhead } from '../domain/liveness.ts';
import { knownAgentTypes } from '../domain/states.ts';
import { objectsIn } from '../lib/read-json.ts';
import { defineList } from './shared/list.ts';
import { choice, executionId, namespace } from './shared/tool.ts';

export const listAgentsTool = defineList({
  name: 'list_agents',
  title: 'List agents',
  description:
    'Agents, running or ended: which are alive, how long each has been silent, its host and process. ' +
    'status is OK, WARNING (late), ERROR or STALE (vanished). Agents that shut down cleanly (EXITED) are shown for an execution_id or with include_exited.',
  input: () => ({
    namespace,
    agent_type: choice(knownAgentTypes, 'Role of the agent'),
    execution_id: executionId,
    include_exited: optionalBoolean.describe('Include agents that have ended (default: only with execution_id)'),
  }),
  window: 'last_heartbeat',
  ask:
    ({ queries }) =>
    ({ execution_id, include_exited = execution_id !== undefined, ...question }, page) =>
      queries.agents({ ...question, include_exited, took_part_in: execution_id }, page),
  computed:
    ({ now }) =>
    (row) => ({
      state: row.heard_on === null ? row.state : undefined,
      status: row.heard_on === null ? row.status : undefined,
      heartbeat_age_seconds:
        secondsAhead(Date.parse(row.last_heartbeat), now) === 0
          ? Math.max(0, Math.round((now - Date.parse(row.last_heartbeat)) / 100) / 10)
          : undefined,
      pid: row.heard_on === null ? row.pid : undefined,
      hostname: row.heard_on === null ? row.hostname : row.heard_on || undefined,
      off_duty: row.off_duty === null ? undefined : objectsIn(row.off_duty),
      clock_offset_seconds: row.clock_offset,
    }),
});
