import type { Decoded } from './codec.ts';
import { told } from './told.ts';

/**
 * Messages that only the programs of the existing testbed say. Those that share a name with ours are told apart by `message_id`, which
 * ours have and theirs have not.
 */
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

/** A program of another make, as one of its messages tells. */
export interface ForeignProgram {
  /** By its own name, or by that of its connection. */
  name: string;
  /** As the message says; undefined where it says none. */
  namespace: string | undefined;
  /** The run that the message is about. */
  run_id: string | undefined;
  msg_type: string;
}

/** The program of another make that has said a message; undefined for a message of ours, and for one of no known type. */
export function foreignProgramOf(
  decoded: Decoded,
  headers: Readonly<Record<string, string>>,
): ForeignProgram | undefined {
  const body: Record<string, unknown> = decoded.kind === 'message' ? { ...decoded.message } : decoded.body;
  if (typeof body['message_id'] === 'string') return undefined;
  const type = body['msg_type'];
  // Old agents beat without a type.
  const isBeat = type === undefined && typeof body['agent_name'] === 'string' && typeof body['status'] === 'string';
  if (!isBeat && !(typeof type === 'string' && foreignTypes.has(type))) return undefined;
  return {
    name: told(body['sender']) ?? told(body['agent_name']) ?? told(headers['client-id']) ?? 'a program without a name',
    namespace: told(body['namespace']) ?? told(headers['namespace']),
    run_id: told(body['run_id']) ?? told(headers['run_id']),
    msg_type: isBeat ? 'heartbeat' : String(type),
  };
}
