import * as z from 'zod';

import type { ExecutionDetail, ExecutionRow } from '../db/lists/executions.ts';
import type { MessageHead } from '../db/lists/messages.ts';
import type { Queries } from '../db/queries.ts';
import { phases } from '../domain/run-phases.ts';
import { agentStates, agentStatuses, executionStatuses, healths } from '../domain/states.ts';
import { logLevels } from '../lib/logger.ts';
import { clip, clipShown } from './shared/clip.ts';
import { harmless } from './shared/harmless.ts';
import { present } from './shared/params.ts';
import { defineTool, type ToolContext } from './shared/tool.ts';

const lastEvents = 8;
const shownAgents = 12;
const shownText = 300;
/** The whole answer (contract §5). */
const mostBytes = 8192;

export const getWorkflowMonitor = defineTool({
  name: 'get_workflow_monitor',
  title: 'Monitor a workflow execution',
  description:
    'How far is it, is it stuck or just slow, what failed first, who is gone, does it keep up? One execution: status, phase, health, counts, progress with ' +
    'seconds_left, what each stage waits for, delays, workers needed, agents, events, errors. Read findings first: each names the call that shows its evidence.',
  input: z.strictObject({ execution_id: z.string().min(1).max(300).describe('Execution id, or "latest"') }),
  output: z.strictObject({
    execution_id: z.string(),
    workflow_name: z.string(),
    namespace: z.string(),
    executed_by: z.string(),
    status: z.enum(executionStatuses),
    status_reason: z.string().optional(),
    phase: z.enum(phases).describe('Phase of the run'),
    health: z.enum(healths),
    paused_by: z
      .enum(['period', 'operator'])
      .optional()
      .describe('Where it is paused: it goes on by itself, or waits for an operator'),
    driver: z
      .strictObject({ pid: z.int(), hostname: z.string(), alive: z.boolean(), last_seen: z.string() })
      .optional()
      .describe('Process that drives it, or drove it last'),
    run_id: z.string(),
    run_number: z.int(),
    start_time: z.string(),
    end_time: z.string().optional(),
    duration_seconds: z.number().describe('Wall time; so far, while it runs'),
    data_as_of: z.string().optional(),
    message_count: z.int(),
    stf_count: z.int(),
    tf_files_received: z.int(),
    slices_created: z.int(),
    slices_queued: z.int(),
    slices_processing: z.int(),
    slices_completed: z.int(),
    slices_failed: z.int(),
    dataset: z
      .strictObject({ name: z.string(), state: z.enum(['open', 'final']), files: z.int(), bytes: z.int() })
      .optional(),
    progress: z.strictObject({
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
    }),
    agents: z.array(
      z.strictObject({
        agent_name: z.string(),
        state: z.enum(agentStates),
        status: z.enum(agentStatuses),
        last_heartbeat: z.string(),
      }),
    ),
    stages: z.array(
      z.strictObject({
        stage: z.string(),
        waiting: z.int(),
        idle_seconds: z.number(),
        expected_seconds: z.number(),
        state: z.enum(['waiting', 'working', 'slow', 'stuck', 'paused', 'done']),
      }),
    ),
    latency: z.array(
      z.strictObject({ stage: z.string(), items: z.int(), p50: z.number(), p95: z.number(), max: z.number() }),
    ),
    capacity: z
      .strictObject({
        arrival_rate: z.number(),
        service_seconds: z.number(),
        workers: z.int(),
        workers_needed: z.int(),
        backlog: z.int(),
        backlog_seconds: z.int(),
      })
      .optional(),
    findings: z.array(
      z.strictObject({
        code: z.string(),
        severity: z.enum(['error', 'warning', 'info']),
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
        effect: z.string(),
        note: z.string().optional(),
      }),
    ),
    errors: z.array(
      z.strictObject({
        time: z.string(),
        source: z.string(),
        error: z.string(),
        log_id: z.int().optional(),
        message_id: z.string().optional(),
      }),
    ),
  }),
  handle(args, context) {
    const { queries } = context;
    const execution = queries.execution(args.execution_id);
    const data_as_of = queries.dataAsOf();
    const assessed = queries.assessWithFindings(execution, context.now, data_as_of);
    const { detail, health, isHeld, progress, left, unreadable } = assessed;
    const driver = execution.status === 'running' ? driverOf(execution.execution_id, queries) : null;
    const isDriven = driver?.alive !== false;
    const answer = present({
      execution_id: execution.execution_id,
      workflow_name: execution.workflow_name,
      namespace: execution.namespace,
      executed_by: execution.executed_by,
      status: execution.status,
      status_reason: execution.status_reason === 'completed' ? null : clipped(execution.status_reason),
      phase: execution.phase,
      health,
      paused_by: health !== 'paused' ? null : isHeld ? ('operator' as const) : ('period' as const),
      driver,
      run_id: String(execution.run_number),
      run_number: execution.run_number,
      start_time: execution.start_time,
      end_time: execution.end_time,
      duration_seconds: seconds(execution, context.now),
      data_as_of,
      message_count: queries.messageCount(execution.execution_id),
      stf_count: execution.stf_count,
      tf_files_received: execution.tf_files_received,
      slices_created: execution.slices_created,
      slices_queued: execution.slices_queued,
      slices_processing: execution.slices_processing,
      slices_completed: execution.slices_completed,
      slices_failed: execution.slices_failed,
      dataset: datasetOf(detail),
      progress: present({ ...progress, ...left }),
      // Without its driver nothing works, whatever waits.
      stages: execution.status === 'running' && isDriven ? assessed.stages : [],
      latency: assessed.delays.map(({ stage, items, p50, p95, max }) => ({ stage, items, p50, p95, max })),
      capacity: execution.status === 'running' ? assessed.capacity : null,
      findings: assessed.findings.map((finding) => ({ ...finding, sentence: clipped(finding.sentence) ?? '' })),
      agents: unreadable.includes('agents') ? [] : agentsOf(execution.execution_id, context),
      events: queries.lastLandmarks(execution.execution_id, lastEvents).map(asEvent),
      errors: unreadable.includes('logs') ? [] : lastErrors(execution.execution_id, queries),
    });
    return withinBudget(answer);
  },
});

function driverOf(executionId: string, queries: Queries) {
  const driver = queries.driver(executionId);
  if (driver === undefined) return null;
  const { pid, hostname, isAlive, last_beat } = driver;
  return { pid, hostname, alive: isAlive, last_seen: last_beat };
}

function seconds({ start_time, end_time }: ExecutionRow, now: number): number {
  const end = end_time === null ? now : Date.parse(end_time);
  return Math.max(0, end - Date.parse(start_time)) / 1000;
}

function datasetOf({ dataset_name, dataset_state, dataset_files, dataset_bytes }: ExecutionDetail) {
  if (dataset_name === null || dataset_state === null) return null;
  return { name: dataset_name, state: dataset_state, files: dataset_files, bytes: dataset_bytes };
}

function agentsOf(executionId: string, { queries }: ToolContext) {
  const { rows } = queries.agents(
    { execution_id: executionId, include_exited: true },
    { order: 'newest', limit: shownAgents, uncounted: true },
  );
  return rows.map(({ agent_name, state, status, last_heartbeat }) => ({ agent_name, state, status, last_heartbeat }));
}

function asEvent(row: MessageHead) {
  return present({
    time: row.sent_at,
    type: row.message_type,
    message_id: row.message_id,
    effect: row.effect,
    note: clipped(row.effect_reason),
  });
}

/** The last errors that agents logged and the last messages that could not be taken as they were, newest first. */
function lastErrors(executionId: string, queries: Queries) {
  const logs = queries
    .logs(
      { execution_id: executionId, level: logLevels.ERROR },
      { order: 'newest', limit: lastEvents, uncounted: true },
    )
    .rows.map((row) => ({
      time: row.timestamp,
      source: row.agent,
      error: clipped(row.message) ?? '',
      log_id: row.key,
    }));
  const messages = queries.lastTroubledMessages(executionId, lastEvents).map((row) => ({
    time: row.recorded_at,
    source: row.sender_agent ?? row.destination,
    error: `${row.message_type} ${row.effect}: ${clipped(row.effect_reason) ?? ''}`,
    message_id: row.message_id,
  }));
  return [...logs, ...messages].toSorted((a, b) => (a.time < b.time ? 1 : -1)).slice(0, lastEvents);
}

function clipped(text: string | null): string | null {
  if (text === null) return null;
  const shown = clipShown(text, shownText);
  return shown.length < shownText ? shown : `${clip(shown, shownText - 1)}…`;
}

/** Texts of many bytes may make an answer too long: what there is most of goes first, the oldest and least of it. */
function withinBudget<T extends { events: unknown[]; errors: unknown[]; agents: unknown[]; findings: unknown[] }>(
  answer: T,
): T {
  const lists = ['events', 'errors', 'agents', 'findings'] as const;
  while (Buffer.byteLength(harmless(answer).text) > mostBytes) {
    const longest = lists.reduce((a, b) => (answer[b].length > answer[a].length ? b : a));
    if (answer[longest].length === 0) return answer;
    answer[longest].pop();
  }
  return answer;
}
