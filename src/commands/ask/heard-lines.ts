import { counted } from '../../lib/counted.ts';
import { clause } from '../../mcp/words.ts';
import type { Monitor } from '../../tools/answers/monitor.ts';

/** The counts of an execution of other programs, as heard. */
export function heardCounts(answer: Monitor) {
  const { slices_sent, slices_unanswered = 0, results_without_slice } = answer;
  const sent =
    slices_sent === undefined
      ? results_without_slice === undefined
        ? 'not on a subscribed topic'
        : `${results_without_slice} results of slices that are not on the bus`
      : `${slices_sent} sent, ${slices_unanswered} without a result, ${answer.slices_completed} completed, ${answer.slices_failed} failed`;
  const heard = `  heard       from ${answer.heard_since} until ${answer.heard_until}, dialect ${answer.dialect ?? 'unknown'}`;
  const announced = `  STF files   ${answer.stf_count} announced`;
  if (answer.sites !== undefined) return [heard, announced, ...answer.sites.map(siteLine)];
  return [
    heard,
    announced,
    `  TF samples  ${answer.tf_files_received} announced${clause(', ', answer.tf_files_sliced, ' sliced')}`,
    `  TF slices   ${sent}`,
  ];
}

/** A site that processes STF files; the only one of the public programs has no name. */
function siteLine({ site = 'PanDA', ...work }: NonNullable<Monitor['sites']>[number]) {
  const { handed_over_at, task_id, registered, processing, processed, failed } = work;
  const counts =
    registered === undefined
      ? ''
      : `, ${registered} registered: ${processing} processing, ${processed} processed, ${failed} failed`;
  const over = handed_over_at === undefined ? 'not handed over' : `handed over at ${handed_over_at}`;
  return `  site        ${site}: ${over}${clause(', task ', task_id)}${counts}`;
}

/** The dataset of a run, as far as is known. */
export const datasetLine = ({ name, state, files, bytes }: NonNullable<Monitor['dataset']>) =>
  `  dataset     ${name}${clause(' (', state, ')')}${files === undefined ? '' : `, ${counted(files, 'file')}`}${clause(', ', bytes, ' bytes')}`;
