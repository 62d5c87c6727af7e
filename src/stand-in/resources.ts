import * as z from 'zod';

import { knownExecution, newestRunOf } from '../db/stand-in/objects.ts';
import { sha256 } from '../lib/sha256.ts';
import { objectOf } from '../observed/reading/values.ts';
import { textOf } from '../observed/told/log-line.ts';
import { fastmonFiles, stfFiles, tfSlices } from './files.ts';
import { addedFields, type Resource, runNumber, word } from './resource.ts';

const workflowDefinitions: Resource = {
  path: 'workflow-definitions',
  idField: 'id',
  idKind: 'number',
  nameField: 'workflow_name',
  body: z.looseObject({ workflow_name: word(), version: word() }),
  namesOf: ({ workflow_name, version }) => ({ name: `${String(workflow_name)} ${String(version)}` }),
  more: (_, at) => ({ created_at: at, updated_at: at }),
  again: 'replace',
};

const workflowExecutions: Resource = {
  path: 'workflow-executions',
  idField: 'execution_id',
  idKind: 'text',
  nameField: 'execution_id',
  body: z.looseObject({ execution_id: word(), namespace: z.string().max(200).nullish() }),
  namesOf({ execution_id }) {
    const name = String(execution_id);
    return { name, object_id: name };
  },
  more: () => ({ end_time: null, performance_metrics: null }),
  // Newly set up monitors assign the same ids again.
  again: 'replace',
  runOf: newestRunOf,
  // Fast processing requests the execution that a message names; an answer without parameters lets it
  // continue with its own parameters.
  unknown: (id, sql) => ({
    execution_id: id,
    namespace: null,
    status: 'running',
    executed_by: null,
    start_time: null,
    end_time: null,
    ...knownExecution(sql, id),
    parameter_values: {},
  }),
};

/** Phase and counts of a run, as reported by its programs. */
const runStates: Resource = {
  path: 'run-states',
  idField: 'run_number',
  idKind: 'run',
  nameField: 'run_number',
  body: z.looseObject({ run_number: runNumber(), metadata: addedFields() }),
  namesOf({ run_number, metadata }) {
    const run_id = String(run_number);
    return { name: run_id, run_id, parent: textOf(objectOf(metadata)['execution_id']), object_id: run_id };
  },
  more: ({ run_number }, at) => ({ run_number: Number(run_number), updated_at: at }),
  again: 'replace',
  unknown: (id) => ({
    run_number: Number(id),
    phase: 'unknown',
    state: 'unknown',
    substate: null,
    target_worker_count: 0,
    active_worker_count: 0,
    stf_samples_received: 0,
    slices_created: 0,
    slices_queued: 0,
    slices_processing: 0,
    slices_completed: 0,
    slices_failed: 0,
    metadata: {},
  }),
};

/** Data taking of a run. Its id is its number, so that a program may use either. */
const runs: Resource = {
  path: 'runs',
  idField: 'run_id',
  idKind: 'run',
  nameField: 'run_number',
  body: z.looseObject({ run_number: runNumber() }),
  namesOf({ run_number }) {
    const run_id = String(run_number);
    return { name: run_id, run_id, object_id: run_id };
  },
  more: ({ run_number }) => ({ run_id: Number(run_number), end_time: null }),
  again: 'same',
};

/** Events as received by fast processing, including results, as whole messages. */
const systemStateEvents: Resource = {
  path: 'system-state-events',
  idField: 'event_id',
  idKind: 'number',
  nameField: 'event_type',
  body: z.looseObject({ event_type: word(), run_number: runNumber().nullish() }),
  // Two different events at the same time count as two; identical events count as one.
  namesOf: (body) => ({
    name: sha256().update(JSON.stringify(body)).digest('hex').slice(0, 32),
    run_id: textOf(body['run_number']),
  }),
  more: () => ({}),
  again: 'same',
  wanted: ({ run_number }) => ({ run_id: run_number }),
};

/** Agents. Like namespaces, they state nothing about a workflow. */
export const systemAgents: Resource = {
  path: 'systemagents',
  idField: 'id',
  idKind: 'number',
  nameField: 'instance_name',
  body: z.looseObject({ instance_name: word() }),
  namesOf: ({ instance_name }) => ({ name: String(instance_name) }),
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

/** Subscriptions of agents. A second one with the same name is the same subscription. */
const subscribers: Resource = {
  path: 'subscribers',
  idField: 'subscriber_id',
  idKind: 'number',
  nameField: 'subscriber_name',
  body: z.looseObject({ subscriber_name: z.string().min(1).max(500) }),
  namesOf: ({ subscriber_name }) => ({ name: String(subscriber_name) }),
  more: (_, at) => ({ created_at: at, updated_at: at }),
  again: 'same',
  isOffRecord: true,
};

/** Stages of other workflows: recorded, without effect. */
const workflowStages: Resource = {
  path: 'workflow-stages',
  idField: 'id',
  idKind: 'number',
  nameField: 'stage_name',
  body: z.looseObject({}),
  namesOf: ({ execution, stage_name }) => ({ name: `${textOf(execution) ?? ''} ${textOf(stage_name) ?? ''}` }),
  more: (_, at) => ({ created_at: at }),
  again: 'replace',
};

/** Everything that programs register, list and change. */
export const resources: readonly Resource[] = [
  workflowDefinitions,
  workflowExecutions,
  runStates,
  runs,
  stfFiles,
  fastmonFiles,
  tfSlices,
  systemStateEvents,
  systemAgents,
  subscribers,
  workflowStages,
];
