import type { Queries } from '../db/queries.ts';
import { printable } from '../lib/printable.ts';
import type { DriverSpan } from '../monitoring/evidence.ts';

/** A report of each execution, as Markdown: the same store gives the same text. */
export const reportTemplate = {
  uriTemplate: 'swf://executions/{execution_id}/report',
  name: 'execution_report',
  title: 'Report of an execution',
  description:
    'How one execution went: state, counts, delays, findings and whether its data is complete; execution_id may be "latest"',
  mimeType: 'text/markdown',
} as const;

/** The execution that a resource's address names; undefined for an address of another form. */
export function executionOfUri(uri: string): string | undefined {
  const id = /^swf:\/\/executions\/([^/]+)\/report$/.exec(uri)?.[1];
  try {
    return id === undefined ? undefined : decodeURIComponent(id);
  } catch {
    return undefined;
  }
}

const driverLine = ({ epoch, by, host, pid, since, until, ended, code }: DriverSpan): string =>
  `- driver ${epoch}: process ${pid} on ${host}, started by ${by}, from ${since} to ${until ?? 'now'}${ended === undefined ? '' : `, ${ended}`}${code === undefined ? '' : ` (${code})`}`;

/** Throws `EXECUTION_NOT_FOUND`. */
export function reportOf(queries: Queries, executionId: string, now: number): string {
  return queries.snapshot(() => {
    const execution = queries.execution(executionId);
    const dataAsOf = queries.dataAsOf();
    const { health, delays, findings, detail, in_hand, drivers, duration_seconds } = queries.assessWithFindings(
      execution,
      now,
      dataAsOf,
    );
    const audit = queries.audit(execution);
    const { execution_id, run_number, status, status_reason, phase, namespace, executed_by, start_time, end_time } =
      execution;
    const lines = [
      `# ${execution_id}, run ${run_number}`,
      '',
      `${status}${status_reason === null || status_reason === status ? '' : ` (${status_reason})`}, health ${health}${status === 'running' ? `, DAQ phase ${phase}` : ''}; namespace ${namespace}, started by ${executed_by} at ${start_time}${end_time === null ? '' : `, ended ${end_time}`}, ${duration_seconds} s. Data as of ${dataAsOf ?? 'never'}.`,
      '',
      `- STF files: ${execution.stf_count} announced, ${detail.stfs_ready} ready`,
      `- TF samples: ${execution.tf_files_received}`,
      `- TF slices: ${execution.slices_created}: ${execution.slices_queued} queued, ${in_hand.count} processing, ${in_hand.lost === 0 ? '' : `${in_hand.lost} lost with their workers, `}${execution.slices_completed} completed, ${detail.slices_exhausted} stay failed, ${detail.slice_retries} retries`,
      ...drivers.map(driverLine),
      `- data: ${audit.verdict}`,
      ...audit.checks
        .filter(({ state }) => state !== 'ok')
        .map(
          ({ check, found, expected, problem, ids }) =>
            `  - ${check} ${found} of ${expected}: ${problem ?? ''} ${ids.slice(0, 5).join(', ')}`,
        ),
      '',
      '| stage | items | p50 s | p95 s | max s |',
      '| --- | --- | --- | --- | --- |',
      ...delays.map(({ stage, items, p50, p95, max }) => `| ${stage} | ${items} | ${p50} | ${p95} | ${max} |`),
      '',
      ...(findings.length === 0
        ? ['No findings.']
        : findings.map(({ severity, code, sentence }) => `- ${severity} ${code}: ${sentence}`)),
    ];
    return `${lines.map(printable).join('\n')}\n`;
  });
}
