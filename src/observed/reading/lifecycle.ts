import type { PhaseMessage } from '../../domain/run-phases.ts';
import type { Fact } from './fact.ts';
import { countOf, type Fields, nameOf, numberOf, objectOf, sizeOf, textOf, tfFileFact } from './values.ts';

const workersSaid = (body: Fields): Fact => {
  const { target_worker_count, worker_rampup_time } = objectOf(body['content']);
  return {
    kind: 'workers',
    target_worker_count: countOf(target_worker_count),
    worker_rampup_time: numberOf(worker_rampup_time),
  };
};

/** The messages that all dialects word alike. */
export const readings: Readonly<Record<string, (body: Fields) => Fact | undefined>> = {
  run_imminent: phase('run_imminent'),
  start_run: phase('start_run'),
  pause_run: phase('pause_run'),
  resume_run: phase('resume_run'),
  end_run: phase('end_run'),
  stf_gen: (body) => {
    const stf_filename = nameOf(body['filename']);
    const tf_count = countOf(body['tf_count']) ?? countOf(body['total_tfs']);
    return stf_filename === undefined
      ? undefined
      : { kind: 'stf_gen', stf_filename, sequence: countOf(body['sequence']), tf_count };
  },
  // Prompt processing sends it once per run, without a file.
  stf_ready: (body) => {
    const stf_filename = nameOf(body['filename']);
    if (stf_filename === undefined) return undefined;
    const { checksum, size_bytes, sequence, tf_count } = body;
    return {
      kind: 'stf_ready',
      stf_filename,
      sequence: countOf(sequence),
      tf_count: countOf(tf_count),
      checksum: textOf(checksum),
      size_bytes: sizeOf(size_bytes),
    };
  },
  // In both dialects its size field is the number of its Time Frames, not a size.
  tf_file_registered: (body) => tfFileFact('tf_file_registered', body, nameOf(body['stf_filename'])),
  // Between fast processing and PanDA.
  run_imminent_worker: workersSaid,
  create_workflow_task: workersSaid,
  created_workflow_task: workersSaid,
  adjust_worker: workersSaid,
  close_workflow_task: workersSaid,
  stop_transformer: workersSaid,
};

function phase(type: PhaseMessage): (body: Fields) => Fact {
  return (body) => {
    // Fast processing repeats the end of a run for workers, with the whole original message inside.
    const inner = body['content'];
    const fields = typeof inner === 'object' && inner !== null ? (inner as Fields) : body;
    return { kind: 'phase', type, total_stf_files: countOf(fields['total_stf_files']) };
  };
}
