import * as z from 'zod';

import { qualities } from '../../domain/logbook-words.ts';
import { phases } from '../../domain/run-phases.ts';
import { agentStates, agentStatuses, executionStatuses, healths, origins, severities } from '../../domain/states.ts';
import { dialectsInWords } from '../../observed/dialects.ts';
import { personsNote } from './note.ts';
import { stageDelay } from './timeline.ts';

/** A slice in a worker's hands, with its seconds of wall time there. */
export const sliceInHand = () => ({
  slice_filename: z.string(),
  assigned_worker: z.string(),
  since: z.string(),
  seconds: z.number(),
});

/** A command: its issuer, time and reason. */
const command = () =>
  z.strictObject({
    name: z.string(),
    time: z.string(),
    reason: z.string().optional(),
    claimed_by: z.string().optional(),
    sent_by: z.string().optional().describe('Where the name is only claimed: the sender'),
  });

/** The execution, its state, and the operators and processes behind it. */
const identity = () => ({
  execution_id: z.string(),
  origin: z.enum(origins).describe('observed: made by other programs; what they did not tell is absent'),
  workflow_name: z.string().optional(),
  namespace: z.string().optional(),
  executed_by: z.string().optional(),
  status: z.enum(executionStatuses),
  status_reason: z.string().optional(),
  phase: z.enum(phases).describe('Phase of the run'),
  health: z.enum(healths).optional(),
  paused_by: command().optional().describe('Who paused it; absent between two periods'),
  stopped_by: command()
    .extend({ pending: z.literal(true).optional().describe('No driver has taken it up: it has had no effect yet') })
    .optional()
    .describe('Who ended it early, or asked for that'),
  drivers: z
    .array(
      z.strictObject({
        epoch: z.int(),
        since: z.string(),
        until: z.string().optional(),
        last_heard: z.string().optional(),
        by: z.string(),
        claimed_by: z.string().optional(),
        host: z.string(),
        pid: z.int().optional(),
        speed: z.string().optional(),
        version: z.string(),
        ended: z.enum(['finished', 'interrupted', 'fault', 'lost']).optional(),
        reason: z.string().optional(),
      }),
    )
    .optional()
    .describe('The last ones, oldest first'),
  drivers_omitted: z.int().optional(),
});

const observedCounts = () => ({
  dialect: z.string().optional().describe(dialectsInWords),
  heard_since: z.string().optional(),
  heard_until: z.string().optional(),
  not_heard: z
    .array(z.strictObject({ from: z.string(), until: z.string(), reason: z.string() }))
    .optional()
    .describe('Counts are lower bounds'),
  told: z.strictObject({ status: z.string(), at: z.string(), by: z.string().optional() }).optional(),
  tf_files_sliced: z.int().optional(),
  slices_sent: z.int().optional(),
  slices_unanswered: z.int().optional(),
  results_repeated: z.int().optional(),
  results_unmatched: z.int().optional().describe('Fit no heard slice'),
  results_without_slice: z.int().optional().describe('Slices not on the bus'),
  without_execution: z.int().optional().describe('Slices that name no execution'),
});

const counts = () => ({
  run_id: z.string().optional(),
  run_number: z.int().optional(),
  start_time: z.string(),
  end_time: z.string().optional(),
  duration_seconds: z.number().describe('Wall time; so far, while it runs'),
  down_seconds: z.number().optional().describe('Without a driver, between two'),
  expected_end: z.string().optional(),
  first_slice_at: z.string().optional().describe('Expected, until there is one'),
  data_as_of: z.string().optional(),
  last_message_id: z.string().optional(),
  message_count: z.int(),
  stf_count: z.int(),
  tf_files_received: z.int(),
  slices_created: z.int().optional(),
  slices_queued: z.int().optional(),
  slices_processing: z.int().optional(),
  slices_completed: z.int(),
  slices_failed: z.int(),
  slices_retried: z.int(),
  ...observedCounts(),
  slices_overdue: z.int().optional().describe('In hand for too long'),
  slices_to_redo: z.int().optional().describe('With workers that are gone'),
  slices_not_done: z.int().optional().describe('Without a result, after the end'),
  causes: z
    .array(z.strictObject({ cause: z.string(), attempts: z.int(), example: z.string().optional() }))
    .optional()
    .describe('Of failed attempts; numbers are N where they differ, then with an example'),
  oldest_in_hand: z
    .strictObject({
      ...sliceInHand(),
      attempt: z.int(),
      usual_seconds: z.number().optional(),
      deadline: z.string().optional().describe('The payload is ended then'),
      worst_end: z.string().optional().describe('Where each attempt left takes as long'),
    })
    .optional(),
});

/** The settings that it was started with, and its data set. */
const settings = () => ({
  configuration: z
    .strictObject({
      config: z.string().optional(),
      speed: z.string().optional(),
      stf_count: z.int().optional(),
      physics_period_count: z.int().optional(),
      stf_interval: z.number().optional(),
      stf_sampling_rate: z.number().optional(),
      tf_per_stf: z.int().optional(),
      tf_samples_per_stf: z.int().optional(),
      tf_fraction: z.number().optional(),
      slices_per_sample: z.int().optional(),
      slice_processing_time: z.number().optional(),
      target_worker_count: z.int().optional(),
      payload: z.string().optional(),
      timeout_seconds: z.number().optional(),
      max_retries: z.int().optional(),
      write_files: z.boolean().optional(),
    })
    .optional(),
  dataset: z
    .strictObject({ name: z.string(), state: z.enum(['open', 'final']), files: z.int(), bytes: z.int() })
    .optional(),
});

/** Its progress, and how it moves. */
const flow = () => ({
  progress: z
    .strictObject({
      stf_planned: z.int().optional().describe('Absent: until stopped'),
      stf_ready: z.int(),
      tf_files_expected: z.int().describe('Of the STFs so far'),
      tf_files_planned: z.int().optional().describe('Of the whole run'),
      slices_expected: z.int().describe('Of the samples so far'),
      slices_final: z.int().describe('Completed, or failed without a retry left'),
      slices_planned: z.int().optional().describe('Of the whole run'),
      percent: z.number().optional().describe('slices_final of slices_planned'),
      simulation_tick: z.number().optional().describe('Seconds of simulated time'),
      seconds_left: z.int().optional(),
      at_least: z.int().optional(),
      at_most: z.int().optional(),
    })
    .optional(),
  agents: z.array(
    z.strictObject({
      agent_name: z.string(),
      state: z.enum(agentStates).optional(),
      status: z.enum(agentStatuses).optional(),
      last_heartbeat: z.string(),
    }),
  ),
  stages: z.array(
    z.strictObject({
      stage: z.string(),
      waiting: z.int(),
      idle_seconds: z.number(),
      expected_seconds: z.number().optional(),
      state: z.enum(['waiting', 'working', 'slow', 'stuck', 'paused', 'done']),
    }),
  ),
  latency: z.array(stageDelay()),
  capacity: z
    .strictObject({
      service_seconds: z.number(),
      workers: z.int().optional(),
      arrival_rate: z.number().optional(),
      workers_needed: z.int().optional(),
      keeps_up: z.boolean().optional(),
      backlog: z.int().optional(),
      backlog_seconds: z.int().optional(),
      drain_seconds: z.number().optional(),
    })
    .optional(),
});

const evidence = () => ({
  findings: z.array(
    z.strictObject({
      code: z.string(),
      severity: z.enum(severities),
      sentence: z.string(),
      ids: z.array(z.string()),
      next: z.strictObject({ tool: z.string(), arguments: z.record(z.string(), z.unknown()) }),
    }),
  ),
  events: z.array(
    z.strictObject({
      time: z.string(),
      type: z.string(),
      message_id: z.string(),
      by: z.string().optional(),
      effect: z.string().optional().describe('Absent: applied'),
      note: z.string().optional(),
    }),
  ),
  errors: z.array(
    z.strictObject({
      time: z.string(),
      source: z.string(),
      error: z.string(),
      more: z.int().optional(),
      log_id: z.int().optional(),
      message_id: z.string().optional(),
    }),
  ),
});

/** The quality and the notes that people wrote. */
const people = () => ({
  quality: z
    .strictObject({ value: z.enum(qualities), reason: z.string(), author: z.string(), at: z.string() })
    .optional(),
  notes: z.array(personsNote()).optional(),
  note: z.string().optional(),
});

/** The answer of `get_workflow_monitor`. Times are ISO 8601, durations seconds of wall time. */
export const monitorAnswer = () =>
  z.strictObject({ ...identity(), ...counts(), ...settings(), ...flow(), ...evidence(), ...people() });

export type Monitor = z.infer<ReturnType<typeof monitorAnswer>>;
export type Finding = Monitor['findings'][number];
