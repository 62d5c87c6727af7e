import type { Delivery } from '../broker/connection.ts';
import { type ConfigSources, requestedSections, requireBareName } from '../config/layers.ts';
import { loadConfig } from '../config/load.ts';
import { requireRealTime } from '../config/policies.ts';
import type { Config } from '../config/schema.ts';
import { currentPlanVersion } from '../domain/params.ts';
import { decodedOf } from '../exchange/decoding.ts';
import { SwfError } from '../lib/errors.ts';
import { utcNow } from '../lib/time.ts';
import { decodeObject } from '../messages/codec.ts';
import type { Message } from '../messages/message.ts';

export interface RunRequest {
  kind: 'run';
  command: Message<'run_workflow'>;
  config: Config;
}

/** A request, or a message that is only recorded: as rejected, if there is a refusal. */
export type ControlMessage = RunRequest | { kind: 'other'; refusal?: string };

export interface RequestSurroundings {
  /** The agent's own configuration: its namespace and broker always apply, the rest only to requests that name no configuration. */
  config: Config;
  /** Where to find configurations that requests name. */
  sources: ConfigSources;
  /** Converts a configuration to its recorded form: without secrets, with its folder and broker. */
  asRecorded: (config: Config) => Config;
}

/** Reads a message of the control queue, and fills in fields that the testbed's own requests lack. @param commandId for a request that has none */
export function readControlMessage(delivery: Delivery, commandId: string, around: RequestSurroundings): ControlMessage {
  const received = decodedOf(delivery);
  const fields: Record<string, unknown> = received.kind === 'message' ? { ...received.message } : received.body;
  if (fields['msg_type'] !== 'run_workflow') return { kind: 'other' };
  const decoded = decodeObject(completed(fields, commandId, around.config));
  if (decoded.kind !== 'message' || decoded.message.msg_type !== 'run_workflow')
    return { kind: 'other', refusal: decoded.kind === 'rejected' ? decoded.reason : 'is not a request' };
  const { message } = decoded;
  try {
    const config = around.asRecorded(requestedConfig(message, around));
    return { kind: 'run', command: { ...message, params: config, plan_version: currentPlanVersion }, config };
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    return { kind: 'other', refusal: error.line };
  }
}

function completed(fields: Record<string, unknown>, command_id: string, { testbed, workflow }: Config) {
  // A request may not choose its numbers.
  const { execution_id: _, run_id: __, ...asked } = fields;
  const sender = typeof asked['sender'] === 'string' ? asked['sender'] : 'unknown';
  return {
    command_id,
    namespace: testbed.namespace,
    timestamp: utcNow(),
    workflow_name: workflow.name,
    params: {},
    executed_by: sender,
    speed: 1,
    ...asked,
    sender,
  };
}

/** The agent's namespace and broker apply; a request chooses a configuration by name and sets parameters of the workflow. */
function requestedConfig(request: Message<'run_workflow'>, { config, sources }: RequestSurroundings): Config {
  requireRealTime(request.speed);
  const name = requireBareName(request.config, sources.workingFolder) ?? sources.name;
  const overrides = requestedSections(request.params);
  const { testbed, broker, data, agents } = config;
  const sets = [...(sources.sets ?? []), `testbed.namespace=${testbed.namespace}`];
  return { ...loadConfig({ ...sources, name, sets, overrides }).config, testbed, broker, data, agents };
}
