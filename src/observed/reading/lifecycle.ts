import type { PhaseMessage } from '../../domain/run-phases.ts';
import { asObject } from '../../lib/read-json.ts';
import { datasetOf, handedOver, policyOf } from './prompt.ts';
import { countOf, type Fields, nameOf, sizeOf, stfFileFact, textOf, tfFileFact } from './values.ts';

/** Messages to programs that start workers. These messages change no table. */
const workersSaid = () => ({ kind: 'workers' as const });

const phase = (type: PhaseMessage) => (body: Fields) => {
  // Fast processing passes the message about the end of a run on to workers, with the whole original in
  // `content`.
  const { total_stf_files } = asObject(body['content']) ?? body;
  return { kind: 'phase' as const, type, total_stf_files: countOf(total_stf_files), dataset: datasetOf(body) };
};

/** The messages that are the same in all dialects. */
export const readings = {
  run_imminent: phase('run_imminent'),
  start_run: phase('start_run'),
  pause_run: phase('pause_run'),
  resume_run: phase('resume_run'),
  end_run: phase('end_run'),
  stf_gen: (body: Fields) => {
    const file = stfFileFact('stf_gen', { ...body, tf_count: countOf(body['tf_count']) ?? body['total_tfs'] });
    return file && { ...file, policy: policyOf(body) };
  },
  stf_ready: (body: Fields) => {
    const file = stfFileFact('stf_ready', body);
    if (file === undefined) return handedOver(body);
    return { ...file, checksum: textOf(body['checksum']), size_bytes: sizeOf(body['size_bytes']) };
  },
  // In both dialects, the size field contains the number of Time Frames in the file, not its size.
  tf_file_registered: (body: Fields) => tfFileFact('tf_file_registered', body, nameOf(body['stf_filename'])),
  // Sent between fast processing and PanDA.
  run_imminent_worker: workersSaid,
  create_workflow_task: workersSaid,
  created_workflow_task: workersSaid,
  adjust_worker: workersSaid,
  close_workflow_task: workersSaid,
  stop_transformer: workersSaid,
};
