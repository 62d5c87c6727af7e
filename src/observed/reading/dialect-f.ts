import type { Dialect } from './fact.ts';
import { saysDecision } from './prompt.ts';
import { objectOf } from './values.ts';
import { outcomeIn, type SlicesOfDialect, workReadings } from './work.ts';

const slices: SlicesOfDialect = {
  tfFilename: (name) => name,
  echo: (result) => objectOf(result['origin_message']),
  metrics: (result) => objectOf(result['metrics']),
  registeredBy: 'fastmon_file',
  // In the monitor's slice table, one column holds the file names of both dialects.
  lackedBy: ({ tf_filename }) =>
    /_slice_\d+(?:\.tf)?$/.test(String(tf_filename)) ? {} : { fastmon_file: tf_filename },
};

/**
 * The newer fork: a slice has the name of its TF file, and a result echoes the slice's whole message, even if
 * the slice failed.
 */
export const dialectF: Dialect = {
  words(body) {
    const content = objectOf(body['content']);
    if (saysDecision(body)) return true;
    switch (body['msg_type']) {
      case 'transformer_ready':
        return true;
      case 'stf_ready':
        return 'file_type' in body;
      case 'run_imminent_worker':
        return 'memory_per_core' in content || 'streaming_mode' in content;
      case 'slice':
        return 'tf_slice_id' in content || 'tf_file_id' in content;
      case 'slice_result':
        return 'origin_message' in outcomeIn(content);
      default:
        return false;
    }
  },
  readings: workReadings(slices),
  slices,
};
