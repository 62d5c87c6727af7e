import * as z from 'zod';

import { planVersionSchema, workflowParamsSchema } from '../domain/params.ts';
import { phases } from '../domain/run-phases.ts';
import { agentStates, agentTypes, reportedStatuses } from '../domain/states.ts';
import { logLevels } from '../lib/logger.ts';
import type { Decoded } from './codec.ts';
import { envelopeShape, epoch, index, positive, text } from './fields.ts';

/**
 * Messages sent repeatedly on the telemetry topic; they never become rows of the log. Unknown fields are
 * allowed, so that an older program understands a newer one.
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
  /** Whether an operator has paused the execution. */
  held: z.boolean(),
  workflow_params: workflowParamsSchema,
  plan_version: planVersionSchema,
  max_retries: index,
  /**
   * Workers that should take none of the execution's slices for now, since slices that fail on them succeed
   * elsewhere: the name of each, and why.
   */
  resting: restingSchema,
  /** Workers whose rest is over: they should take one slice of the execution at a time until one succeeds. */
  on_trial: restingSchema,
  /** The message ids of attempts that a worker has begun but that are over; the worker drops these attempts. */
  over: z.array(text).max(1000).optional(),
});

export type ExecutionState = z.infer<typeof executionStateSchema>;

/** Maximum number of message ids in a heartbeat. */
export const maxInHand = 1000;

/** A kind of work that an agent currently cannot do, with the start time (ISO 8601) and the reason as text. */
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
  /** The number of slots of a worker; `in_hand` names only the first thousand slices. */
  slots: index.optional(),
  off_duty: z.array(offDuty).max(100),
  hostname: text,
  pid: positive,
  boot_id: z.string().max(100),
  version: text,
  wire: index,
  /** When the process began, to distinguish the process from an earlier one with the same name. */
  since: text,
  /** The store of a recorder. */
  store_id: text.optional(),
});

export type AgentHeartbeat = z.infer<typeof agentHeartbeatSchema>;

/** Maximum number of lines, and of bytes, in one `agent_log`. */
export const maxLines = 100;
export const maxLogBytes = 65_536;

const logLine = z.object({
  /** The line's number within its process, from 1. */
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
 * The version of the telemetry messages. Workers of version 1 take slices from every program in the namespace;
 * workers of version 2 take slices only from recorders, and identify a payload by its content.
 */
export const wireVersion = 2;

/** Whether a worker's build is incompatible with this one. */
export const isRefused = ({ agent_type, wire }: { agent_type: string; wire: number }) =>
  agent_type === 'worker' && wire < wireVersion;
