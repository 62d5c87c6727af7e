/** The programs of the testbed, as far as an observer can tell them apart. */
export type ProgramType =
  | 'runner'
  | 'data agent'
  | 'fastmon agent'
  | 'fast processing agent'
  | 'transformer'
  | 'PanDA workers'
  | 'iDDS'
  | 'snakemake agent'
  | 'person';

/** The message types of the testbed, with the program that sends each. */
const saidBy: Readonly<Record<string, ProgramType>> = {
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
  announcement: 'person',
};

/** The program that sends a message; undefined for a type without a known sender. The copy of `end_run` for workers comes from fast processing. */
export const programTypeOf = (msgType: string, destination: string): ProgramType | undefined =>
  msgType === 'end_run' && destination.endsWith('panda.workers') ? 'fast processing agent' : ofTable(msgType);

const ofTable = (msgType: string): ProgramType | undefined =>
  Object.hasOwn(saidBy, msgType) ? saidBy[msgType] : undefined;
