import * as z from 'zod';

import { agentStates, agentStatuses, agentTypes } from '../domain/states.ts';
import { objectsIn } from '../lib/read-json.ts';
import { pageAnswer } from './answers/page.ts';
import { listPage } from './shared/list.ts';
import { choice, executionId, listArguments, namespace } from './shared/params.ts';
import { defineTool } from './shared/tool.ts';

const itemOf = () =>
  z.strictObject({
    agent_name: z.string(),
    agent_type: z.string(),
    namespace: z.string(),
    state: z.enum(agentStates).optional(),
    status: z.enum(agentStatuses).optional().describe('Absent for programs of others: silence says nothing'),
    last_heartbeat: z.string(),
    heartbeat_age_seconds: z.number(),
    pid: z.int().optional(),
    hostname: z.string().optional(),
    current_execution_id: z.string().optional(),
    free_slots: z.int().optional(),
    off_duty: z
      .array(
        z.strictObject({
          reason: z.string(),
          name: z.string(),
          since: z.string().optional(),
          detail: z.string().optional(),
        }),
      )
      .optional(),
    clock_offset_seconds: z.number().optional(),
  });

export const listAgentsTool = defineTool({
  name: 'list_agents',
  title: 'List agents',
  description:
    'The agents that work or have worked: are all of them alive, since when has one been silent, which host and process. ' +
    'status is OK, WARNING (late), ERROR or STALE (gone without a word). Agents that ended in order (EXITED) are shown for an execution_id or with include_exited.',
  takesMoment: true,
  input: () =>
    z.strictObject({
      namespace,
      agent_type: choice(agentTypes, 'Role of the agent'),
      execution_id: executionId,
      include_exited: z.boolean().optional().describe('Also agents that have ended (default: only with execution_id)'),
      ...listArguments('last_heartbeat'),
    }),
  output: () => pageAnswer(itemOf()),
  handle: (args, context) =>
    listPage('list_agents', args, context, {
      ask: ({ execution_id, include_exited = execution_id !== undefined, ...question }, page) =>
        context.queries.agents({ ...question, include_exited, took_part_in: execution_id }, page),
      values: { namespace: 'namespace' },
      item: itemOf,
      computed: (row) => ({
        state: row.heard_on === null ? row.state : undefined,
        status: row.heard_on === null ? row.status : undefined,
        heartbeat_age_seconds: Math.max(0, Math.round((context.now - Date.parse(row.last_heartbeat)) / 100) / 10),
        pid: row.heard_on === null ? row.pid : undefined,
        hostname: row.heard_on === null ? row.hostname : row.heard_on || undefined,
        off_duty: row.off_duty === null ? undefined : objectsIn(row.off_duty),
        clock_offset_seconds: row.clock_offset,
      }),
    }),
});
