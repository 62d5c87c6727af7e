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
  // A newly installed monitor assigns the same ids again.
  again: 'replace',
  runOf: newestRunOf,
  // Fast processing looks up the execution named in a message. If the answer has no parameters, fast processing
  // uses its own.
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

/** The phase and the counts of a run, as its programs report them. */
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

/** The data taking of a run. Its id equals the run number, so a program may use either. */
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

/** Events that fast processing receives, including results. Each contains the whole message. */
const systemStateEvents: Resource = {
  path: 'system-state-events',
  idField: 'event_id',
  idKind: 'number',
  nameField: 'event_type',
  body: z.looseObject({ event_type: word(), run_number: runNumber().nullish() }),
  // Different events at the same time count as two; identical events count as one.
  namesOf: (body) => ({
    name: sha256().update(JSON.stringify(body)).digest('hex').slice(0, 32),
    run_id: textOf(body['run_number']),
  }),
  more: () => ({}),
  again: 'same',
  wanted: ({ run_number }) => ({ run_id: run_number }),
};

/** Agents. Like namespaces, these objects say nothing about a workflow. */
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

/** Subscriptions of agents. Subscribing again under the same name returns the same subscription. */
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

/** Stages of other workflows, recorded without effect. */
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

/** All kinds of objects that programs register, list and change. */
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
