import * as z from 'zod';

import {
  float,
  int,
  object,
  objects,
  oneOf,
  optionalBoolean,
  optionalFloat,
  optionalInt,
  optionalOneOf,
  optionalString,
  optionalTrue,
  string,
  strings,
} from '../../domain/fields.ts';
import { qualities } from '../../domain/logbook-words.ts';
import { phases } from '../../domain/run-phases.ts';
import { agentStates, agentStatuses, executionStatuses, healths, origins, severities } from '../../domain/states.ts';
import { dialectsInWords } from '../../observed/dialects.ts';
import { siteWork, stageDelay } from './timeline.ts';

/** A person's note. */
export const personsNote = () =>
  object({
    text: string,
    author: string,
    at: string,
    about: optionalString,
    for_next: optionalBoolean,
  });

/** A slice that a worker is processing, with the wall time since processing began, in seconds. */
export const sliceInHand = () => ({
  slice_filename: string,
  assigned_worker: string,
  since: string,
  seconds: float,
});

/** A command: its issuer, time and reason. */
const command = () =>
  object({
    name: string,
    time: string,
    reason: optionalString,
    claimed_by: optionalString,
    sent_by: optionalString.describe('The sender, if the name is only claimed'),
  });

/** The execution, its state, and the operators and processes behind it. */
const identity = () => ({
  execution_id: string,
  origin: oneOf(origins).describe('observed: run by other programs; unreported facts are absent'),
  workflow_name: optionalString,
  namespace: optionalString,
  executed_by: optionalString,
  status: oneOf(executionStatuses),
  status_reason: optionalString,
  phase: oneOf(phases).describe('Phase of the run'),
  health: optionalOneOf(healths),
  paused_by: command().optional().describe('Who paused the run; absent between periods'),
  stopped_by: command()
    .extend({ pending: optionalTrue.describe('No driver has accepted it yet') })
    .optional()
    .describe('Who stopped the run, or asked to'),
  drivers: objects({
    epoch: int,
    since: string,
    until: optionalString,
    last_heard: optionalString,
    by: string,
    claimed_by: optionalString,
    host: string,
    pid: optionalInt,
    speed: optionalString,
    version: string,
    ended: optionalOneOf(['finished', 'interrupted', 'fault', 'lost']),
    reason: optionalString,
  })
    .optional()
    .describe('The most recent, oldest first'),
  drivers_omitted: optionalInt,
});

const observedCounts = () => ({
  dialect: optionalString.describe(dialectsInWords),
  heard_since: optionalString,
  heard_until: optionalString,
  not_heard: objects({ from: string, until: string, reason: string }).optional().describe('Counts are lower bounds'),
  told: object({ status: string, at: string, by: optionalString }).optional(),
  tf_files_sliced: optionalInt,
  slices_sent: optionalInt,
  slices_unanswered: optionalInt,
  results_repeated: optionalInt,
  results_unmatched: optionalInt.describe('Match no known slice'),
  results_without_slice: optionalInt.describe('For slices not on the bus'),
  without_execution: optionalInt.describe('Slices that name no execution'),
});

const counts = () => ({
  run_id: optionalString,
  run_number: optionalInt,
  start_time: string,
  end_time: optionalString,
  duration_seconds: optionalFloat.describe('Wall time, so far if still running'),
  down_seconds: optionalFloat.describe('Time between drivers, in total'),
  expected_end: optionalString,
  first_slice_at: optionalString.describe('An estimate until a slice exists'),
  data_as_of: optionalString,
  last_message_id: optionalString,
  message_count: int,
  stf_count: int,
  tf_files_received: optionalInt,
  slices_created: optionalInt,
  slices_queued: optionalInt,
  slices_processing: optionalInt,
  slices_completed: optionalInt,
  slices_failed: optionalInt,
  stf_failed: optionalInt,
  slices_retried: optionalInt,
  ...observedCounts(),
  slices_overdue: optionalInt.describe('In progress for too long'),
  slices_to_redo: optionalInt.describe('Held by workers that are gone'),
  slices_not_done: optionalInt.describe('No result, and the run has ended'),
  causes: objects({ cause: string, attempts: int, example: optionalString })
    .optional()
    .describe('Of failed attempts; N stands for differing numbers'),
  oldest_in_hand: object({
    ...sliceInHand(),
    attempt: int,
    usual_seconds: optionalFloat,
    deadline: optionalString.describe('When the payload will be killed'),
    worst_end: optionalString.describe('If each remaining attempt reaches its limit'),
  }).optional(),
});

/** The settings that the execution was started with, and its dataset. */
const settings = () => ({
  configuration: object({
    config: optionalString,
    speed: optionalString,
    stf_count: optionalInt,
    physics_period_count: optionalInt,
    stf_interval: optionalFloat,
    stf_sampling_rate: optionalFloat,
    tf_per_stf: optionalInt,
    tf_samples_per_stf: optionalInt,
    tf_fraction: optionalFloat,
    slices_per_sample: optionalInt,
    slice_processing_time: optionalFloat,
    target_worker_count: optionalInt,
    payload: optionalString,
    timeout_seconds: optionalFloat,
    max_retries: optionalInt,
    write_files: optionalBoolean,
  }).optional(),
  dataset: object({
    name: string,
    state: optionalOneOf(['open', 'final']),
    files: optionalInt,
    bytes: optionalInt,
  }).optional(),
  policy: optionalString.describe('How prompt processing chooses sites'),
  sites: siteWork().optional(),
});

/** The execution's progress, stages, delays and capacity. */
const flow = () => ({
  progress: object({
    stf_planned: optionalInt.describe('Absent if the run continues until stopped'),
    stf_ready: int,
    tf_files_expected: int.describe('From the STFs so far'),
    tf_files_planned: optionalInt.describe('For the whole run'),
    slices_expected: int.describe('From the samples so far'),
    slices_final: int.describe('Completed, or failed permanently'),
    slices_planned: optionalInt.describe('For the whole run'),
    percent: optionalFloat.describe('slices_final of slices_planned'),
    simulation_tick: optionalFloat.describe('Seconds of simulated time'),
    seconds_left: optionalInt,
    at_least: optionalInt,
    at_most: optionalInt,
  }).optional(),
  agents: objects({
    agent_name: string,
    state: optionalOneOf(agentStates),
    status: optionalOneOf(agentStatuses),
    last_heartbeat: string,
  }),
  stages: objects({
    stage: string,
    waiting: int,
    idle_seconds: float,
    expected_seconds: optionalFloat,
    state: oneOf(['waiting', 'working', 'slow', 'stuck', 'paused', 'done']),
  }),
  latency: z.array(stageDelay()),
  capacity: object({
    service_seconds: float,
    workers: optionalInt,
    arrival_rate: optionalFloat,
    workers_needed: optionalInt,
    keeps_up: optionalBoolean,
    backlog: optionalInt,
    backlog_seconds: optionalInt,
    drain_seconds: optionalFloat,
  }).optional(),
});

const evidence = () => ({
  findings: objects({
    code: string,
    severity: oneOf(severities),
    sentence: string,
    ids: strings,
    next: object({ tool: string, arguments: z.record(string, z.unknown()) }),
  }),
  events: objects({
    time: string,
    type: string,
    message_id: string,
    by: optionalString,
    effect: optionalString.describe('Absent: applied'),
    note: optionalString,
  }),
  errors: objects({
    time: string,
    source: string,
    error: string,
    more: optionalInt,
    log_id: optionalInt,
    message_id: optionalString,
  }),
});

/** The quality that people set, and the notes that they wrote. */
const people = () => ({
  quality: object({ value: oneOf(qualities), reason: string, author: string, at: string }).optional(),
  notes: z.array(personsNote()).optional(),
  note: optionalString,
});

/** The answer of `get_workflow_monitor`. Times are in ISO 8601, durations in seconds of wall time. */
export const monitorAnswer = () =>
  object({ ...identity(), ...counts(), ...settings(), ...flow(), ...evidence(), ...people() });

export type Monitor = z.infer<ReturnType<typeof monitorAnswer>>;
export type Finding = Monitor['findings'][number];
