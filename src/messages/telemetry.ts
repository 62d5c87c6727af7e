import * as z from 'zod';

import { planVersionSchema, workflowParamsSchema } from '../domain/params.ts';
import { phases } from '../domain/run-phases.ts';
import { agentStates, agentTypes, reportedStatuses } from '../domain/states.ts';
import { logLevels } from '../lib/logger.ts';
import type { Decoded } from './codec.ts';
import { envelopeShape, epoch, index, positive, text } from './fields.ts';

/**
 * Messages repeated on the telemetry topic; they never become rows of the log. Unknown fields are allowed, so
 * that an older program understands a newer one.
 */
const common = { sender: text, namespace: text, timestamp: z.string().max(100).optional() };

const restingSchema = z
  .array(z.object({ agent: text, detail: z.string().max(1000) }))
  .max(1000)
  .optional();

const executionStateSchema = z.object({
  ...common,
  msg_type: z.literal('execution_state'),
  execution_id: envelopeShape.execution_id.unwrap(),
  /** The recorder's store. */
  store_id: text,
  epoch,
  run_id: text,
  phase: z.enum(phases),
  status: z.enum(reportedStatuses),
  /** Whether an operator has paused it. */
  held: z.boolean(),
  workflow_params: workflowParamsSchema,
  plan_version: planVersionSchema,
  max_retries: index,
  /**
   * Workers that should take none of its slices for now, since what fails there succeeds elsewhere: the
   * name of each, and why.
   */
  resting: restingSchema,
  /** Workers whose rest is over, and which should take one of its slices at a time until one succeeds. */
  on_trial: restingSchema,
  /** The message ids of attempts at slices that a worker has begun although they are over: it drops them. */
  over: z.array(text).max(1000).optional(),
});

export type ExecutionState = z.infer<typeof executionStateSchema>;

/** The most message ids that a heartbeat names. */
export const maxInHand = 1000;

/** A kind of work that an agent currently cannot do, since when (ISO 8601), and the reason as text. */
const offDuty = z.object({
  reason: text,
  name: z.string().max(2000),
  since: z.string().max(100).optional(),
  detail: z.string().max(1000).optional(),
});

export type OffDuty = z.infer<typeof offDuty>;

const agentHeartbeatSchema = z.object({
  ...common,
  msg_type: z.literal('agent_heartbeat'),
  agent_name: text,
  agent_type: z.enum(agentTypes),
  state: z.enum(agentStates),
  in_hand: z.array(z.string().max(1000)).max(maxInHand),
  free_slots: index,
  /** For a worker: all of its slots; `in_hand` names only the first thousand slices. */
  slots: index.optional(),
  off_duty: z.array(offDuty).max(100),
  hostname: text,
  pid: positive,
  boot_id: z.string().max(100),
  version: text,
  wire: index,
  /** When the process began, to distinguish it from an earlier one with the same name. */
  since: text,
  /** The store of a recorder. */
  store_id: text.optional(),
});

export type AgentHeartbeat = z.infer<typeof agentHeartbeatSchema>;

/** The most lines and bytes of one `agent_log`. */
export const maxLines = 100;
export const maxLogBytes = 65_536;

const logLine = z.object({
  /** Counts the lines of a process, from 1. */
  n: positive,
  timestamp: text,
  level: z.enum(Object.keys(logLevels) as [keyof typeof logLevels]),
  message: z.string().max(maxLogBytes),
  context: z.record(z.string(), z.unknown()).optional(),
  execution_id: envelopeShape.execution_id,
});

export type RemoteLine = z.infer<typeof logLine>;

const agentLogSchema = z.object({
  ...common,
  msg_type: z.literal('agent_log'),
  since: text,
  lines: z.array(logLine).max(maxLines),
  /** Lines dropped before they could be sent. */
  dropped: index.optional(),
});

export type AgentLog = z.infer<typeof agentLogSchema>;

export type Telemetry = ExecutionState | AgentHeartbeat | AgentLog;

export const telemetrySchemas = {
  execution_state: executionStateSchema,
  agent_heartbeat: agentHeartbeatSchema,
  agent_log: agentLogSchema,
} as const;

export type TelemetryType = keyof typeof telemetrySchemas;

/** A message of the telemetry topic; undefined for any other, and for an unreadable one. */
export function telemetryOf(decoded: Decoded): Telemetry | undefined {
  if (decoded.kind !== 'unknown' || !Object.hasOwn(telemetrySchemas, decoded.msg_type)) return undefined;
  return telemetrySchemas[decoded.msg_type as TelemetryType].safeParse(decoded.body).data;
}

/**
 * The version of the telemetry messages. Workers of version 1 take slices of every program in the namespace;
 * workers of version 2 take only recorders' slices, and know a payload by its content.
 */
export const wireVersion = 2;

/** Whether a worker's build is incompatible with this one. */
export const isRefused = ({ agent_type, wire }: { agent_type: string; wire: number }) =>
  agent_type === 'worker' && wire < wireVersion;
