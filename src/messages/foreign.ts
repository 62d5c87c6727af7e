import type { Decoded } from './codec.ts';
import { told } from './told.ts';

/** Messages that only the existing testbed's programs send. If a type is also ours, `message_id` distinguishes them: ours have it, theirs do not. */
const foreignTypes: ReadonlySet<string> = new Set([
  'run_imminent',
  'start_run',
  'pause_run',
  'resume_run',
  'end_run',
  'stf_gen',
  'stf_ready',
  'tf_file_registered',
  'stf_processed',
  'run_snakemake',
  'snakemake_complete',
  'announcement',
  'run_imminent_worker',
  'create_workflow_task',
  'created_workflow_task',
  'adjust_worker',
  'close_workflow_task',
  'slice',
  'slice_result',
  'heartbeat',
  'transformer_ready',
  'stop_transformer',
]);

/** A program of another make, as described by one of its messages. */
export interface ForeignProgram {
  /** By its own name, or by that of its connection. */
  name: string;
  /** As in the message; undefined if it has none. */
  namespace: string | undefined;
  /** The run that the message is about. */
  run_id: string | undefined;
  msg_type: string;
}

/** The program of another make that sent a message; undefined for our messages and for unknown types. */
export function foreignProgramOf(
  decoded: Decoded,
  headers: Readonly<Record<string, string>>,
): ForeignProgram | undefined {
  const body: Record<string, unknown> = decoded.kind === 'message' ? { ...decoded.message } : decoded.body;
  if (typeof body['message_id'] === 'string') return undefined;
  const type = body['msg_type'];
  // Old agents' heartbeats have no type.
  const isBeat = type === undefined && typeof body['agent_name'] === 'string' && typeof body['status'] === 'string';
  if (!isBeat && !(typeof type === 'string' && foreignTypes.has(type))) return undefined;
  return {
    name: told(body['sender']) ?? told(body['agent_name']) ?? told(headers['client-id']) ?? 'a program without a name',
    namespace: told(body['namespace']) ?? told(headers['namespace']),
    run_id: told(body['run_id']) ?? told(headers['run_id']),
    msg_type: isBeat ? 'heartbeat' : String(type),
  };
}
