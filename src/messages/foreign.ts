import { bodyOf, type Decoded } from './codec.ts';

/**
 * The messages of the existing testbed's programs, each with the program that sends it, if known. If a type is
 * also ours, `message_id` distinguishes the two: our messages have it, theirs do not.
 */
const saidBy = {
  run_imminent: 'runner',
  start_run: 'runner',
  pause_run: 'runner',
  resume_run: 'runner',
  end_run: 'runner',
  stf_gen: 'runner',
  stf_ready: 'data agent',
  tf_file_registered: 'fastmon agent',
  run_imminent_worker: 'fast processing agent',
  slice: 'fast processing agent',
  slice_result: 'transformer',
  transformer_ready: 'transformer',
  heartbeat: 'transformer',
  create_workflow_task: 'PanDA workers',
  adjust_worker: 'PanDA workers',
  close_workflow_task: 'PanDA workers',
  stop_transformer: 'PanDA workers',
  stf_processed: 'PanDA workers',
  created_workflow_task: 'iDDS',
  snakemake_complete: 'snakemake agent',
  run_snakemake: undefined,
  announcement: 'person',
} as const;

/** The programs of the testbed that an observer can distinguish. */
export type ProgramType = NonNullable<(typeof saidBy)[keyof typeof saidBy]>;

const isForeign = (type: string): type is keyof typeof saidBy => Object.hasOwn(saidBy, type);

/**
 * The program that sends a message; undefined for a type without a known sender. The copy of `end_run` for
 * workers comes from fast processing.
 */
export function programTypeOf(msgType: string, destination: string): ProgramType | undefined {
  if (msgType === 'end_run' && destination.endsWith('panda.workers')) return 'fast processing agent';
  return isForeign(msgType) ? saidBy[msgType] : undefined;
}

/** A foreign program, as described by one of its messages. */
export type ForeignProgram = NonNullable<ReturnType<typeof foreignProgramOf>>;

/** The foreign program that sent a message; undefined for our messages and for unknown types. */
export function foreignProgramOf(decoded: Decoded, headers: Readonly<Record<string, string>>) {
  const body = bodyOf(decoded);
  if (typeof body['message_id'] === 'string') return undefined;
  const type = body['msg_type'];
  // Old agents' heartbeats have no type.
  const isBeat = type === undefined && typeof body['agent_name'] === 'string' && typeof body['status'] === 'string';
  if (!isBeat && !(typeof type === 'string' && isForeign(type))) return undefined;
  return {
    /** The program's name in the message, or else the name of its connection. */
    name: told(body['sender']) ?? told(body['agent_name']) ?? told(headers['client-id']) ?? 'a program without a name',
    namespace: told(body['namespace']) ?? told(headers['namespace']),
    /** The run that the message is about. */
    run_id: told(body['run_id']) ?? told(headers['run_id']),
    msg_type: isBeat ? 'heartbeat' : String(type),
  };
}

/**
 * A name or a number as text; undefined if the value is missing or, as in some testbed programs, a word such as
 * `none`.
 */
export function told(value: unknown) {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  return ['', 'none', 'null', 'unknown'].includes(text.toLowerCase()) ? undefined : text;
}
