import * as z from 'zod';

import { textOf, word } from '../objects/fields.ts';
import type { Resource } from '../objects/resource.ts';

/** Subscriptions of agents. A second one of the same name is the first. */
export const subscribers: Resource = {
  path: 'subscribers',
  idField: 'subscriber_id',
  idKind: 'number',
  nameField: 'subscriber_name',
  body: z.looseObject({ subscriber_name: z.string().min(1).max(500) }),
  namesOf: ({ subscriber_name }) => ({ name: textOf(subscriber_name) ?? '' }),
  more: (_, at) => ({ created_at: at, updated_at: at }),
  again: 'same',
  isOffRecord: true,
};

/** Agents. Like namespaces, they state nothing about a workflow. */
export const systemAgents: Resource = {
  path: 'systemagents',
  idField: 'id',
  idKind: 'number',
  nameField: 'instance_name',
  body: z.looseObject({ instance_name: word() }),
  namesOf: ({ instance_name }) => ({ name: textOf(instance_name) ?? '' }),
  more: (_, at) => ({
    agent_url: null,
    workflow_enabled: false,
    current_stf_count: 0,
    total_stf_processed: 0,
    last_stf_processed: null,
    metadata: null,
    last_heartbeat: at,
    created_at: at,
    updated_at: at,
  }),
  again: 'replace',
  isOffRecord: true,
};
